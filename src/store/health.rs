//! Owns looking whether the store is whole: before it is written, and beside a daemon that may be writing it. Nothing is
//! changed or locked.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

use super::{StoreError, connection, lock, migrate};
use crate::domain::digest;

/// How long the file is looked through. A large one is not looked through to its end: that takes minutes, and a reader
/// in the daemon's way.
const LONGEST_LOOK: Duration = Duration::from_secs(10);
/// How long a store is looked through before it is written: a daemon is back within two seconds, also after a crash.
/// This is enough for half a gigabyte on a slow machine; `check` looks on for longer.
const FIRST_LOOK: Duration = Duration::from_secs(1);
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
    let begun = Instant::now();
    let mut found = wholeness(&mut conn, LONGEST_LOOK)?;
    if found == Wholeness::Whole {
        found = texts(&conn, begun + LONGEST_LOOK)?;
    }
    Ok(Health {
        schema,
        bytes: bytes(path),
        log_bytes: bytes(&lock::beside(path, "-wal")),
        holder: holder(path),
        wholeness: found,
    })
}

/// Asserts that the store is whole as far as can be seen within a second, so that nothing is written on top of damage.
pub(super) fn assert_whole(conn: &mut Connection) -> Result<(), StoreError> {
    match wholeness(conn, FIRST_LOOK)? {
        Wholeness::Whole | Wholeness::Unfinished => Ok(()),
        Wholeness::Damaged(wrong) => Err(StoreError::Corrupt(wrong)),
    }
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
    let found = conn.query_row("-- health::wholeness\nPRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
    conn.progress_handler(0, None::<fn() -> bool>)?;
    match found {
        Ok(ok) if ok == "ok" => Ok(Wholeness::Whole),
        Ok(wrong) if is_unread(&wrong) => Err(StoreError::Io(wrong)),
        Ok(wrong) => Ok(Wholeness::Damaged(wrong)),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => Ok(Wholeness::Unfinished),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            Ok(Wholeness::Damaged(error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether a finding only says that the disk gave a page not out: whether that is damaged is not known.
fn is_unread(wrong: &str) -> bool {
    let code = wrong.split_once("error code=").map(|(_, after)| after.split(|c: char| !c.is_ascii_digit()).next());
    let code = code.flatten().and_then(|digits| digits.parse::<i32>().ok());
    // The lowest byte of what SQLite says is the kind of an error.
    code.is_some_and(|code| code & 0xff == rusqlite::ffi::SQLITE_IOERR)
}

/// Holds the texts of alerts against their digests: the structure of a file says nothing of letters within a text. A
/// text that was read without its evidence, and got that put back, is not the one that was received.
fn texts(conn: &Connection, until: Instant) -> Result<Wholeness, StoreError> {
    let mut statement = conn.prepare(
        "-- health::texts\n\
         SELECT raw, digest, alert_id, tenant_id FROM alert JOIN tenant USING (tenant_key) WHERE thin = 0",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if Instant::now() >= until {
            return Ok(Wholeness::Unfinished);
        }
        let column = |at| row.get_ref(at).map(|value| value.as_bytes().unwrap_or_default());
        if digest(column(0)?).to_be_bytes() != *column(1)? {
            let [alert, tenant] = [column(2)?, column(3)?].map(String::from_utf8_lossy);
            return Ok(Wholeness::Damaged(format!(
                "the text of alert {alert} of tenant {tenant} is not what was received"
            )));
        }
    }
    Ok(Wholeness::Whole)
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
    Some(std::fs::File::open(&lock).and_then(lock::holder).unwrap_or_else(|_| lock::SOMEBODY.to_owned()))
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
    fn a_page_that_cannot_be_read_is_no_damage() {
        assert!(is_unread("Tree 7 page 59: unable to get the page. error code=8458"));
        assert!(!is_unread("Tree 7 page 59: unable to get the page. error code=11"));
        assert!(!is_unread("Tree 7 page 59 cell 3: Rowid 10 out of order"));
    }

    #[test]
    fn a_lock_is_told_by_its_file() {
        let locks = "1: POSIX  ADVISORY  READ 9 fd:01:12 0 EOF\n2: FLOCK  ADVISORY  WRITE 714 fd:01:399 0 EOF\n";
        assert!(is_held(locks, 399) && !is_held(locks, 99) && !is_held(locks, 12));
    }
}
