//! Owns a look at the store's own health, beside a daemon that may be writing it: nothing is changed or locked.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

use super::{StoreError, connection, lock, migrate};

/// How long the file is looked through. A large one is not looked through to its end: that takes minutes, and a reader
/// in the daemon's way.
const LONGEST_LOOK: Duration = Duration::from_secs(10);
/// Steps of SQLite's machine between two looks at the clock; a few milliseconds.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// How it stands with the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The version of its schema.
    pub schema: i64,
    /// Bytes of the database.
    pub bytes: u64,
    /// Bytes of its write-ahead log.
    pub log_bytes: u64,
    /// Who has the store open to write, as told in the lock file; `None` when nobody has, or nobody may know.
    pub holder: Option<String>,
    /// What a look through it found.
    pub wholeness: Wholeness,
}

/// What a look through the file found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wholeness {
    /// It is whole.
    Whole,
    /// So far it is whole; the time was not enough for all of it.
    Unfinished,
    /// It is damaged; the first thing that is wrong.
    Damaged(String),
}

/// Looks at the store at `path`.
///
/// # Errors
/// When the file cannot be read or is not ours.
pub fn look_over(path: &Path) -> Result<Health, StoreError> {
    let mut conn = connection::reader(path)?;
    let schema = migrate::recognise(&conn, path)?;
    let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    Ok(Health {
        schema,
        bytes: bytes(path),
        log_bytes: bytes(&lock::beside(path, "-wal")),
        holder: holder(path),
        wholeness: wholeness(&mut conn, LONGEST_LOOK)?,
    })
}

/// Bytes that this user can still write to the disk of `directory`; `None` where the system does not say.
#[must_use]
pub fn free_bytes(directory: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(directory).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

fn wholeness(conn: &mut Connection, time: Duration) -> Result<Wholeness, StoreError> {
    let begun = Instant::now();
    conn.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || begun.elapsed() >= time))?;
    let found = conn.query_row("-- health::wholeness\nPRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
    conn.progress_handler(0, None::<fn() -> bool>)?;
    match found {
        Ok(ok) if ok == "ok" => Ok(Wholeness::Whole),
        Ok(wrong) => Ok(Wholeness::Damaged(wrong)),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => Ok(Wholeness::Unfinished),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            Ok(Wholeness::Damaged(error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Who holds the claim. Trying to take it would keep out a daemon that starts at that moment; the system's list of locks
/// is only read.
fn holder(path: &Path) -> Option<String> {
    let lock = lock::beside(path, ".lock");
    let inode = std::fs::metadata(&lock).ok()?.ino();
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    if !is_held(&locks, inode) {
        return None;
    }
    let told = std::fs::read_to_string(&lock).unwrap_or_default();
    let told: String = told.trim().chars().take(200).collect();
    Some(if told.is_empty() { "another process".to_owned() } else { told })
}

/// Whether a line such as `7: FLOCK  ADVISORY  WRITE 714 fd:01:399 0 EOF` is about this file.
fn is_held(locks: &str, inode: u64) -> bool {
    let ending = format!(":{inode}");
    locks.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.get(1) == Some(&"FLOCK") && words.get(5).is_some_and(|file| file.ends_with(&ending))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::store::{Store, StoreLock};

    #[test]
    fn a_store_says_who_holds_it_and_that_it_is_whole() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("alerts.db");
        let claim = StoreLock::claim(&path).expect("free");
        let (store, thread) = Store::open(&path, Clock::System).expect("a store");
        let health = look_over(&path).expect("readable");
        assert_eq!(health.holder, Some(format!("process {}", std::process::id())));
        assert_eq!((health.wholeness, health.schema > 0), (Wholeness::Whole, true));
        drop((store, claim));
        thread.join().expect("ended");
        assert_eq!(look_over(&path).expect("readable").holder, None);
        assert!(free_bytes(dir.path()).is_some_and(|free| free > 0));
    }

    #[test]
    fn a_damaged_page_is_found_and_a_look_ends_in_time() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("any.db");
        let mut conn = Connection::open(&path).expect("a file");
        conn.execute_batch(
            "CREATE TABLE t (a TEXT); CREATE INDEX i ON t (a);
             WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 20000)
             INSERT INTO t SELECT hex(randomblob(20)) FROM n;",
        )
        .expect("rows");
        assert_eq!(wholeness(&mut conn, LONGEST_LOOK).expect("looked"), Wholeness::Whole);
        assert_eq!(wholeness(&mut conn, Duration::ZERO).expect("looked"), Wholeness::Unfinished);
        drop(conn);
        let mut bytes = std::fs::read(&path).expect("bytes");
        bytes[3 * 4096..3 * 4096 + 64].fill(0xff);
        std::fs::write(&path, bytes).expect("written");
        let mut conn = Connection::open(&path).expect("a file");
        assert!(matches!(wholeness(&mut conn, LONGEST_LOOK).expect("looked"), Wholeness::Damaged(_)));
    }

    #[test]
    fn a_lock_is_told_by_its_file() {
        let locks = "1: POSIX  ADVISORY  READ 9 fd:01:12 0 EOF\n2: FLOCK  ADVISORY  WRITE 714 fd:01:399 0 EOF\n";
        assert!(is_held(locks, 399) && !is_held(locks, 99) && !is_held(locks, 12));
    }
}
