//! Holds the statements that look alerts up to the indexes that make them quick, as the database plans them.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::filter::{AlertFilter, Conditions, Tenants};
use super::hunting::{HuntRows, hunt_statement};
use super::list::{AlertSort, parts};
use super::{Store, connection, finding, stats};
use crate::clock::Clock;
use crate::domain::Ticks;

/// A reader of an empty store, in a directory that goes with it.
fn reader() -> (tempfile::TempDir, Connection) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("alerts.db");
    let (store, writer) = Store::open(&path, Clock::System).expect("a store");
    drop(store);
    writer.join().expect("the writer ended well");
    (directory, connection::reader(&path).expect("a reader"))
}

/// What the database would do, a step a line.
fn plan(conn: &Connection, sql: &str) -> String {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect(sql);
    let places = vec![Value::Null; statement.parameter_count()];
    let steps = statement.query_map(params_from_iter(places), |row| row.get::<_, String>(3)).expect(sql);
    steps.collect::<Result<Vec<_>, _>>().expect(sql).join("\n")
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// How a list is planned, part for part.
fn list(conn: &Connection, filter: &AlertFilter, tenants: Option<&Tenants>, sort: AlertSort) -> Vec<String> {
    parts(filter, tenants, sort).iter().map(|part| plan(conn, &part.sql)).collect()
}

#[test]
fn lists_are_read_off_an_index() {
    let (_directory, conn) = reader();
    let filter = AlertFilter::default();
    let since = Some(Ticks::MIN);
    let one = Tenants { keys: vec![1], alerts: 1_000_000 };
    let several = Tenants { keys: vec![1, 2], alerts: 1_000_000 };
    let high = AlertFilter { severities: words(&["high"]), ..filter.clone() };
    let open = AlertFilter { statuses: words(&["new", "InProgress"]), ..filter.clone() };
    let (updated, created) = (AlertSort::Updated, AlertSort::Created);
    let (by_time, by_tenant) = ("USING COVERING INDEX alert_by_time", "alert_by_tenant_update (tenant_key=?)");
    for (filter, tenants, sort, index) in [
        (filter.clone(), None, updated, by_time),
        (AlertFilter { since, ..filter.clone() }, None, updated, "SEARCH a USING COVERING INDEX alert_by_time (last_"),
        (filter.clone(), Some(&one), updated, by_tenant),
        (filter.clone(), Some(&several), updated, by_time),
        (high.clone(), None, updated, by_time),
        (high.clone(), Some(&several), updated, by_time),
        (AlertFilter { since, ..high.clone() }, None, updated, "alert_by_time (last_update_time>?)"),
        (open.clone(), None, updated, "SCAN a USING COVERING INDEX alert_open"),
        (
            AlertFilter { since, ..open.clone() },
            Some(&one),
            updated,
            "SEARCH a USING COVERING INDEX alert_open (last_update_time>?)",
        ),
        (high.clone(), None, created, by_time),
        (high, None, created, "INDEX alert_ahead"),
        (filter.clone(), Some(&several), created, by_time),
        (open, None, created, "SCAN a USING INDEX alert_open"),
        (filter.clone(), Some(&one), created, by_tenant),
    ] {
        let plan = list(&conn, &filter, tenants, sort).join("\n");
        assert!(plan.contains(index), "{index}: {plan}");
        // Alerts updated at one moment may be put in order among themselves.
        let sorts = plan.contains("USE TEMP B-TREE FOR ORDER BY");
        assert!(!sorts, "it sorts: {plan}");
    }
    for plan in &list(&conn, &filter, None, AlertSort::Severity) {
        assert!(plan.contains(by_time) && !plan.contains("USE TEMP B-TREE FOR ORDER BY"), "{plan}");
    }
}

#[test]
fn finding_starts_from_its_index_and_counting_from_counts() {
    let (_directory, conn) = reader();
    let mut conditions = Conditions::after(vec![Value::Null; 3]);
    let filter = AlertFilter { severities: words(&["High"]), since: Some(Ticks::MIN), ..AlertFilter::default() };
    filter.add_to(&mut conditions, Some(&Tenants { keys: vec![1], alerts: 1 }));
    let searched = plan(&conn, &finding::search(&conditions));
    assert!(searched.starts_with("SCAN w VIRTUAL TABLE") && !searched.contains("TEMP B-TREE"), "{searched}");
    for rows in [HuntRows::Tenants { missing: false }, HuntRows::Alerts { limit: 3 }] {
        let hunted = plan(&conn, &hunt_statement(rows, &conditions));
        assert!(hunted.contains("SCAN v VIRTUAL TABLE") && hunted.contains("SEARCH a USING INTEGER"), "{hunted}");
    }
    let created = plan(&conn, &stats::created(&Conditions::after(vec![Value::Null; 2])));
    assert!(created.contains("SEARCH a USING COVERING INDEX alert_by_time (last_update_time>?)"), "{created}");
    assert!(created.contains("SEARCH b USING COVERING INDEX alert_ahead (alert_creation_time>"), "{created}");
    let resolved = plan(&conn, &stats::resolved(&Conditions::after(vec![Value::Null; 2])));
    assert!(resolved.contains("SEARCH a USING INDEX alert_by_time (last_update_time>?)"), "{resolved}");
}
