//! How the store answers what users and commands ask: by which index, and never by reading every alert.
//!
//! A running daemon has no statistics about its tables, a restarted one has those of the last end, and a big store has
//! other ones than a small one. The plan must be good with each.

mod support;

use std::time::Duration;

use alertferry::clock::Clock;
use alertferry::domain::{Alert, TenantId};
use alertferry::pass::Options;
use alertferry::store::{Batch, CoverageMove};
use rusqlite::Connection;
use support::{Rig, guid};

const PAGE: &str = include_str!("../docs/SCHEMA.md");

/// What `PRAGMA optimize` found in a store of a million alerts over a thousand tenants.
const STATISTICS: [(&str, &str, &str); 12] = [
    ("alert", "alert_ahead", "0 0 0"),
    ("alert", "alert_open", "99936 1 1 1 1"),
    ("alert", "alert_by_time", "1000000 1 1 1 1 1"),
    ("alert", "alert_by_tenant_update", "1000000 2001 1"),
    ("alert", "sqlite_autoindex_alert_1", "1000000 2001 1"),
    ("tenant", "tenant_by_next_attempt", "1000 1000 1000"),
    ("tenant", "sqlite_autoindex_tenant_1", "1000 1"),
    ("alert_change", "alert_change_by_alert", "1400847 1 1"),
    ("alert_count", "alert_count", "11980 12 3 1"),
    ("index_state", "index_state", "1 1"),
    ("value_index_idx", "value_index_idx", "32277 667 1"),
    ("text_index_idx", "text_index_idx", "12361 501 1"),
];

