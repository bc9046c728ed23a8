//! Owns the calls made for each tenant, so that the service's limits are kept from this side.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::Clock;
use crate::domain::{TenantId, Ticks};

/// How many calls are made for each app and tenant at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// In any minute.
    pub per_minute: u32,
    /// In any hour.
    pub per_hour: u32,
}

impl Default for Rates {
    /// Less than the documented 100 a minute and 1,500 an hour: the rest is left to others who share the app
    /// registration, and to calls of an earlier process.
    fn default() -> Self {
        Self { per_minute: 90, per_hour: 1_400 }
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// The alerts API is waited for no longer than this, whatever it asks.
pub const LONGEST_WAIT: Duration = Duration::from_secs(6 * 3_600);

/// The times of each tenant's calls within the last hour, and until when the service asked not to be called.
///
/// The time of the next try stands in the store too, by the wall clock, which a restart needs. Here it is kept by a clock
/// that nobody can set.
#[derive(Debug)]
pub(super) struct Quota {
    rates: Rates,
    clock: Clock,
    calls: Mutex<HashMap<TenantId, VecDeque<Instant>>>,
    /// Until the machine has been up for so long. The service counts for each tenant and app registration.
    held: Mutex<HashMap<(TenantId, String), Duration>>,
}

impl Quota {
    pub(super) fn new(rates: Rates, clock: Clock) -> Self {
        Self { rates, clock, calls: Mutex::default(), held: Mutex::default() }
    }

    /// The machine's time.
    pub(super) fn now(&self) -> Ticks {
        self.clock.now()
    }

    /// The service asked not to be called for so long.
    pub(super) fn hold(&self, tenant: TenantId, app: &str, wait: Duration) {
        let until = self.clock.up() + wait.min(LONGEST_WAIT);
        self.held.lock().unwrap_or_else(PoisonError::into_inner).insert((tenant, app.to_owned()), until);
    }

    /// How much longer the service is not to be called, if at all.
    pub(super) fn held(&self, tenant: TenantId, app: &str) -> Option<Duration> {
        let key = (tenant, app.to_owned());
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let left = held.get(&key)?.checked_sub(self.clock.up()).filter(|left| !left.is_zero());
        if left.is_none() {
            held.remove(&key);
        }
        left
    }

    /// Counts a call, unless it would exceed a limit: then how long to wait.
    pub(super) fn take(&self, tenant: TenantId) -> Result<(), Duration> {
        let mut all = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = all.entry(tenant).or_default();
        let now = Instant::now();
        while calls.front().is_some_and(|call| now.duration_since(*call) >= HOUR) {
            calls.pop_front();
        }
        if let Some(wait) =
            wait(calls, now, self.rates.per_hour, HOUR).or_else(|| wait(calls, now, self.rates.per_minute, MINUTE))
        {
            return Err(wait);
        }
        calls.push_back(now);
        Ok(())
    }

    /// Calls within the last hour.
    pub(super) fn spent(&self, tenant: TenantId) -> u32 {
        let all = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let recent = |calls: &VecDeque<Instant>| calls.iter().filter(|call| now.duration_since(**call) < HOUR).count();
        all.get(&tenant).map_or(0, |calls| u32::try_from(recent(calls)).unwrap_or(u32::MAX))
    }

    /// Takes over calls that an earlier process counted `age` ago, unless this one has counted some already.
    pub(super) fn restore(&self, tenant: TenantId, spent: u32, age: Duration) {
        let mut all = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if spent == 0 || age >= HOUR || all.contains_key(&tenant) {
            return;
        }
        if let Some(at) = Instant::now().checked_sub(age) {
            all.insert(tenant, std::iter::repeat_n(at, spent.min(self.rates.per_hour) as usize).collect());
        }
    }
}

/// How long until one more call keeps within `most` calls in each `span`; `None` when it does now.
fn wait(calls: &VecDeque<Instant>, now: Instant, most: u32, span: Duration) -> Option<Duration> {
    let oldest_that_must_leave = calls.get(calls.len().checked_sub(most as usize)?)?;
    span.checked_sub(now.duration_since(*oldest_that_must_leave)).filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::Ticks;

    fn tenant() -> TenantId {
        TenantId::parse("00000000-0000-0000-0000-000000000001").expect("a GUID")
    }

    #[tokio::test(start_paused = true)]
    async fn a_minute_and_an_hour_are_kept() {
        let quota = Quota::new(Rates::default(), Clock::System);
        let (mut made, start) = (0, Instant::now());
        let mut in_first_minute = 0;
        while start.elapsed() < HOUR {
            match quota.take(tenant()) {
                Ok(()) => made += 1,
                Err(wait) => tokio::time::sleep(wait).await,
            }
            if start.elapsed() < MINUTE {
                in_first_minute = made;
            }
        }
        assert_eq!(in_first_minute, 90);
        assert_eq!(made, 1_400);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_of_an_earlier_process_count() {
        let quota = Quota::new(Rates::default(), Clock::System);
        tokio::time::sleep(HOUR).await;
        quota.restore(tenant(), 1_400, Duration::from_secs(600));
        assert_eq!(quota.spent(tenant()), 1_400);
        assert_eq!(quota.take(tenant()), Err(Duration::from_secs(3_000)));
        tokio::time::sleep(Duration::from_secs(3_000)).await;
        assert_eq!(quota.take(tenant()), Ok(()));
        assert_eq!(quota.spent(tenant()), 1);
    }

    #[test]
    fn a_wait_that_was_asked_for_is_kept_by_a_clock_of_its_own() {
        let manual = ManualClock::at(Ticks::from_unix_seconds(100));
        let quota = Quota::new(Rates::default(), Clock::Manual(manual.clone()));
        let other = TenantId::parse("00000000-0000-0000-0000-000000000002").expect("a GUID");
        quota.hold(tenant(), "main", MINUTE);
        assert_eq!((quota.held(tenant(), "main"), quota.held(other, "main")), (Some(MINUTE), None));
        assert_eq!(quota.held(tenant(), "other"), None);
        manual.advance(Duration::from_secs(59));
        manual.set(Ticks::from_unix_seconds(100_000));
        assert_eq!(quota.held(tenant(), "main"), Some(Duration::from_secs(1)));
        manual.advance(Duration::from_secs(1));
        assert_eq!(quota.held(tenant(), "main"), None);
        quota.hold(tenant(), "main", 100 * HOUR);
        assert_eq!(quota.held(tenant(), "main"), Some(LONGEST_WAIT));
    }

    #[tokio::test(start_paused = true)]
    async fn an_hour_is_over_to_the_moment() {
        let quota = Quota::new(Rates::default(), Clock::System);
        assert_eq!(quota.take(tenant()), Ok(()));
        tokio::time::sleep(HOUR - Duration::from_millis(1)).await;
        assert_eq!(quota.spent(tenant()), 1);
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(quota.spent(tenant()), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_are_taken_over_once_and_only_those_that_count() {
        tokio::time::sleep(2 * HOUR).await;
        let taken_over = |calls: &[(u32, Duration)]| {
            let quota = Quota::new(Rates::default(), Clock::System);
            calls.iter().for_each(|(spent, age)| quota.restore(tenant(), *spent, *age));
            quota.spent(tenant())
        };
        let minute_less = HOUR - MINUTE;
        assert_eq!(taken_over(&[(5, minute_less)]), 5);
        assert_eq!(taken_over(&[(5, MINUTE), (7, MINUTE)]), 5, "what was counted here is known better");
        assert_eq!(taken_over(&[(0, MINUTE), (7, MINUTE)]), 7, "none is nothing that was counted");
        assert_eq!(taken_over(&[(5, HOUR), (7, MINUTE)]), 7, "calls of an hour ago are none");
        assert_eq!(taken_over(&[(5_000, MINUTE)]), 1_400, "no more than are allowed have to be waited for");
    }
}
