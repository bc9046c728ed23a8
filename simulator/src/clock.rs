//! Owns the world's clock: standing still under a test's hand, or running with a speed factor.

use std::time::{Duration, Instant};

use crate::ticks::Ticks;

/// The time of a simulated world, at 100 ns resolution.
///
/// Everything that depends on time reads this clock: token expiry, rate limits, stamps on alerts, ageing out, and
/// the `Date` header of both services.
#[derive(Clone, Debug)]
pub struct WorldClock {
    base: Ticks,
    since: Instant,
    speed: f64,
}

impl WorldClock {
    /// A clock that shows `start` now and moves `speed` world seconds per real second; 0 stands still.
    pub fn new(start: Ticks, speed: f64) -> Self {
        Self { base: start, since: Instant::now(), speed: speed.max(0.0) }
    }

    /// The world's time.
    pub fn now(&self) -> Ticks {
        if self.speed == 0.0 {
            return self.base;
        }
        self.base + scaled(self.since.elapsed(), self.speed)
    }

    /// Jumps to `now`, forwards or backwards, and goes on at the same speed.
    pub fn set_now(&mut self, now: Ticks) {
        self.base = now;
        self.since = Instant::now();
    }

    /// Moves forward by `by`.
    pub fn advance(&mut self, by: Duration) {
        let next = self.now() + by;
        self.set_now(next);
    }

    /// World seconds per real second; 0 when the clock stands still.
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// Changes the speed from now on.
    pub fn set_speed(&mut self, speed: f64) {
        let now = self.now();
        self.speed = speed.max(0.0);
        self.set_now(now);
    }
}

/// `real` multiplied by `speed`, saturating instead of overflowing.
fn scaled(real: Duration, speed: f64) -> Duration {
    Duration::try_from_secs_f64(real.as_secs_f64() * speed).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stands_still_until_told() {
        let start = Ticks::from_unix_seconds(1_700_000_000);
        let mut clock = WorldClock::new(start, 0.0);
        assert_eq!(clock.now(), start);
        clock.advance(Duration::from_nanos(100));
        assert_eq!(clock.now().unix_ticks(), start.unix_ticks() + 1);
    }

    #[test]
    fn runs_compressed() {
        let start = Ticks::from_unix_seconds(1_700_000_000);
        let mut clock = WorldClock::new(start, 1e9);
        while clock.now() < start + Duration::from_secs(60) {
            std::hint::spin_loop();
        }
        clock.set_speed(0.0);
        assert!(clock.now() >= start + Duration::from_secs(60));
        assert_eq!(clock.now(), clock.now());
    }
}
