//! Owns whether the daemon is alive: one answer for the watchdog and for whoever asks.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::Ticks;

/// A fleet that dealt with no tick for so long is stuck; ticks come once a second.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether ticks come, the fleet deals with them, and the store's writer goes from transaction to transaction. Whether
/// tenants can be read has no say in it: a service that is down is no reason to restart. Neither has whether
/// transactions succeed: a full disk, or a lock of another program, is the same after a restart.
#[derive(Debug, Default)]
pub struct Pulse(Mutex<Option<Felt>>);

#[derive(Debug)]
struct Felt {
    ticks: u64,
    at: Instant,
    last: Option<Ticks>,
    stuck: bool,
}

impl Pulse {
    fn felt(&self) -> std::sync::MutexGuard<'_, Option<Felt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store is open, and ticks are to come. Before, nothing is expected of the daemon: a large store may take its
    /// time to be migrated, and systemd has a limit of its own for that.
    pub fn begin(&self) {
        *self.felt() = Some(Felt { ticks: 0, at: Instant::now(), last: None, stuck: false });
    }

    /// Takes note of how many ticks the fleet has dealt with by now, and of whether the store's writer is stuck.
    pub fn feel(&self, ticks: u64, stuck: bool, now: Ticks) {
        if let Some(felt) = &mut *self.felt() {
            felt.stuck = stuck;
            if ticks > felt.ticks {
                (felt.ticks, felt.at, felt.last) = (ticks, Instant::now(), Some(now));
            }
        }
    }

    /// Why the daemon is not alive; none when it is.
    #[must_use]
    pub fn trouble(&self) -> Option<&'static str> {
        let felt = self.felt();
        let felt = felt.as_ref()?;
        if felt.at.elapsed() >= PATIENCE {
            Some("no tick was dealt with for too long")
        } else if felt.stuck {
            Some("the store's writer is stuck in a transaction")
        } else {
            None
        }
    }

    /// Local clock: when the fleet last dealt with a tick; none before the first.
    #[must_use]
    pub fn last(&self) -> Option<Ticks> {
        self.felt().as_ref().and_then(|felt| felt.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun() -> Pulse {
        let pulse = Pulse::default();
        pulse.begin();
        pulse
    }

    #[tokio::test(start_paused = true)]
    async fn only_progress_keeps_it_alive() {
        let pulse = begun();
        assert_eq!((pulse.trouble(), pulse.last()), (None, None));
        tokio::time::advance(PATIENCE).await;
        assert!(pulse.trouble().is_some(), "it never began");
        pulse.feel(1, false, Ticks::from_unix_seconds(100));
        assert_eq!(pulse.trouble(), None);
        tokio::time::advance(PATIENCE / 2).await;
        pulse.feel(1, false, Ticks::from_unix_seconds(110));
        tokio::time::advance(PATIENCE / 2).await;
        assert!(pulse.trouble().is_some(), "ticks that nobody deals with are none");
        assert_eq!(pulse.last(), Some(Ticks::from_unix_seconds(100)));
        pulse.feel(2, false, Ticks::from_unix_seconds(90));
        assert_eq!(pulse.trouble(), None, "a clock that was set back changes nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_expected_before_the_store_is_open() {
        let pulse = Pulse::default();
        tokio::time::advance(PATIENCE * 100).await;
        pulse.feel(1, true, Ticks::from_unix_seconds(100));
        assert_eq!((pulse.trouble(), pulse.last()), (None, None));
        pulse.begin();
        assert_eq!(pulse.trouble(), None);
        tokio::time::advance(PATIENCE).await;
        assert!(pulse.trouble().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_writer_that_comes_to_no_end_is_seen_and_one_that_does_is_forgiven() {
        let pulse = begun();
        pulse.feel(1, false, Ticks::from_unix_seconds(1));
        assert_eq!(pulse.trouble(), None);
        pulse.feel(2, true, Ticks::from_unix_seconds(2));
        assert!(pulse.trouble().is_some_and(|why| why.contains("writer")), "ticks alone are not all");
        pulse.feel(2, false, Ticks::from_unix_seconds(3));
        assert_eq!(pulse.trouble(), None);
    }
}
