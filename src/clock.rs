//! Owns the only look at the wall clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use crate::domain::Ticks;

/// Tells the time of this machine.
///
/// Windows are never computed from it (the service's own `Date` decides those); it only says when to try again.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that stands still until it is set: for tests and simulations.
    Manual(ManualClock),
}

/// The handle of a clock that is set by hand.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl Clock {
    /// The time now.
    #[must_use]
    pub fn now(&self) -> Ticks {
        match self {
            Self::System => system_now(),
            Self::Manual(manual) => Ticks::from_ticks(manual.0.load(Ordering::SeqCst)),
        }
    }

    /// How long the machine has been up, its sleep included. Nobody can set it, so a wait that somebody asked for is
    /// measured by it; it says nothing to the next boot. A clock that is set by hand is the only one there is.
    #[must_use]
    pub fn up(&self) -> Duration {
        match self {
            Self::System => clock_gettime(ClockId::Boottime).try_into().unwrap_or_default(),
            Self::Manual(_) => self.now().since(Ticks::from_ticks(0)),
        }
    }
}

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn at(start: Ticks) -> Self {
        Self(Arc::new(AtomicI64::new(start.as_ticks())))
    }

    /// Sets the time.
    pub fn set(&self, now: Ticks) {
        self.0.store(now.as_ticks(), Ordering::SeqCst);
    }

    /// Moves the time on.
    pub fn advance(&self, by: Duration) {
        self.set(Ticks::from_ticks(self.0.load(Ordering::SeqCst)).plus(by));
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one door to the wall clock")]
fn system_now() -> Ticks {
    let epoch = Ticks::from_ticks(0);
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => epoch.plus(after),
        Err(before) => epoch.minus(before.duration()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_stands_until_set() {
        let manual = ManualClock::at(Ticks::from_unix_seconds(100));
        let clock = Clock::Manual(manual.clone());
        assert_eq!(clock.now(), Ticks::from_unix_seconds(100));
        manual.advance(Duration::from_secs(5));
        assert_eq!(clock.now(), Ticks::from_unix_seconds(105));
    }

    #[test]
    fn the_machine_is_up_for_longer_and_longer() {
        let before = Clock::System.up();
        assert!(before > Duration::ZERO && Clock::System.up() >= before);
        let manual = ManualClock::at(Ticks::from_unix_seconds(100));
        manual.advance(Duration::from_secs(5));
        assert_eq!(Clock::Manual(manual).up(), Duration::from_secs(105));
    }

    #[test]
    fn the_system_clock_is_past_2024() {
        assert!(Clock::System.now() > Ticks::from_unix_seconds(1_704_067_200));
    }
}
