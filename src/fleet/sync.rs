//! Owns reading tenants until nothing is left unread, once, without a schedule.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Fleet, Plan, pass, tell_app_news};
use crate::defender::LONGEST_WAIT;
use crate::domain::{Failure, FailureClass, Tenant, TenantId, Ticks};
use crate::pass::Ended;
use crate::stop::Stop;
use crate::store::{Counts, PassRecord, StoreError};

/// So long a service that asks to wait is waited for in all, until something new was read; more ends the tenant's part.
const PATIENCE: Duration = Duration::from_secs(120);

/// How the reading of one tenant ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncEnd {
    /// Nothing is left unread.
    Read,
    /// It failed; the record says why.
    Failed,
    /// It was told to stop.
    Stopped,
}

/// What reading one tenant came to.
#[derive(Debug, Clone)]
pub struct Synced {
    /// The tenant.
    pub tenant: Arc<Tenant>,
    /// How it ended.
    pub end: SyncEnd,
    /// The last pass; none when it was stopped before the first ended.
    pub last: Option<PassRecord>,
    /// API requests of all passes.
    pub requests: u64,
    /// What became of the rows of all passes.
    pub counts: Counts,
    /// When a service that had asked an earlier run to wait may be asked again: too late for this one, which has asked
    /// it nothing.
    pub asked_until: Option<Ticks>,
}

impl Fleet {
    /// Reads the tenants (all of the plan, or those named) until each is read or fails; `progress` hears of every
    /// pass and of every tenant that is done.
    ///
    /// # Errors
    /// When the store can no longer be trusted.
    pub async fn sync(
        &self,
        only: &[TenantId],
        stop: &Stop,
        progress: impl Fn(&Synced, bool),
    ) -> Result<Vec<Synced>, StoreError> {
        let plan = self.plan();
        let places = Arc::new(Semaphore::new(plan.max_concurrent));
        let (tell, mut told) = tokio::sync::mpsc::channel::<Synced>(64);
        let mut tasks: JoinSet<Result<Synced, StoreError>> = JoinSet::new();
        let mut tenants: Vec<_> = plan.tenants.values().filter(|tenant| tenant.enabled).cloned().collect();
        tenants.retain(|tenant| only.is_empty() || only.contains(&tenant.id));
        tenants.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        for tenant in tenants {
            let (plan, places, stop, tell) = (Arc::clone(&plan), Arc::clone(&places), stop.clone(), tell.clone());
            tasks.spawn(async move {
                let _place = places.acquire_owned().await.map_err(|_| StoreError::Closed)?;
                read_all(&plan, tenant, &stop, &tell).await
            });
        }
        drop(tell);
        let mut all = Vec::new();
        loop {
            tokio::select! {
                Some(step) = told.recv() => progress(&step, false),
                Some(done) = tasks.join_next() => {
                    let synced = done.map_err(|_| StoreError::Closed)??;
                    progress(&synced, true);
                    all.push(synced);
                }
                else => break,
            }
        }
        all.sort_by(|a, b| (&a.tenant.name, a.tenant.id).cmp(&(&b.tenant.name, b.tenant.id)));
        Ok(all)
    }
}

/// Pass after pass, until nothing is left or one fails.
async fn read_all(
    plan: &Plan,
    tenant: Arc<Tenant>,
    stop: &Stop,
    tell: &tokio::sync::mpsc::Sender<Synced>,
) -> Result<Synced, StoreError> {
    let mut synced = Synced {
        tenant: Arc::clone(&tenant),
        end: SyncEnd::Stopped,
        last: None,
        requests: 0,
        counts: Counts::default(),
        asked_until: None,
    };
    let mut patience = PATIENCE;
    let now = plan.ctx.clock.now();
    if let Some(until) = plan.ctx.store.standing(tenant.id).await?.and_then(|standing| standing.asked_until)
        && let Some(rest) = rest_of_wait(until, now)
    {
        let Some(left) = patience.checked_sub(rest) else {
            (synced.end, synced.asked_until) = (SyncEnd::Failed, Some(until));
            return Ok(synced);
        };
        patience = left;
        if stop.sleep(rest).await.is_err() {
            return Ok(synced);
        }
    }
    loop {
        let Ended::Recorded(record) = pass(plan, &tenant, stop).await? else { return Ok(synced) };
        tell_app_news(plan).await;
        synced.requests += u64::from(record.requests);
        synced.counts += record.counts;
        synced.last = Some(PassRecord::clone(&record));
        if record.counts.created + record.counts.updated > 0 {
            patience = PATIENCE;
        }
        let wait = match &record.failure {
            Some(failure) => wait_after(failure, &mut patience),
            None if record.outcome == "read" => {
                synced.end = SyncEnd::Read;
                return Ok(synced);
            }
            None => Some(Duration::ZERO),
        };
        let Some(wait) = wait else {
            synced.end = SyncEnd::Failed;
            return Ok(synced);
        };
        // Nobody listening is no reason not to read on.
        drop(tell.try_send(synced.clone()));
        if stop.sleep(wait).await.is_err() {
            return Ok(synced);
        }
    }
}

/// How much is left of a wait that an earlier run was asked for. One that is longer than any was set before the clock was
/// set back.
fn rest_of_wait(until: Ticks, now: Ticks) -> Option<Duration> {
    Some(until.since(now)).filter(|rest| !rest.is_zero() && *rest <= LONGEST_WAIT + Duration::from_secs(1))
}

/// How long to wait before the next try, taken off the patience; `None` when there is none left, or waiting is no help.
fn wait_after(failure: &Failure, patience: &mut Duration) -> Option<Duration> {
    if failure.class != FailureClass::Throttled {
        return None;
    }
    // A service that asks for no wait at all must not be asked in circles.
    let wait = failure.retry_after.unwrap_or_default().max(Duration::from_secs(1));
    *patience = patience.checked_sub(wait)?;
    Some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_wait_is_what_can_be_left_of_it() {
        let at = |seconds: u64| Ticks::from_unix_seconds(1_000_000).plus(Duration::from_secs(seconds));
        assert_eq!(rest_of_wait(at(60), at(20)), Some(Duration::from_secs(40)));
        assert_eq!(rest_of_wait(at(60), at(60)), None);
        assert_eq!(rest_of_wait(at(60), at(100)), None);
        assert_eq!(rest_of_wait(at(6 * 3_600), at(0)), Some(LONGEST_WAIT));
        assert_eq!(rest_of_wait(at(7 * 3_600), at(0)), None, "nobody waits for a clock that was set back");
    }

    #[test]
    fn a_service_that_is_always_throttled_is_given_up() {
        for (asked, tries) in [(Some(60), 2), (Some(121), 0), (Some(0), 120), (None, 120)] {
            let failure = Failure::new(FailureClass::Throttled, "").with_retry_after(asked.map(Duration::from_secs));
            let mut patience = PATIENCE;
            let waits = std::iter::from_fn(|| wait_after(&failure, &mut patience));
            assert_eq!(waits.take(1_000).count(), tries, "{asked:?}");
        }
        assert_eq!(wait_after(&Failure::new(FailureClass::Transient, ""), &mut { PATIENCE }), None);
    }
}
