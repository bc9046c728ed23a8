//! Owns whether the daemon is alive: one answer for the watchdog and for whoever asks.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::Ticks;

/// A fleet that dealt with no tick for so long is stuck; ticks come once a second.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether ticks come and the fleet deals with them. Whether tenants can be read has no say in it: a service that is
/// down is no reason to restart.
#[derive(Debug)]
pub struct Pulse(Mutex<Felt>);

#[derive(Debug)]
struct Felt {
    ticks: u64,
    at: Instant,
    last: Option<Ticks>,
}

impl Default for Pulse {
    fn default() -> Self {
        Self(Mutex::new(Felt { ticks: 0, at: Instant::now(), last: None }))
    }
}

impl Pulse {
    /// Takes note of how many ticks the fleet has dealt with by now.
    pub fn feel(&self, ticks: u64, now: Ticks) {
        let mut felt = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ticks > felt.ticks {
            *felt = Felt { ticks, at: Instant::now(), last: Some(now) };
        }
    }

    /// Whether the fleet still makes progress. A process that has just started is given the same time.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).at.elapsed() < PATIENCE
    }

    /// Local clock: when the fleet last dealt with a tick; none before the first.
    #[must_use]
    pub fn last(&self) -> Option<Ticks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_progress_keeps_it_alive() {
        let pulse = Pulse::default();
        assert!(pulse.is_alive());
        assert_eq!(pulse.last(), None);
        tokio::time::advance(PATIENCE).await;
        assert!(!pulse.is_alive(), "it never began");
        pulse.feel(1, Ticks::from_unix_seconds(100));
        assert!(pulse.is_alive());
        tokio::time::advance(PATIENCE / 2).await;
        pulse.feel(1, Ticks::from_unix_seconds(110));
        tokio::time::advance(PATIENCE / 2).await;
        assert!(!pulse.is_alive(), "ticks that nobody deals with are none");
        assert_eq!(pulse.last(), Some(Ticks::from_unix_seconds(100)));
        pulse.feel(2, Ticks::from_unix_seconds(90));
        assert!(pulse.is_alive(), "a clock that was set back changes nothing");
    }
}
