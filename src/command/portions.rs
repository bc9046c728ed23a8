//! Owns work on the store in small portions, with a pause after each in which a daemon gets its turn.

use std::io;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};

use super::output::runtime;
use super::{Exit, Problem};

/// A daemon that waits for the lock looks for it at least this often.
const LEAST_PAUSE: Duration = Duration::from_millis(10);
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// What a portion came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Portion {
    /// Something was written, and there may be more.
    Written,
    /// Nothing had to be written, and there may be more.
    Passed,
    /// Nothing is left.
    Last,
}

/// Does portion after portion until the last; false when it was interrupted before.
///
/// After a portion that was written, the store is left alone for as long as the portion took.
pub(super) fn each_portion(mut portion: impl FnMut() -> Result<Portion, Problem>) -> Result<bool, Problem> {
    let deaf = |error: io::Error| Problem::new(Exit::Internal, format!("cannot listen for signals: {error}"));
    runtime()?.block_on(async {
        let mut interrupted = signal(SignalKind::interrupt()).map_err(deaf)?;
        let mut terminated = signal(SignalKind::terminate()).map_err(deaf)?;
        loop {
            let begun = Instant::now();
            let pause = match portion()? {
                Portion::Last => return Ok(true),
                Portion::Passed => Duration::ZERO,
                Portion::Written => begun.elapsed().clamp(LEAST_PAUSE, LONGEST_PAUSE),
            };
            tokio::select! {
                biased;
                _ = interrupted.recv() => return Ok(false),
                _ = terminated.recv() => return Ok(false),
                () = tokio::time::sleep(pause) => {}
            }
        }
    })
}
