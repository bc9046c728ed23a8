//! Owns what happens while the store cannot be written: nobody is read in vain, and it is said once.

use std::time::Duration;

use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::event::Event;
use crate::store::StoreError;

/// How long no pass is started after the store failed: reading what cannot be written would only spend the quota.
const PAUSE: Backoff = Backoff { first: Duration::from_secs(2), most: Duration::from_secs(60) };

/// Whether the store ails, and until when it is left alone.
#[derive(Debug, Default)]
pub(super) struct Ailing {
    failures: u32,
    until: Option<Instant>,
}

impl Ailing {
    /// Whether passes must wait now.
    pub(super) fn pauses(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
    }

    /// The store failed. Passes that failed together count once.
    ///
    /// # Errors
    /// The error itself, when the store can no longer be trusted.
    pub(super) fn failed(&mut self, error: StoreError) -> Result<(), StoreError> {
        if error.is_fatal() {
            return Err(error);
        }
        if self.pauses() {
            return Ok(());
        }
        self.failures = self.failures.saturating_add(1);
        self.until = Some(Instant::now() + PAUSE.delay(self.failures));
        if self.failures == 1 {
            let failure = error.failure();
            Event::StoreFailed { reason: &failure.reason, class: failure.class }.emit();
        }
        Ok(())
    }

    /// A pass was recorded.
    pub(super) fn worked(&mut self) {
        if self.failures > 0 {
            Event::StoreRecovered {}.emit();
        }
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_full_disk_pauses_passes_longer_and_longer() {
        let mut ailing = Ailing::default();
        assert!(!ailing.pauses());
        for seconds in [2, 4, 8, 16, 32, 60, 60] {
            for _ in 0..5 {
                ailing.failed(StoreError::DiskFull).expect("may pass");
            }
            tokio::time::advance(Duration::from_secs(seconds) - Duration::from_millis(1)).await;
            assert!(ailing.pauses(), "{seconds} s");
            tokio::time::advance(Duration::from_millis(1)).await;
            assert!(!ailing.pauses(), "{seconds} s");
        }
        ailing.failed(StoreError::DiskFull).expect("may pass");
        ailing.worked();
        assert!(!ailing.pauses());
    }

    #[test]
    fn a_failed_disk_is_not_waited_for() {
        assert!(Ailing::default().failed(StoreError::Io("EIO".to_owned())).is_err());
    }
}
