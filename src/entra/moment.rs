//! Owns how long ago something was, on a machine whose clock may be set and which may sleep.

use std::time::Duration;

use tokio::time::Instant;

use crate::clock::Clock;
use crate::domain::Ticks;

/// A moment by both clocks of the machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    at: Ticks,
    up: Duration,
    instant: Instant,
}

impl Moment {
    pub fn now(clock: &Clock) -> Self {
        Self { at: clock.now(), up: clock.up(), instant: Instant::now() }
    }

    /// The wall clock's reading.
    pub const fn at(&self) -> Ticks {
        self.at
    }

    /// How long ago it was, by the clock that says more: the monotonic one stands still while the machine sleeps, and
    /// the wall clock may be set back. Too old costs a request, too young costs a refusal.
    pub fn elapsed(&self, clock: &Clock) -> Duration {
        self.surely_elapsed(clock).max(clock.now().since(self.at))
    }

    /// How long ago it was for certain, by clocks that nobody can set: a service that asked to wait for a minute is not
    /// called in the next second because somebody has set the clock.
    pub fn surely_elapsed(&self, clock: &Clock) -> Duration {
        self.instant.elapsed().max(clock.up().saturating_sub(self.up))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[tokio::test(start_paused = true)]
    async fn the_clock_that_says_more_counts() {
        let manual = ManualClock::at(Ticks::from_unix_seconds(1_000));
        let clock = Clock::Manual(manual.clone());
        let moment = Moment::now(&clock);
        tokio::time::advance(Duration::from_secs(5)).await;
        manual.set(Ticks::from_unix_seconds(0));
        assert_eq!(moment.elapsed(&clock), Duration::from_secs(5));
        manual.set(Ticks::from_unix_seconds(1_060));
        assert_eq!(moment.elapsed(&clock), Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_measured_by_clocks_that_nobody_sets() {
        let moment = Moment { at: Ticks::from_unix_seconds(0), ..Moment::now(&Clock::System) };
        assert!(moment.elapsed(&Clock::System) > Duration::from_secs(86_400), "the clock was set forward");
        assert!(moment.surely_elapsed(&Clock::System) < Duration::from_secs(3_600));
        tokio::time::advance(Duration::from_secs(3_600)).await;
        assert!(moment.surely_elapsed(&Clock::System) >= Duration::from_secs(3_600));
    }
}
