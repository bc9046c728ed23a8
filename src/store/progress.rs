//! Owns telling, from outside of an opening that takes long, whether it gets on: a migration of a large store does for
//! minutes, and a disk that hangs looks the same but for this.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use rusqlite::Connection;

use super::{StoreError, lock};

/// Steps of SQLite's machine between two marks; a few milliseconds.
const STEPS: i32 = 10_000;

/// Marks that an opening of one store leaves, whoever looks.
#[derive(Debug, Clone)]
pub struct Progress {
    steps: Arc<AtomicU64>,
    /// Folding a long log back is one step that takes minutes; it shows only here.
    files: [PathBuf; 2],
}

/// What was marked at one moment; two that differ are progress.
#[derive(Debug, PartialEq, Eq)]
pub struct Marks {
    steps: u64,
    files: [Option<(u64, SystemTime)>; 2],
}

impl Progress {
    /// For the store at `path`, which nobody opens yet.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        Self { steps: Arc::default(), files: [path.to_owned(), lock::beside(path, "-wal")] }
    }

    /// What is marked now. The files are looked at and not opened: closing one would end the locks of this process.
    #[must_use]
    pub fn marks(&self) -> Marks {
        let of_file = |path: &PathBuf| std::fs::metadata(path).and_then(|file| Ok((file.len(), file.modified()?))).ok();
        Marks { steps: self.steps.load(Ordering::Relaxed), files: self.files.each_ref().map(of_file) }
    }

    /// Marks each stretch of work on this connection, until [`Progress::end`].
    pub(super) fn begin(&self, conn: &mut Connection) -> Result<(), StoreError> {
        let steps = Arc::clone(&self.steps);
        let mark = move || {
            steps.fetch_add(1, Ordering::Relaxed);
            false
        };
        Ok(conn.progress_handler(STEPS, Some(mark))?)
    }

    /// Marks no more.
    pub(super) fn end(conn: &mut Connection) -> Result<(), StoreError> {
        Ok(conn.progress_handler(0, None::<fn() -> bool>)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_and_writing_leave_marks_and_idling_leaves_none() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("any.db");
        let mut conn = Connection::open(&path).expect("a file");
        let progress = Progress::of(&path);
        progress.begin(&mut conn).expect("a handler");
        let count = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 20000)
                     SELECT max(x) FROM n";
        let work = |conn: &Connection| conn.query_row(count, [], |row| row.get::<_, i64>(0)).expect("counted");
        let begun = progress.marks();
        assert_eq!(progress.marks(), begun);
        assert_eq!(work(&conn), 20_000);
        let worked = progress.marks();
        assert_eq!((worked.steps > begun.steps, &worked.files), (true, &begun.files));
        Progress::end(&mut conn).expect("no handler");
        assert_eq!(work(&conn), 20_000);
        assert_eq!(progress.marks(), worked);
        conn.execute_batch("CREATE TABLE t (a)").expect("written");
        let written = progress.marks();
        assert_eq!((written.steps, written.files == worked.files), (worked.steps, false));
    }
}
