//! Owns copying the store to one file while it is in use.
//!
//! The copy grows under another name and gets its own only when it is whole, checked and on the disk.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::lock::beside;
use super::{StoreError, connection, migrate};

/// A copy is for its owner only.
pub(super) const MODE: u32 = 0o600;

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackedUp {
    /// The size of the copy.
    pub bytes: u64,
    /// The alerts in it.
    pub alerts: i64,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is a file already.
    #[error("{} exists already; nothing was written", .0.display())]
    Exists(PathBuf),
    /// Another process writes a copy to the same place.
    #[error("another backup is writing {}", .0.display())]
    UnderWay(PathBuf),
    /// A file cannot be made, written or renamed.
    #[error("cannot write {}: {error}", path.display())]
    Unwritten {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The disk for the copy is full.
    #[error("the disk with {} is full", .0.display())]
    Full(PathBuf),
    /// The copy is not what it should be.
    #[error("the copy is damaged ({0}) and was removed; see whether the store itself is whole")]
    Damaged(String),
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Copies the store at `path`, as it is at one moment, to the new file `target`.
///
/// # Errors
/// When the store cannot be read, `target` exists or cannot be written, or the copy does not pass its check; then
/// there is no `target`.
pub fn back_up(path: &Path, target: &Path) -> Result<BackedUp, BackupError> {
    let unwritten = |path: &Path, error| BackupError::Unwritten { path: path.to_owned(), error };
    let target = std::path::absolute(target).map_err(|error| unwritten(target, error))?;
    if target.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(target));
    }
    let conn = connection::reader(path)?;
    migrate::check(&conn, path)?;
    let partial = beside(&target, ".partial");
    let file = claim(&partial)?;
    let done = copy(&conn, &partial).and_then(|()| checked(&partial)).and_then(|done| {
        file.sync_all().map_err(|error| unwritten(&partial, error))?;
        publish(&partial, &target)?;
        Ok(done)
    });
    if done.is_err() {
        // Why there is no copy matters more than that its beginnings stay.
        drop(std::fs::remove_file(&partial));
    }
    done
}

/// Opens the file that the copy grows in, for this process alone; what an interrupted backup left there goes.
fn claim(partial: &Path) -> Result<File, BackupError> {
    let unwritten = |error| BackupError::Unwritten { path: partial.to_owned(), error };
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(MODE).open(partial).map_err(unwritten)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(BackupError::UnderWay(partial.to_owned())),
        Err(TryLockError::Error(error)) => return Err(unwritten(error)),
    }
    // Another backup may have ended since the file was opened: then it has its final name, and is not to be touched.
    let (opened, there) = (file.metadata().map_err(unwritten)?, partial.symlink_metadata());
    if !there.is_ok_and(|there| (there.dev(), there.ino()) == (opened.dev(), opened.ino())) {
        return Err(BackupError::UnderWay(partial.to_owned()));
    }
    file.set_len(0).map_err(unwritten)?;
    file.set_permissions(std::fs::Permissions::from_mode(MODE)).map_err(unwritten)?;
    Ok(file)
}

fn copy(conn: &rusqlite::Connection, partial: &Path) -> Result<(), BackupError> {
    let Some(name) = partial.to_str() else {
        let error = io::Error::new(ErrorKind::InvalidInput, "its name is no UTF-8");
        return Err(BackupError::Unwritten { path: partial.to_owned(), error });
    };
    let copied = conn
        .pragma_update(None, "query_only", false)
        .and_then(|()| conn.execute("-- backup::copy\nVACUUM INTO ?1", [name]));
    match copied.map_err(StoreError::from) {
        Ok(_) => Ok(()),
        Err(StoreError::DiskFull) => Err(BackupError::Full(partial.to_owned())),
        Err(error) => Err(error.into()),
    }
}

/// Looks through the whole copy.
fn checked(partial: &Path) -> Result<BackedUp, BackupError> {
    let damaged = |error: StoreError| BackupError::Damaged(error.to_string());
    let look = || -> Result<(String, i64), StoreError> {
        let conn = connection::reader(partial)?;
        migrate::check(&conn, partial)?;
        let verdict = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        let alerts = conn.query_row("-- backup::checked\nSELECT count(*) FROM alert", [], |row| row.get(0))?;
        Ok((verdict, alerts))
    };
    let (verdict, alerts) = look().map_err(damaged)?;
    if verdict != "ok" {
        return Err(BackupError::Damaged(verdict));
    }
    let size = partial.metadata().map_err(|error| BackupError::Unwritten { path: partial.to_owned(), error })?;
    Ok(BackedUp { bytes: size.len(), alerts })
}

/// Gives the copy its name, unless another file has got it meanwhile.
fn publish(partial: &Path, target: &Path) -> Result<(), BackupError> {
    let unwritten = |error| BackupError::Unwritten { path: target.to_owned(), error };
    let taken = || BackupError::Exists(target.to_owned());
    match std::fs::hard_link(partial, target) {
        Ok(()) => std::fs::remove_file(partial).map_err(unwritten)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(taken()),
        // Not every file system has links; a rename would replace a file that came in this very moment.
        Err(_) if target.symlink_metadata().is_ok() => return Err(taken()),
        Err(_) => std::fs::rename(partial, target).map_err(unwritten)?,
    }
    let directory = target.parent().unwrap_or(Path::new("/"));
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(unwritten)
}