/// A question, and the steps that its plan must have.
type Asked = (&'static str, &'static [&'static str]);

const BY_ID: &str = "SEARCH a USING INDEX sqlite_autoindex_alert_1 (tenant_key=? AND alert_id=?)";
const BY_KEY: &str = "SEARCH a USING INTEGER PRIMARY KEY";
const HISTORY: &str = "SEARCH c USING INDEX alert_change_by_alert (alert_key=?)";
/// By one of the two indexes that begin with the tenant; in a small store they are as good as each other.
const OF_TENANT: &str = " (tenant_key=?";

/// From its newest end, for as long as rows are wanted; what is asked for beside the time is in it, too.
const BY_TIME: &str = "SCAN a USING INDEX alert_by_time";
const LATEST_OF_TENANT: &str = "SEARCH a USING INDEX alert_by_tenant_update (tenant_key=? AND last_update_time>?)";
/// How far back one must look, should an alert claim to be updated before it was created.
const AHEAD: &str = "SEARCH b USING COVERING INDEX alert_ahead (alert_creation_time>?)";

const VIEWS: [Asked; 23] = [
    ("alerts WHERE severity = 'High' ORDER BY last_update_time DESC LIMIT 50", &[BY_TIME]),
    ("alerts WHERE tenant_id = 'x' AND alert_id = 'y'", &[BY_ID]),
    ("alerts WHERE tenant_id = 'x' ORDER BY last_update_time DESC LIMIT 50", &[OF_TENANT]),
    ("alert_changes WHERE tenant_id = 'x' AND alert_id = 'y' ORDER BY seq", &["sqlite_autoindex_alert_1", HISTORY]),
    ("alert_changes WHERE seq > 7 ORDER BY seq LIMIT 100", &["SEARCH c USING INTEGER PRIMARY KEY", BY_KEY]),
    ("evidence WHERE tenant_id = 'x' AND alert_id = 'y'", &[BY_ID]),
    ("hunt WHERE value MATCH '\"x\"'", &["SCAN v VIRTUAL TABLE", BY_KEY]),
    ("search WHERE words MATCH 'x' LIMIT 50", &["SCAN w VIRTUAL TABLE", BY_KEY]),
    ("search WHERE words MATCH 'x' ORDER BY stored DESC LIMIT 50", &["SCAN w VIRTUAL TABLE", BY_KEY]),
    ("repeat_devices", &["last_update_time>?", AHEAD]),
    ("repeat_devices WHERE tenant_id = 'x'", &["(tenant_id=?)", LATEST_OF_TENANT, AHEAD]),
    ("repeat_accounts", &["last_update_time>?", AHEAD]),
    ("repeat_accounts WHERE tenant_id = 'x'", &["(tenant_id=?)", LATEST_OF_TENANT, AHEAD]),
    ("alerts WHERE severity = 'High' AND last_update_time > 'x'", &["last_update_time>?"]),
    ("alerts WHERE status = 'New' ORDER BY last_update_time DESC LIMIT 50", &[BY_TIME]),
    ("alerts WHERE severity IN ('High', 'Medium') ORDER BY last_update_time DESC LIMIT 50", &[BY_TIME]),
    ("open_alerts", &["SCAN c", "SEARCH t USING INTEGER PRIMARY KEY"]),
    ("newest_alerts", &[BY_TIME]),
    ("stale_alerts LIMIT 100", &["SEARCH a USING INDEX alert_open (last_update_time<?)"]),
    ("stale_alerts ORDER BY last_update_time LIMIT 100", &["SEARCH a USING INDEX alert_open (last_update_time<?)"]),
    ("shared_titles", &["SEARCH a USING INDEX alert_by_time (last_update_time>?)", AHEAD]),
    ("alert_times WHERE tenant_id = 'x'", &[OF_TENANT, HISTORY]),
    ("alert_times WHERE tenant_id = 'x' AND alert_id = 'y'", &[BY_ID, HISTORY]),
];

/// The queries of the page, by the word they are known by.
const QUERIES: [Asked; 8] = [
    ("WHERE severity = 'High' AND status", &[BY_TIME]),
    ("FROM alert_changes\n", &["sqlite_autoindex_alert_1", HISTORY]),
    ("ORDER BY c.seq DESC", &[BY_KEY, BY_ID]),
    ("'-1 day'", &["last_update_time>?"]),
    ("FROM hunt", &["SCAN v VIRTUAL TABLE", BY_KEY, BY_ID]),
    ("FROM search", &["SCAN w VIRTUAL TABLE", BY_KEY]),
    ("json_each(a.mitre_techniques)", &[OF_TENANT]),
    ("NOT c.history", &["SEARCH c USING INTEGER PRIMARY KEY (rowid>?)", BY_KEY, BY_ID]),
];

/// Queries of the page that are about something else than alerts, or about all of them.
const OTHERS: [&str; 5] =
    ["FROM tenants\n", "FROM gaps", "FROM alert_times", "substr(alert_creation_time", "FROM passes"];

/// The steps of a plan.
fn plan(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect(sql);
    let steps = statement.query_map([], |row| row.get("detail")).expect(sql);
    steps.collect::<Result<_, _>>().expect(sql)
}

/// Steps that walk over every alert: by the table, or by an index to its end.
fn walks(steps: &[String]) -> Vec<&String> {
    let over = |step: &&String| step.starts_with("SCAN a") && (*step == "SCAN a" || step.starts_with("SCAN a USING"));
    steps.iter().filter(over).collect()
}

fn holds(conn: &Connection, sql: &str, wanted: &[&str], state: &str) {
    let steps = plan(conn, sql);
    for part in wanted {
        assert!(steps.iter().any(|step| step.contains(part)), "{state}: no `{part}` in\n{sql}\n{steps:#?}");
    }
    let meant = |step: &str| wanted.iter().any(|part| part.starts_with("SCAN") && step.contains(part));
    let walks: Vec<_> = walks(&steps).into_iter().filter(|step| !meant(step)).collect();
    assert!(walks.is_empty(), "{state}: {walks:?} in\n{sql}\n{steps:#?}");
}

/// The queries of the page.
fn queries() -> Vec<&'static str> {
    let (_, queries) = PAGE.split_once("\n## Queries\n").expect("the page's last part");
    queries.split("```sql\n").skip(1).map(|part| part.split("\n```").next().expect("an end")).collect()
}

fn all_hold(conn: &Connection, state: &str) {
    for (from, wanted) in VIEWS {
        holds(conn, &format!("SELECT * FROM {from}"), wanted, state);
    }
    for (mark, wanted) in QUERIES {
        let query = queries().into_iter().find(|query| query.contains(mark)).unwrap_or_else(|| panic!("no {mark}"));
        holds(conn, query.trim_end_matches(';'), wanted, state);
    }
}

/// A store with three tenants, written the daemon's way; a connection that may write.
async fn store() -> (Rig, Connection) {
    let rig = Rig::new(Options::default());
    let sim = alertferry_simulator::Simulator::start(support::world()).await.expect("a simulator");
    rig.enrol(&[1, 2, 3].map(|number| support::tenant(&sim, &guid(number)))).await;
    for tenant in 1..=3 {
        let id = TenantId::parse(&guid(tenant)).expect("a GUID");
        let key = rig.ctx.store.standing(id).await.expect("readable").expect("enrolled").key;
        let now = Clock::System.now();
        // Of today: what is a day or a week old is looked at by other indexes when that is all of a small store.
        let alert = |n: u32| {
            let [updated, created] = [n, n + 60].map(|n| now.minus(Duration::from_secs(u64::from(n) * 60)));
            let severity = ["High", "Low"][usize::try_from(n % 2).expect("small")];
            let raw = format!(
                r#"{{"id":"da{n}","lastUpdateTime":"{updated}","severity":"{severity}","status":"New",
                    "alertCreationTime":"{created}","title":"Something","machineId":"m{n}"}}"#
            );
            Alert::scan(raw.into_bytes(), false).expect("an alert")
        };
        let batch = Batch { alerts: (0..50).map(alert).collect(), ..Batch::default() };
        rig.ctx.store.land(key, batch, CoverageMove::default()).await.expect("landed");
    }
    let conn = Connection::open(&rig.path).expect("a store");
    (rig, conn)
}

#[tokio::test]
async fn plans_are_good_whatever_is_known_of_the_tables() {
    let (rig, conn) = store().await;
    let known = |conn: &Connection| conn.query_row("SELECT count(*) FROM sqlite_stat1", [], |row| row.get::<_, i64>(0));
    assert!(known(&conn).is_err(), "a store that was never closed has no statistics");
    all_hold(&conn, "without statistics");
    conn.execute_batch("ANALYZE").expect("analysed");
    assert!(known(&conn).is_ok_and(|rows| rows > 5));
    all_hold(&conn, "with those of a small store");
    conn.execute_batch("DELETE FROM sqlite_stat1; DROP TABLE IF EXISTS sqlite_stat4").expect("deleted");
    for (table, index, numbers) in STATISTICS {
        conn.execute("INSERT INTO sqlite_stat1 VALUES (?1, ?2, ?3)", [table, index, numbers]).expect("inserted");
    }
    drop(conn);
    let conn = support::open(&rig.path);
    assert_eq!(known(&conn), Ok(12));
    all_hold(&conn, "with those of a big store");
}

#[test]
fn every_query_of_the_page_is_looked_at() {
    for query in queries() {
        let marks = QUERIES.iter().map(|(mark, _)| *mark).chain(OTHERS);
        let fit: Vec<_> = marks.filter(|mark| query.contains(mark)).collect();
        assert_eq!(fit.len(), 1, "{fit:?} in\n{query}");
    }
}
