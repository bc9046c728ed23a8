//! Owns opening the store, and what systemd is told meanwhile: as long as a migration gets on, the time limit of the start
//! moves on with it. One that hangs is ended by that limit.

use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};

use super::DaemonError;
use crate::clock::Clock;
use crate::notify;
use crate::store::{Marks, Progress, Store, WriterThread};

/// How often it is looked whether the opening gets on.
const GLANCE: Duration = Duration::from_secs(2);
/// So long it may go without a sign of progress, such as while a large copy is flushed: the `TimeoutStartSec=` of the unit,
/// which counts from the start, is made to count from the last progress.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// No more time is asked for after this: the largest store on the slowest disk is long done.
const LONGEST: Duration = Duration::from_secs(6 * 60 * 60);

/// Opens the store at `path`, whose lock is held.
///
/// # Errors
/// When it cannot be used.
pub(super) async fn open(path: &Path, clock: &Clock) -> Result<(Store, WriterThread), DaemonError> {
    let progress = Progress::of(path);
    let mut watch = Watch { begun: Instant::now(), last: progress.marks() };
    // It takes its time, in which others are answered that the daemon is starting.
    let mut opening = tokio::task::spawn_blocking({
        let (path, clock, progress) = (path.to_owned(), clock.clone(), progress.clone());
        move || Store::open_marking(&path, clock, &progress)
    });
    let mut glances = tokio::time::interval(GLANCE);
    glances.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            opened = &mut opening => {
                return Ok(opened.map_err(|error| DaemonError::Defect(error.to_string()))??);
            }
            _ = glances.tick() => {
                if watch.earns_time(progress.marks()) {
                    notify::more_time(PATIENCE);
                }
            }
        }
    }
}

/// An opening as it was last seen.
struct Watch {
    begun: Instant,
    last: Marks,
}

impl Watch {
    /// Whether it got on since it was last seen, and is not beyond all measure.
    fn earns_time(&mut self, marks: Marks) -> bool {
        let gets_on = marks != self.last;
        self.last = marks;
        gets_on && self.begun.elapsed() < LONGEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_is_earned_by_progress_and_not_for_ever() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("alerts.db");
        let progress = Progress::of(&path);
        let mut watch = Watch { begun: Instant::now(), last: progress.marks() };
        let write = |bytes: usize| std::fs::write(&path, vec![0; bytes]).expect("written");
        assert!(!watch.earns_time(progress.marks()), "nothing was done");
        write(1);
        assert!(watch.earns_time(progress.marks()));
        assert!(!watch.earns_time(progress.marks()), "nothing was done since");
        tokio::time::advance(LONGEST - GLANCE).await;
        write(2);
        assert!(watch.earns_time(progress.marks()));
        tokio::time::advance(GLANCE).await;
        write(3);
        assert!(!watch.earns_time(progress.marks()), "it is beyond all measure");
    }
}
