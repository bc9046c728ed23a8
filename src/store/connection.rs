//! Owns how a connection to the database file is set up.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, FileControl, OpenFlags};

use super::lock::beside;
use super::{StoreError, owner};

/// How long a connection waits for another process that holds a lock (a backup tool, a checkpointing reader).
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The write-ahead log is cut back to this size after a checkpoint, so that one large burst does not stay for ever.
pub(super) const JOURNAL_BYTES: i64 = 64 * 1024 * 1024;
/// Larger pages than usual: an alert's text spans fewer of them (measured a quarter faster at ingest than 4 KiB).
const PAGE_BYTES: i64 = 16 * 1024;
/// Page cache of the writer, in KiB. Four times as much made ingest no faster, and more than doubled the memory of a
/// whole read.
const WRITER_CACHE_KIB: i64 = 4 * 1024;
/// Page cache of each reader, in KiB.
const READER_CACHE_KIB: i64 = 1024;
/// A new database may be read by its group and by nobody else; the umask may narrow that further.
pub(super) const MODE: u32 = 0o640;
/// Compiled statements each connection keeps.
const STATEMENTS: usize = 64;

/// Opens the one connection that writes; creates the file if there is none.
pub(super) fn writer(path: &Path) -> Result<Connection, StoreError> {
    // Alerts are not for everybody on the machine. The log and its index get the mode of the file.
    let created = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path);
    match created.and_then(|file| owner::give(&file, path)) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(StoreError::of_file(path, &error)),
        Ok(()) | Err(_) => {}
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|e| unopened(path, &e))?;
    prepare(&conn, WRITER_CACHE_KIB).map_err(|e| unprepared(path, e))?;
    writable(conn, path)
}

/// Opens a second connection that writes, to a file that is there.
pub(super) fn second_writer(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|e| unopened(path, &e))?;
    prepare(&conn, WRITER_CACHE_KIB).map_err(|e| unprepared(path, e))?;
    writable(conn, path)
}

/// A file that may only be read is opened all the same, and would refuse the first write.
fn writable(conn: Connection, path: &Path) -> Result<Connection, StoreError> {
    if conn.is_readonly(rusqlite::MAIN_DB)? {
        if rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok() {
            return Err(StoreError::Io(format!("{} could only be opened to read", path.display())));
        }
        let detail = "it may only be read by this user".to_owned();
        return Err(StoreError::Unopened { path: path.to_owned(), detail, permission: true });
    }
    Ok(conn)
}

/// Makes the file a write-ahead-log database that loses no committed transaction at a power cut.
pub(super) fn make_durable(conn: &Connection) -> Result<(), StoreError> {
    // Where the log cannot be begun, this is no error, and the mode stays what it was.
    let mode: String = conn.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Io(format!("the write-ahead log cannot be used; the journal's mode stays {mode}")));
    }
    conn.pragma_update(None, "synchronous", "full")?;
    conn.pragma_update(None, "journal_size_limit", JOURNAL_BYTES)?;
    // The log and its index stay after the last connection closes: a group member who may only read could not create
    // them, and so could not open the database while no daemon runs.
    let mut keep = 1;
    conn.file_control(None::<&str>, FileControl::PersistWal(&mut keep))?;
    Ok(())
}

/// Opens a connection that can only read.
pub(super) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|e| unopened(path, &e))?;
    prepare(&conn, READER_CACHE_KIB).map_err(|e| unlogged(path, &e).unwrap_or_else(|| unprepared(path, e)))?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

fn prepare(conn: &Connection, cache_kib: i64) -> rusqlite::Result<()> {
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.pragma_update(None, "mmap_size", 0)?;
    // A file that is there keeps its size. It comes before the cache's, which SQLite counts in pages of the size it knows.
    conn.pragma_update(None, "page_size", PAGE_BYTES)?;
    conn.pragma_update(None, "cache_size", -cache_kib)?;
    Ok(())
}

/// The first statement that looks into the file finds out whether it is a database at all.
fn unprepared(path: &Path, error: rusqlite::Error) -> StoreError {
    if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
        return StoreError::Foreign { path: path.to_owned(), detail: "no SQLite database".to_owned() };
    }
    error.into()
}

/// Why the file was not opened. It is only asked about and not opened here: closing it again would end the locks that
/// this process holds on it.
fn unopened(path: &Path, error: &rusqlite::Error) -> StoreError {
    let (detail, permission) = match std::fs::metadata(path) {
        Err(missing) => (missing.to_string(), missing.kind() == ErrorKind::PermissionDenied),
        Ok(there) if there.is_dir() => ("it is a directory; `store.path` must name a file".to_owned(), false),
        // It is there and may be opened: it is the disk, or the system has no more files for this process.
        Ok(there) if there.is_file() && rustix::fs::access(path, rustix::fs::Access::READ_OK).is_ok() => {
            return StoreError::Io(format!("{}: {error}", path.display()));
        }
        Ok(there) if there.is_file() && error.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {
            (format!("{error}; only its owner and members of its group may read it"), true)
        }
        Ok(_) => {
            let codes = [Some(ErrorCode::PermissionDenied), Some(ErrorCode::ReadOnly)];
            (error.to_string(), codes.contains(&error.sqlite_error_code()))
        }
    };
    StoreError::Unopened { path: path.to_owned(), detail, permission }
}

/// The error of a reader whom something keeps from the write-ahead log or from its index, if it is one: he could make
/// them only in a directory that he may write.
fn unlogged(path: &Path, error: &rusqlite::Error) -> Option<StoreError> {
    let kept_out = matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly));
    let endings = ["-wal", "-shm"];
    let readable = |ending: &&str| rustix::fs::access(beside(path, ending), rustix::fs::Access::READ_OK).is_ok();
    if endings.iter().all(readable) {
        return None;
    }
    let gone = endings.into_iter().find(|ending| !beside(path, ending).exists());
    let detail = match gone {
        Some(ending) => format!(
            "its {ending} file is gone, and this user may not make it; another program opened the store for writing \
             while no daemon ran; start `alertferry run`, which makes it anew"
        ),
        None => format!("{error}; its -wal and -shm files must be readable, too"),
    };
    kept_out.then(|| StoreError::Unopened { path: path.to_owned(), detail, permission: true })
}
