//! Owns the call limits of the alerts API, counted per app and tenant on the world's clock.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::ticks::{TICKS_PER_SECOND, Ticks};

/// How many calls one app may make in one tenant.
///
/// 100 a minute and 1,500 an hour are documented for the alerts API; that they count per app *and* tenant was said
/// by the documentation's author.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Calls in any 60 s.
    pub per_minute: usize,
    /// Calls in any 3,600 s.
    pub per_hour: usize,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { per_minute: 100, per_hour: 1_500 }
    }
}

#[derive(Debug, Default)]
struct Calls {
    minute: VecDeque<Ticks>,
    hour: VecDeque<Ticks>,
}

/// Counts calls. A refused call counts, too: a caller that ignores the answer stays refused.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    calls: HashMap<(String, String), Calls>,
}

impl Limiter {
    /// Counts one call; gives the seconds to wait when it is one too many.
    pub(crate) fn call(&mut self, limits: RateLimits, tenant: &str, app: &str, now: Ticks) -> Option<u64> {
        let calls = self.calls.entry((tenant.to_owned(), app.to_owned())).or_default();
        let minute = count(&mut calls.minute, limits.per_minute, Duration::from_secs(60), now);
        let hour = count(&mut calls.hour, limits.per_hour, Duration::from_secs(3_600), now);
        minute.max(hour)
    }

    /// Forgets all calls.
    pub(crate) fn clear(&mut self) {
        self.calls.clear();
    }
}

fn count(calls: &mut VecDeque<Ticks>, limit: usize, window: Duration, now: Ticks) -> Option<u64> {
    // A clock that was set back must not leave calls of the future in the window.
    calls.retain(|at| *at > now - window && *at <= now);
    let refused = calls.len() >= limit;
    if refused {
        calls.pop_front();
    }
    calls.push_back(now);
    let oldest = calls.front().copied().unwrap_or(now);
    refused.then(|| {
        let wait = (oldest + window).unix_ticks() - now.unix_ticks();
        u64::try_from((wait + TICKS_PER_SECOND - 1) / TICKS_PER_SECOND).unwrap_or(0).max(1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_the_call_over_the_limit_and_says_when_it_may_come_again() {
        let mut limiter = Limiter::default();
        let limits = RateLimits { per_minute: 3, per_hour: 5 };
        let start = Ticks::from_unix_seconds(1_000_000);
        for second in 0..3 {
            assert_eq!(limiter.call(limits, "t", "a", start + Duration::from_secs(second)), None);
        }
        let wait = limiter.call(limits, "t", "a", start + Duration::from_secs(3)).expect("the fourth in a minute");
        assert_eq!(wait, 58);
        assert_eq!(limiter.call(limits, "t", "b", start + Duration::from_secs(3)), None, "another app");
        assert_eq!(limiter.call(limits, "u", "a", start + Duration::from_secs(3)), None, "another tenant");
        assert_eq!(limiter.call(limits, "t", "a", start + Duration::from_secs(3 + wait)), None);
        let hour = limiter.call(limits, "t", "a", start + Duration::from_secs(200)).expect("the sixth in an hour");
        assert!(hour > 3_000, "{hour}");
    }
}
