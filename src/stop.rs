//! Owns the stop signal and every wait that must end with it.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// The stop signal. Clones hear the same signal.
#[derive(Debug, Clone, Default)]
pub struct Stop(CancellationToken);

/// The wait ended because everything is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopping")]
pub struct Stopped;

impl Stop {
    /// A signal nobody has given yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the signal.
    pub fn stop(&self) {
        self.0.cancel();
    }

    /// Whether the signal was given.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits for the signal.
    pub async fn stopped(&self) {
        self.0.cancelled().await;
    }

    /// Runs `work` until it ends or the signal comes.
    ///
    /// # Errors
    /// [`Stopped`] when the signal came first; `work` is dropped at its current await point.
    pub async fn or<T>(&self, work: impl Future<Output = T>) -> Result<T, Stopped> {
        tokio::select! {
            biased;
            () = self.0.cancelled() => Err(Stopped),
            done = work => Ok(done),
        }
    }

    /// Waits for `duration`.
    ///
    /// # Errors
    /// [`Stopped`] when the signal came first.
    pub async fn sleep(&self, duration: Duration) -> Result<(), Stopped> {
        self.or(tokio::time::sleep(duration)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_signal_ends_a_wait() {
        let stop = Stop::new();
        assert_eq!(stop.sleep(Duration::from_secs(1)).await, Ok(()));
        stop.clone().stop();
        assert_eq!(stop.sleep(Duration::from_secs(3600)).await, Err(Stopped));
        assert_eq!(stop.or(async { 1 }).await, Err(Stopped));
    }
}
