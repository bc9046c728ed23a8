//! Owns the two indexes that alerts are found by: words, and values of evidence.
//!
//! Neither keeps what it was given, so taking an alert out needs what was entered: [`Findable`] of the text that was
//! stored. When the rules of [`Findable`] change, both are filled anew.

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use super::StoreError;
use crate::domain::{Columns, FINDABLE_VERSION, Findable};

/// The name of both indexes in `index_state`.
const NAME: &str = "finding";
/// So many alerts are entered in one transaction when the indexes are filled anew.
const STEP: i64 = 1_000;

/// Enters an alert.
pub(super) fn enter(conn: &Connection, alert_key: i64, found: &Findable) -> Result<(), StoreError> {
    let mut words = conn.prepare_cached(
        "-- index::enter_words\n\
         INSERT INTO text_index (rowid, title, description, command_lines, file_names) VALUES (?, ?, ?, ?, ?)",
    )?;
    words.execute(params![alert_key, found.title, found.description, found.command_lines, found.file_names])?;
    let mut values = conn.prepare_cached(
        "-- index::enter_values\n\
         INSERT INTO value_index (rowid, sha1, sha256, ip, url, domain, file, account, upn, sid, user, device)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    run(&mut values, alert_key, found)
}

/// Takes an alert out again; `found` is what it was entered with.
pub(super) fn take_out(conn: &Connection, alert_key: i64, found: &Findable) -> Result<(), StoreError> {
    let mut words = conn.prepare_cached(
        "-- index::take_out_words\n\
         INSERT INTO text_index (text_index, rowid, title, description, command_lines, file_names)
         VALUES ('delete', ?, ?, ?, ?, ?)",
    )?;
    words.execute(params![alert_key, found.title, found.description, found.command_lines, found.file_names])?;
    let mut values = conn.prepare_cached(
        "-- index::take_out_values\n\
         INSERT INTO value_index (value_index, rowid, sha1, sha256, ip, url, domain, file, account, upn, sid, user, device)
         VALUES ('delete', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    run(&mut values, alert_key, found)
}

/// Runs a statement with an alert's key and its values.
fn run(statement: &mut CachedStatement<'_>, alert_key: i64, found: &Findable) -> Result<(), StoreError> {
    statement.raw_bind_parameter(1, alert_key)?;
    for (at, values) in found.values.iter().enumerate() {
        statement.raw_bind_parameter(at + 2, values)?;
    }
    statement.raw_execute()?;
    Ok(())
}

/// Whether the indexes hold every alert, entered by the rules of this program.
pub(super) fn is_filled(conn: &Connection) -> Result<bool, StoreError> {
    let state = state(conn)?;
    Ok(state == Some((FINDABLE_VERSION, None)))
}

/// Fills the indexes, if they are not; a filling that was interrupted goes on where it was.
pub(super) fn fill(conn: &mut Connection) -> Result<(), StoreError> {
    let mut next = match state(conn)? {
        Some((FINDABLE_VERSION, None)) => return Ok(()),
        Some((FINDABLE_VERSION, Some(after))) => after,
        _ => begin(conn)?,
    };
    loop {
        let tx = conn.transaction()?;
        let last = enter_after(&tx, next)?;
        let mut mark = tx.prepare_cached("-- index::fill\nUPDATE index_state SET filled_to = ?2 WHERE name = ?1")?;
        mark.execute(params![NAME, last])?;
        drop(mark);
        tx.commit()?;
        match last {
            Some(last) => next = last,
            None => return Ok(()),
        }
    }
}

/// So many pages of an index are merged in one transaction.
const MERGE_PAGES: i64 = 500;

/// Merges the words' index, or that of the values, a little further into one piece: only then is what was taken out
/// gone from it, not just marked. The first step arranges the pieces. False when nothing is left to merge.
pub(super) fn merge_some(conn: &Connection, words: bool, first: bool) -> Result<bool, StoreError> {
    let mut statement = conn.prepare_cached(if words {
        "-- index::merge_words\nINSERT INTO text_index (text_index, rank) VALUES ('merge', ?1)"
    } else {
        "-- index::merge_values\nINSERT INTO value_index (value_index, rank) VALUES ('merge', ?1)"
    })?;
    let before = conn.total_changes();
    statement.execute([if first { -MERGE_PAGES } else { MERGE_PAGES }])?;
    // The command counts as one change; more is work.
    Ok(conn.total_changes() - before >= 2)
}

fn state(conn: &Connection) -> Result<Option<(i64, Option<i64>)>, StoreError> {
    let mut statement =
        conn.prepare_cached("-- index::state\nSELECT version, filled_to FROM index_state WHERE name = ?1")?;
    Ok(statement.query_row([NAME], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

/// Empties the indexes; returns the key after which filling begins.
fn begin(conn: &mut Connection) -> Result<i64, StoreError> {
    let tx = conn.transaction()?;
    tx.execute("-- index::empty_words\nINSERT INTO text_index (text_index) VALUES ('delete-all')", [])?;
    tx.execute("-- index::empty_values\nINSERT INTO value_index (value_index) VALUES ('delete-all')", [])?;
    tx.execute(
        "-- index::begin\n\
         INSERT INTO index_state (name, version, filled_to) VALUES (?1, ?2, 0)
         ON CONFLICT (name) DO UPDATE SET version = excluded.version, filled_to = 0",
        params![NAME, FINDABLE_VERSION],
    )?;
    tx.commit()?;
    Ok(0)
}

/// Enters the alerts after a key, some at a time; the last one's key, or nothing when there were none left.
fn enter_after(conn: &Connection, after: i64) -> Result<Option<i64>, StoreError> {
    let mut statement = conn.prepare_cached(
        "-- index::enter_after\nSELECT alert_key, raw FROM alert WHERE alert_key > ?1 ORDER BY alert_key LIMIT ?2",
    )?;
    let mut rows = statement.query(params![after, STEP])?;
    let mut last = None;
    while let Some(row) = rows.next()? {
        let (key, raw): (i64, String) = (row.get(0)?, row.get(1)?);
        enter(conn, key, &findable(&raw))?;
        last = Some(key);
    }
    Ok(last)
}

/// What a stored text is found by.
pub(super) fn findable(raw: &str) -> Findable {
    Findable::of(raw, &Columns::of(raw).unwrap_or_default())
}
