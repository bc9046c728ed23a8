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
pub struct ManualClock(Arc<Hands>);

/// In ticks.
#[derive(Debug)]
struct Hands {
    wall: AtomicI64,
    up: AtomicI64,
}

impl Clock {
    /// The time now.
    #[must_use]
    pub fn now(&self) -> Ticks {
        match self {
            Self::System => system_now(),
            Self::Manual(manual) => Ticks::from_ticks(manual.0.wall.load(Ordering::SeqCst)),
        }
    }

    /// How long the machine has been up, its sleep included. Nobody can set it, so a wait that somebody asked for is
    /// measured by it; it says nothing to the next boot.
    #[must_use]
    pub fn up(&self) -> Duration {
        match self {
            Self::System => clock_gettime(ClockId::Boottime).try_into().unwrap_or_default(),
            Self::Manual(manual) => {
                let up = Ticks::from_ticks(manual.0.up.load(Ordering::SeqCst));
                up.since(Ticks::from_ticks(0))
            }
        }
    }
}

impl ManualClock {
    /// A clock that shows `start`, of a machine that has just been started.
    #[must_use]
    pub fn at(start: Ticks) -> Self {
        Self(Arc::new(Hands { wall: AtomicI64::new(start.as_ticks()), up: AtomicI64::new(0) }))
    }

    /// Sets the time, which takes none.
    pub fn set(&self, now: Ticks) {
        self.0.wall.store(now.as_ticks(), Ordering::SeqCst);
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        for hand in [&self.0.wall, &self.0.up] {
            let moved = Ticks::from_ticks(hand.load(Ordering::SeqCst)).plus(by);
            hand.store(moved.as_ticks(), Ordering::SeqCst);
        }
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
        manual.set(Ticks::from_unix_seconds(3));
        manual.advance(Duration::from_secs(2));
        let clock = Clock::Manual(manual);
        assert_eq!((clock.now(), clock.up()), (Ticks::from_unix_seconds(5), Duration::from_secs(7)));
    }

    #[test]
    fn the_system_clock_is_past_2024() {
        assert!(Clock::System.now() > Ticks::from_unix_seconds(1_704_067_200));
    }
}
