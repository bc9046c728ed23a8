//! Owns what can go wrong with the store, and what follows from it.

use std::io::ErrorKind;
use std::path::PathBuf;

use rusqlite::ErrorCode;

use crate::domain::{Failure, FailureClass};

/// Why the store could not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another process writes to this store.
    #[error("the store {} is in use by {holder}", path.display())]
    InUse {
        /// The database file.
        path: PathBuf,
        /// Who holds it, as far as it said.
        holder: String,
    },
    /// The file is a database of something else.
    #[error("{} is not an alertferry store ({detail}); it was left untouched; `store.path` must name \
         another file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        detail: String,
    },
    /// The store was written by a newer version.
    #[error(
        "the store {} has schema {found}, this program knows up to {known}; install a newer alertferry, \
         or restore the backup taken before the upgrade", path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest schema version this program knows.
        known: i64,
    },
    /// The file cannot be created, opened or written.
    #[error("cannot open the store {}: {detail}", path.display())]
    Unopened {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
        /// Whether it is a matter of permissions.
        permission: bool,
    },
    /// A file of the store no longer is where it was opened. Nothing may be written: nobody would find it.
    #[error(
        "{} {what} while it was open; nothing more is written; bring it back with its -wal file or restore a backup, \
         and start again", path.display()
    )]
    Displaced {
        /// The file.
        path: PathBuf,
        /// What became of it.
        what: &'static str,
    },
    /// The disk is full; what was being written was rolled back.
    #[error("the disk with the store is full")]
    DiskFull,
    /// The file is damaged.
    #[error("the store is damaged: {0}; restore a backup, or move the file away to start anew")]
    Corrupt(String),
    /// Reading or writing the file failed; its state is unknown until it is opened again.
    #[error("the store's disk failed: {0}")]
    Io(String),
    /// Another process holds a lock on the file for longer than is waited for.
    #[error("another process has locked the store")]
    Busy,
    /// The writer has ended.
    #[error("the store is closed")]
    Closed,
    /// Any other failure of a statement.
    #[error("the store refused a statement: {0}")]
    Sql(String),
}

impl StoreError {
    /// Whether the daemon must end and open the store anew: going on with the same handle could lose writes that
    /// were reported as done.
    #[must_use]
    pub const fn is_fatal(&self) -> bool {
        matches!(self, Self::Corrupt(_) | Self::Io(_) | Self::Displaced { .. } | Self::Closed)
    }

    /// Whether it is trouble of the store and of no one tenant: others would meet it too, and the end of a pass as well.
    #[must_use]
    pub const fn concerns_all(&self) -> bool {
        !matches!(self, Self::Sql(_))
    }

    /// What kept a file beside the database, or the database itself, from being opened or written.
    pub(super) fn of_file(path: &std::path::Path, error: &std::io::Error) -> Self {
        if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
            return Self::DiskFull;
        }
        if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) {
            return Self::Io(format!("{}: {error}", path.display()));
        }
        let permission = error.kind() == ErrorKind::PermissionDenied;
        let detail = match path.parent() {
            _ if permission => format!("{error}; only the user who runs the daemon may write here"),
            Some(directory) if error.kind() == ErrorKind::NotFound && !directory.as_os_str().is_empty() => {
                format!("there is no directory {}; make it, or change `store.path`", directory.display())
            }
            _ => error.to_string(),
        };
        Self::Unopened { path: path.to_owned(), detail, permission }
    }

    /// What kind of trouble it is, in one word: one of [`StoreError::KINDS`].
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::DiskFull => "disk_full",
            Self::Io(_) | Self::Displaced { .. } => "io",
            Self::Corrupt(_) => "corrupt",
            Self::Busy => "busy",
            Self::InUse { .. }
            | Self::Foreign { .. }
            | Self::Newer { .. }
            | Self::Unopened { .. }
            | Self::Closed
            | Self::Sql(_) => "other",
        }
    }

    /// Every kind of trouble.
    pub const KINDS: [&'static str; 5] = ["disk_full", "io", "corrupt", "busy", "other"];

    /// The failure a pass reports when it could not store what it read.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let remedy = if matches!(self, Self::DiskFull) {
            "free space on the disk with the store; reading goes on by itself then"
        } else {
            "see the daemon's log and `alertferry check`"
        };
        Failure::new(FailureClass::Local, self.to_string()).with_remedy(remedy)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::from(&error)
    }
}

impl From<&rusqlite::Error> for StoreError {
    fn from(error: &rusqlite::Error) -> Self {
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(text),
            // A file that was open, or its log, cannot be opened again, or not to be written: a writer's could be.
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly) => Self::Io(text),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            // Tables are strict: a text that is none, or a value of another type, was not written so.
            _ if matches!(
                error,
                rusqlite::Error::Utf8Error(..)
                    | rusqlite::Error::InvalidColumnType(..)
                    | rusqlite::Error::IntegralValueOutOfRange(..)
                    | rusqlite::Error::FromSqlConversionFailure(..)
            ) =>
            {
                Self::Corrupt(text)
            }
            _ => Self::Sql(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log whose index cannot be opened to be written makes SQLite open it to be read, and refuse the next write.
    #[test]
    fn a_writer_that_may_only_read_met_a_bad_disk_and_no_wrong_statement() {
        let refused = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY), None);
        let error = StoreError::from(refused);
        assert!(matches!(error, StoreError::Io(_)) && error.is_fatal(), "{error}");
    }
}
