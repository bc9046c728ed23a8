//! Owns the places up to which others have taken exports: rows of `cursor` that somebody beside the daemon writes.
//!
//! It is the one door through which another process than the daemon writes the store: one small row, in a transaction of
//! its own, without the claim on the store. The two wait for each other as any two connections do.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior, params};

use super::rows::{ReadError, Sent, Sink, send};
use super::{Exported, Reading, StoreError, connection, migrate};

/// The longest name of a cursor, in characters.
pub const MOST_CURSOR_CHARS: usize = 64;

/// A connection that moves the cursors of exports and writes nothing else.
#[derive(Debug)]
pub struct ExportCursors {
    conn: Connection,
    path: PathBuf,
}

impl ExportCursors {
    /// Opens the store at `path`, and makes sure that it can be written.
    ///
    /// # Errors
    /// When the file cannot be read or written, is not ours, or has another schema than this program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let conn = connection::second_writer(path)?;
        migrate::check(&conn, path)?;
        let mut this = Self { conn, path: path.to_owned() };
        this.try_to_write()?;
        connection::make_durable(&this.conn)?;
        Ok(this)
    }

    /// Takes the lock that a write takes, and gives it back.
    fn try_to_write(&mut self) -> Result<(), StoreError> {
        let refused = |path: &Path, detail: &str| StoreError::Unopened {
            path: path.to_owned(),
            detail: format!("it must be written to keep a cursor, and {detail}"),
            permission: true,
        };
        if self.conn.is_readonly("main")? {
            return Err(refused(&self.path, "this user may only read it"));
        }
        match self.conn.transaction_with_behavior(TransactionBehavior::Immediate) {
            Ok(transaction) => Ok(transaction.rollback()?),
            Err(error)
                if matches!(
                    error.sqlite_error_code(),
                    Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen)
                ) =>
            {
                Err(refused(&self.path, &error.to_string()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Where a cursor stands; `None` when there is none of this name.
    ///
    /// # Errors
    /// When the store fails.
    pub fn at(&self, what: Exported, name: &str) -> Result<Option<i64>, StoreError> {
        let sql = "-- export_cursor::at\nSELECT seq FROM cursor WHERE name = ?1";
        Ok(self.conn.query_row(sql, [row_name(what, name)], |row| row.get(0)).optional()?)
    }

    /// Moves a cursor on to `to`, if it still stands where it was found; whether it did. It never moves back.
    ///
    /// # Errors
    /// When the store fails.
    pub fn advance(&mut self, what: Exported, name: &str, found: Option<i64>, to: i64) -> Result<bool, StoreError> {
        let row = row_name(what, name);
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let moved = match found {
            None => transaction.execute(
                "-- export_cursor::advance_new\n\
                 INSERT INTO cursor (name, seq) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
                params![row, to],
            )?,
            Some(from) => transaction.execute(
                "-- export_cursor::advance_on\n\
                 UPDATE cursor SET seq = max(seq, ?3) WHERE name = ?1 AND seq = ?2",
                params![row, from, to],
            )?,
        };
        transaction.commit()?;
        Ok(moved == 1)
    }

    /// Puts a cursor to a change, forward or back. No change after the newest is one; the newest is returned when `seq`
    /// lies behind it, and nothing is done then.
    ///
    /// # Errors
    /// When the store fails.
    pub fn set(&mut self, what: Exported, name: &str, seq: i64) -> Result<Result<(), i64>, StoreError> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let newest = "-- export_cursor::set_newest\nSELECT coalesce(max(seq), 0) FROM alert_change";
        let newest: i64 = transaction.query_row(newest, [], |row| row.get(0))?;
        if seq > newest {
            return Ok(Err(newest));
        }
        let upsert = "-- export_cursor::set_row\n\
                      INSERT INTO cursor (name, seq) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq";
        transaction.execute(upsert, params![row_name(what, name), seq])?;
        transaction.commit()?;
        Ok(Ok(()))
    }

    /// Forgets a cursor; whether there was one.
    ///
    /// # Errors
    /// When the store fails.
    pub fn forget(&self, what: Exported, name: &str) -> Result<bool, StoreError> {
        let sql = "-- export_cursor::forget\nDELETE FROM cursor WHERE name = ?1";
        Ok(self.conn.execute(sql, [row_name(what, name)])? == 1)
    }
}

impl Reading {
    /// The cursors of exports, each with how many changes there are after it.
    ///
    /// # Errors
    /// When the store or the sink fails.
    pub fn export_cursors(&self, sink: &mut dyn Sink) -> Result<Sent, ReadError> {
        let mut statement = self.conn.prepare(
            "-- export_cursor::export_cursors\n\
             SELECT substr(name, 8, instr(substr(name, 8), '.') - 1) AS exported,
                    substr(name, 8 + instr(substr(name, 8), '.')) AS name, seq,
                    (SELECT count(*) FROM alert_change AS c WHERE c.seq > cursor.seq) AS changes_after
             FROM cursor WHERE name GLOB 'export.*.*' ORDER BY 1, 2",
        )?;
        send(&mut statement, [], 0, sink)
    }
}

/// The name in the table. A cursor belongs to what it was used for: the changes behind which all alerts are exported are
/// not those behind which all evidence is.
fn row_name(what: Exported, name: &str) -> String {
    format!("export.{}.{name}", what.name())
}
