//! A store of an earlier program comes to this one whole: nothing of it is lost, and what is new is filled.

#[path = "../support/mod.rs"]
mod support;

use std::path::Path;

use alertferry::clock::Clock;
use alertferry::domain::FINDABLE_VERSION;
use alertferry::store::{Migrated, Reading, Store, StoreError};
use support::derived::assert_derived;
use support::query_all;

const FIRST: &str = include_str!("schema-1.sql");

/// Tables of the first schema with their rows; what was added since has none there.
const KEPT: [&str; 7] = ["tenant", "alert", "alert_change", "gap", "pass", "quarantine", "cursor"];

fn first(directory: &Path) -> std::path::PathBuf {
    let path = directory.join("alerts.db");
    let conn = rusqlite::Connection::open(&path).expect("a file");
    conn.execute_batch("PRAGMA journal_mode = wal").expect("a log");
    conn.execute_batch(FIRST).expect("the first schema");
    path
}

fn open(path: &Path) -> Migrated {
    let (store, writer) = Store::open(path, Clock::System).expect("a store");
    let migrated = store.migrated().clone();
    drop(store);
    writer.join().expect("closed");
    migrated
}

fn rows(path: &Path) -> Vec<Vec<Vec<String>>> {
    KEPT.iter().map(|table| query_all(path, &format!("SELECT * FROM {table} ORDER BY 1"))).collect()
}

fn assert_filled(path: &Path) {
    assert_derived(path);
    let entities = "SELECT count(*), (SELECT sum(evidence_count) FROM alert) FROM evidence";
    let counted = query_all(path, entities);
    assert_eq!(counted[0][0], counted[0][1], "the view of evidence against what was counted at ingest");
    assert_eq!(query_all(path, "PRAGMA integrity_check"), [["ok"]]);
}

#[test]
fn a_store_of_the_first_schema_keeps_its_rows_and_gets_what_is_new() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = first(directory.path());
    let before = rows(&path);
    assert!(before[1].len() >= 10 && before[2].len() > before[1].len(), "alerts, and changes of some");
    let migrated = open(&path);
    assert_eq!((migrated.from, migrated.to), (1, 2));
    assert_eq!(rows(&path), before);
    assert_filled(&path);
    let backup = migrated.backup.expect("a copy of the store as it was");
    assert_eq!(rows(&backup), before, "the copy holds what there was");
    assert_eq!(open(&path), Migrated { from: 2, to: 2, backup: None });
}

#[test]
fn an_interrupted_filling_goes_on_and_readers_wait_for_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = first(directory.path());
    open(&path);
    let half = rusqlite::Connection::open(&path).expect("a store");
    let key: i64 =
        half.query_row("SELECT alert_key FROM alert ORDER BY 1 LIMIT 1 OFFSET 4", [], |row| row.get(0)).expect("a key");
    half.execute_batch(&format!(
        "INSERT INTO text_index (text_index) VALUES ('delete-all');
         INSERT INTO value_index (value_index) VALUES ('delete-all');
         UPDATE index_state SET version = {FINDABLE_VERSION}, filled_to = 0;"
    ))
    .expect("as when it had just begun");
    let refused = Reading::open(&path).expect_err("not filled");
    assert!(matches!(refused, StoreError::Unopened { .. }), "{refused}");
    assert!(refused.to_string().contains("being filled"), "{refused}");
    open(&path);
    assert_filled(&path);
    // What an earlier program entered by its own rules cannot be taken out by these: all is entered anew.
    half.execute_batch(&format!("UPDATE index_state SET version = {}, filled_to = {key}", FINDABLE_VERSION - 1))
        .expect("other rules");
    open(&path);
    assert_filled(&path);
    assert!(Reading::open(&path).is_ok());
}
