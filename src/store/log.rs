//! Owns that the write-ahead log stays short while others read.
//!
//! SQLite folds the log back after a commit without waiting for anybody, and begins it anew only when nobody reads from
//! it. Readers whose queries overlap leave no such moment, and the log would grow for as long as they come. So a log
//! that has become long is waited for: no commit comes in between, so each query that begins now reads the newest
//! state and is in nobody's way, and the wait ends with the queries that were running when it began.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::{StoreError, connection, lock};

/// How long the first try waits for those who read.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// SQLite is asked anew so often meanwhile. It waits for places that readers of older states hold, and does not see when
/// a place is free for a moment and then held by readers of the newest state, who are in nobody's way: while their queries
/// overlap, it would wait for them, too.
const ASKED_EVERY: Duration = Duration::from_millis(250);
/// How long a try waits at most; the longest query that can be outwaited.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// After a try in vain comes a pause of so many times its length: somebody who reads for hours takes a tenth of the
/// writer's time at most.
const PAUSES: u32 = 9;

/// The log of a store, as its writer sees it.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    wait: Duration,
    not_before: Option<Instant>,
}

impl Log {
    /// The log beside the store at `path`.
    pub(super) fn of(path: &Path) -> Self {
        Self { path: lock::beside(path, "-wal"), wait: FIRST_WAIT, not_before: None }
    }

    /// Begins the log anew if it is too long, and if those who read let it; to be called between transactions.
    ///
    /// # Errors
    /// When the disk fails. A file that cannot be written while its log can would otherwise be noticed by nobody, and the
    /// log would grow. Any other trouble, as a full disk, is told by the next transaction.
    pub(super) fn keep_short(&mut self, conn: &Connection) -> Result<(), StoreError> {
        if !self.is_long() || self.not_before.is_some_and(|time| Instant::now() < time) {
            return Ok(());
        }
        let done = match begin_anew(conn, self.wait) {
            Err(error) if error.is_fatal() => return Err(error),
            done => done.unwrap_or(false),
        };
        self.not_before = (!done).then(|| Instant::now() + self.wait * PAUSES);
        self.wait = if done { FIRST_WAIT } else { LONGEST_WAIT.min(self.wait * 2) };
        Ok(())
    }

    /// A log that was begun anew is cut to this length, so a longer one was not.
    fn is_long(&self) -> bool {
        let length = std::fs::metadata(&self.path).map_or(0, |file| file.len());
        length > connection::JOURNAL_BYTES.unsigned_abs()
    }
}

/// Folds the whole log back and empties it; false when somebody read from it for longer than `wait`.
fn begin_anew(conn: &Connection, wait: Duration) -> Result<bool, StoreError> {
    conn.busy_timeout(ASKED_EVERY)?;
    let begun = Instant::now();
    let busy = loop {
        let busy = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
        if !matches!(busy, Ok(true)) || begun.elapsed() >= wait {
            break busy;
        }
    };
    conn.busy_timeout(connection::BUSY_TIMEOUT)?;
    Ok(!busy?)
}
