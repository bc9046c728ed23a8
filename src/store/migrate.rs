//! Owns bringing a database file to the newest schema, and refusing files that are not ours to touch.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode};

use super::lock::beside;
use super::{StoreError, backup, connection, index};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// `application_id` of our files, as the first migration sets it.
const APPLICATION_ID: i64 = 1_095_582_290;

/// What opening the file involved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The schema version before; 0 for a new file.
    pub from: i64,
    /// The schema version now.
    pub to: i64,
    /// The copy taken before an existing file was changed.
    pub backup: Option<PathBuf>,
}

/// The newest schema version this program knows.
fn newest() -> i64 {
    embedded::migrations::runner().get_migrations().iter().map(|m| i64::from(m.version())).max().unwrap_or(0)
}

/// Takes a backup of a file of the schema `from` if it must change, and applies what is missing in one transaction.
pub(super) fn migrate(conn: &mut Connection, path: &Path, from: i64) -> Result<Migrated, StoreError> {
    let to = newest();
    if from == to {
        connection::make_durable(conn)?;
        index::fill(conn)?;
        return Ok(Migrated { from, to, backup: None });
    }
    let backup = if from > 0 { Some(back_up(conn, path, from)?) } else { None };
    connection::make_durable(conn)?;
    // All steps and the list of them in one transaction: by itself, refinery would write a step and that it was done in
    // two, and a file that was left between them could never be opened again.
    embedded::migrations::runner().set_grouped(true).run(conn).map_err(|e| unmigrated(&e))?;
    index::fill(conn)?;
    Ok(Migrated { from, to, backup })
}

/// Checks that a file opened for reading is ours and not newer than this program.
pub(super) fn check(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let found = recognise(conn, path)?;
    let known = newest();
    if found < known {
        let detail = format!("its schema {found} is older than {known}; start `alertferry run` once to migrate it");
        return Err(StoreError::Unopened { path: path.to_owned(), detail, permission: false });
    }
    if !index::is_filled(conn)? {
        let detail = "its search indexes are not filled yet; `alertferry run` does that at its start: try again when it is ready";
        let detail = detail.to_owned();
        return Err(StoreError::Unopened { path: path.to_owned(), detail, permission: false });
    }
    Ok(())
}

/// The file's schema version; 0 when it is empty.
pub(super) fn recognise(conn: &Connection, path: &Path) -> Result<i64, StoreError> {
    let foreign = |detail: String| StoreError::Foreign { path: path.to_owned(), detail };
    let application: i64 = match conn.pragma_query_value(None, "application_id", |row| row.get(0)) {
        Err(e) if e.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            return Err(foreign("no SQLite database".to_owned()));
        }
        other => other?,
    };
    let objects: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application == 0 && (objects == 0 || is_barely_begun(conn)?) {
        return Ok(0);
    }
    if application != APPLICATION_ID {
        return Err(foreign(format!("application id {application}, {objects} tables and indexes")));
    }
    let found: i64 = conn.query_row("SELECT max(version) FROM refinery_schema_history", [], |row| row.get(0))?;
    let known = newest();
    if found > known { Err(StoreError::Newer { path: path.to_owned(), found, known }) } else { Ok(found) }
}

/// Whether a first start was killed between the two transactions in which a file gets the list of its migrations and
/// then the first of them.
fn is_barely_begun(conn: &Connection) -> Result<bool, StoreError> {
    let others = "SELECT count(*) FROM sqlite_schema WHERE tbl_name <> 'refinery_schema_history'";
    let count = |sql| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
    Ok(count(others)? == 0 && count("SELECT count(*) FROM refinery_schema_history")? == 0)
}

fn back_up(conn: &Connection, path: &Path, version: i64) -> Result<PathBuf, StoreError> {
    let backup = beside(path, &format!(".before-schema-{}", version + 1));
    if backup.exists() {
        // A copy from an earlier try of the same upgrade: it holds the same state or an older one, and is kept.
        return Ok(backup);
    }
    let partial = beside(&backup, ".partial");
    if partial.exists() {
        std::fs::remove_file(&partial).map_err(|error| StoreError::of_file(&partial, &error))?;
    }
    // SQLite would make it for everybody to read, and writes into an empty file as well.
    let made = OpenOptions::new().write(true).create_new(true).mode(backup::MODE).open(&partial);
    made.map_err(|error| StoreError::of_file(&partial, &error))?;
    conn.execute("VACUUM INTO ?1", [partial.to_string_lossy()])?;
    std::fs::File::open(&partial)
        .and_then(|file| file.sync_all())
        .map_err(|error| StoreError::of_file(&partial, &error))?;
    std::fs::rename(&partial, &backup).map_err(|error| StoreError::of_file(&partial, &error))?;
    Ok(backup)
}

/// What kept the schema from being brought up: most often the disk.
fn unmigrated(error: &refinery::Error) -> StoreError {
    let cause = std::error::Error::source(error).and_then(|source| source.downcast_ref::<rusqlite::Error>());
    match cause.map(StoreError::from) {
        None | Some(StoreError::Sql(_)) => StoreError::Sql(format!("migrating the schema: {error}")),
        Some(known) => known,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Each of the transactions of a first start is cut off once, as a kill or a failing disk would.
    #[test]
    fn a_first_start_that_was_cut_off_anywhere_is_finished_by_the_next() {
        for cut in 0.. {
            let dir = tempfile::tempdir().expect("a directory");
            let path = dir.path().join("alerts.db");
            let mut conn = connection::writer(&path).expect("a file");
            let commits = Arc::new(AtomicU32::new(0));
            conn.commit_hook(Some(move || commits.fetch_add(1, Ordering::Relaxed) >= cut)).expect("a hook");
            let done = migrate(&mut conn, &path, 0).is_ok();
            drop(conn);
            let mut conn = connection::writer(&path).expect("a file");
            let migrated = recognise(&conn, &path).and_then(|from| migrate(&mut conn, &path, from));
            let migrated = migrated.unwrap_or_else(|error| panic!("cut off after {cut}: {error}"));
            assert_eq!(migrated.to, newest());
            if done {
                assert!(cut > 1, "a first start has more transactions than one");
                return;
            }
        }
    }
}
