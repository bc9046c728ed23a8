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
const SECOND: &str = include_str!("schema-2.sql");

/// The newest schema.
const NEWEST: i64 = 3;

/// Tables of the first schema with their rows; what was added since is made from these.
const KEPT: [&str; 7] = ["tenant", "alert", "alert_change", "gap", "pass", "quarantine", "cursor"];

/// A store as an earlier program left it.
fn earlier(directory: &Path, dump: &str) -> std::path::PathBuf {
    let path = directory.join("alerts.db");
    let conn = rusqlite::Connection::open(&path).expect("a file");
    conn.execute_batch("PRAGMA journal_mode = wal").expect("a log");
    conn.execute_batch(dump).expect("an earlier schema");
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
fn a_store_of_an_earlier_schema_keeps_its_rows_and_gets_what_is_new() {
    for (version, dump) in [(1, FIRST), (2, SECOND)] {
        let directory = tempfile::tempdir().expect("a directory");
        let path = earlier(directory.path(), dump);
        let before = rows(&path);
        assert!(before[1].len() >= 10 && before[2].len() > before[1].len(), "alerts, and changes of some");
        let migrated = open(&path);
        assert_eq!((migrated.from, migrated.to), (version, NEWEST));
        assert_eq!(rows(&path), before);
        assert_filled(&path);
        let backup = migrated.backup.expect("a copy of the store as it was");
        assert_eq!(rows(&backup), before, "the copy holds what there was");
        assert_eq!(open(&path), Migrated { from: NEWEST, to: NEWEST, backup: None });
    }
}

/// Views whose text may have changed while they tell the same: they look at what was created lately.
const LATELY: [&str; 3] = ["repeat_devices", "repeat_accounts", "shared_titles"];

#[test]
fn an_earlier_store_gets_the_schema_of_a_new_one_and_its_views_tell_the_same() {
    let directory = tempfile::tempdir().expect("a directory");
    let new = directory.path().join("new.db");
    open(&new);
    let schema = |path: &Path| query_all(path, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2");
    for dump in [FIRST, SECOND] {
        let directory = tempfile::tempdir().expect("a directory");
        let path = earlier(directory.path(), dump);
        open(&path);
        let statistics = |rows: Vec<Vec<String>>| -> Vec<Vec<String>> {
            rows.into_iter().filter(|row| !row[1].starts_with("sqlite_stat")).collect()
        };
        assert_eq!(statistics(schema(&path)), statistics(schema(&new)));
    }
    // The alerts of the dump become as young as can be, each device and title is repeated, and both programs are asked.
    let path = earlier(directory.path(), SECOND);
    let conn = rusqlite::Connection::open(&path).expect("a store");
    conn.execute_batch(
        "UPDATE alert SET alert_creation_time = strftime('%Y-%m-%dT%H:%M:%f0000Z', 'now', '-' || alert_key || ' hours'),
                          last_update_time = strftime('%Y-%m-%dT%H:%M:%f0000Z', 'now'),
                          machine_id = 'm' || alert_key % 2, title = 'Something';
         -- The clock that stamped this update was wrong.
         UPDATE alert SET last_update_time = '2001-01-01T00:00:00.0000000Z' WHERE alert_key % 3 = 0;
         INSERT INTO tenant (tenant_id, name, app, region, state_since, next_attempt_at)
         VALUES ('third', 'Third', 'main', 'eu', '', '');
         UPDATE alert SET tenant_key = (SELECT max(tenant_key) FROM tenant) WHERE alert_key = 1;",
    )
    .expect("younger alerts");
    drop(conn);
    let told = || LATELY.map(|view| query_all(&path, &format!("SELECT * FROM {view} ORDER BY 1, 2, 3")));
    let before = told();
    assert!(before[0].len() > 1 && !before[2].is_empty(), "there is something to tell: {before:?}");
    open(&path);
    assert_eq!(told(), before);
}

#[test]
fn an_interrupted_filling_goes_on_and_readers_wait_for_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = earlier(directory.path(), FIRST);
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
    assert!(refused.to_string().contains("not filled yet"), "{refused}");
    open(&path);
    assert_filled(&path);
    // What an earlier program entered by its own rules cannot be taken out by these: all is entered anew.
    half.execute_batch(&format!("UPDATE index_state SET version = {}, filled_to = {key}", FINDABLE_VERSION - 1))
        .expect("other rules");
    open(&path);
    assert_filled(&path);
    assert!(Reading::open(&path).is_ok());
}
