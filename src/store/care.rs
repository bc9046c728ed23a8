//! Owns the second connection that writes: for a command that changes the store beside a daemon, in small
//! transactions that let it in between.
//!
//! It creates and migrates nothing, and each of its transactions first looks whether the file still is what this
//! program knows: a newer daemon may have been started meanwhile.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{StoreError, StoreLock, connection, index, migrate};

/// A lock that somebody else holds is waited for so often, each time as long as a connection waits.
const TRIES: u32 = 24;
/// So many rows of each index are looked at for the planner's statistics.
const SAMPLED_ROWS: i64 = 400;

/// A connection that writes beside whoever else does.
#[derive(Debug)]
pub struct Care {
    pub(super) conn: Connection,
    path: PathBuf,
    lock: Option<StoreLock>,
}

/// Room in the database file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// The size of the file in bytes.
    pub file: i64,
    /// Bytes of it that hold nothing; what comes is written there first.
    pub free: i64,
}

impl Care {
    /// Opens the store at `path`, whether a daemon has it or not.
    ///
    /// # Errors
    /// When the file is not there, may not be written, is not ours, or has another schema than this program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let conn = connection::second_writer(path)?;
        migrate::check(&conn, path)?;
        connection::make_durable(&conn)?;
        // What is deleted is overwritten, not only forgotten.
        conn.pragma_update(None, "secure_delete", true)?;
        Ok(Self { conn, path: path.to_owned(), lock: None })
    }

    /// Opens the store at `path` and keeps every daemon out until dropped.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when one is there; else as [`Care::open`].
    pub fn open_alone(path: &Path) -> Result<Self, StoreError> {
        let lock = StoreLock::claim(path)?;
        Ok(Self { lock: Some(lock), ..Self::open(path)? })
    }

    /// Whether no daemon can have the store meanwhile.
    #[must_use]
    pub const fn is_alone(&self) -> bool {
        self.lock.is_some()
    }

    /// Runs `work` in a transaction of its own.
    ///
    /// If it fails, nothing of it is kept.
    pub(super) fn change<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let begin = |conn| Transaction::new_unchecked(conn, TransactionBehavior::Immediate).map_err(StoreError::from);
        let transaction = patiently(|| begin(&self.conn))?;
        migrate::check(&transaction, &self.path)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Merges an index (of words, or of values) a little further into one piece; `first` begins anew. False when
    /// nothing is left to merge.
    ///
    /// # Errors
    /// When the store fails.
    pub fn merge_some(&mut self, words: bool, first: bool) -> Result<bool, StoreError> {
        self.change(|conn| index::merge_some(conn, words, first))
    }

    /// Takes the planner's statistics anew: they hold samples of what is indexed, also of what is gone since.
    ///
    /// # Errors
    /// When the store fails.
    pub fn sample(&mut self) -> Result<(), StoreError> {
        self.conn.pragma_update(None, "analysis_limit", SAMPLED_ROWS)?;
        self.change(|conn| Ok(conn.execute_batch("-- care::sample\nANALYZE")?))
    }

    /// Lets the planner look whether its statistics are worth taking anew.
    ///
    /// # Errors
    /// When the store fails.
    pub fn optimize(&mut self) -> Result<(), StoreError> {
        self.conn.pragma_update(None, "analysis_limit", SAMPLED_ROWS)?;
        patiently(|| Ok(self.conn.execute_batch("-- care::optimize\nPRAGMA optimize")?))
    }

    /// Writes the whole file anew, without anything that was deleted. Only for whoever [is alone](Self::is_alone).
    ///
    /// # Errors
    /// When the store fails, or the disk has no room for a second copy.
    pub fn rewrite(&mut self) -> Result<(), StoreError> {
        patiently(|| Ok(self.conn.execute_batch("-- care::rewrite\nVACUUM")?))
    }

    /// Brings the whole write-ahead log into the file and empties it; false when a reader held on to it.
    ///
    /// # Errors
    /// When the store fails.
    pub fn empty_log(&mut self) -> Result<bool, StoreError> {
        let mut busy = true;
        for _ in 0..TRIES {
            // While somebody reads an older state, this waits as a lock is waited for, and then says so.
            busy = self.conn.query_row("-- care::empty_log\nPRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            if !busy {
                break;
            }
        }
        Ok(!busy)
    }

    /// How much room there is in the file.
    ///
    /// # Errors
    /// When the store fails.
    pub fn room(&self) -> Result<Room, StoreError> {
        let number = |name| self.conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let page = number("page_size")?;
        Ok(Room { file: number("page_count")? * page, free: number("freelist_count")? * page })
    }
}

/// Tries again while somebody else holds the lock.
fn patiently<T>(work: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
    for _ in 1..TRIES {
        match work() {
            Err(StoreError::Busy) => {}
            other => return other,
        }
    }
    work()
}
