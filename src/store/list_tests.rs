//! Holds lists to what a look at every alert finds, whichever index they are read by.

use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use super::filter::{AlertFilter, Conditions, Tenants};
use super::list::{AlertSort, parts};
use super::{Store, connection, stats};
use crate::clock::Clock;
use crate::domain::Ticks;

/// An alert as it is listed.
struct Listed {
    key: i64,
    tenant: i64,
    severity: Option<&'static str>,
    status: Option<&'static str>,
    device: String,
    created: Option<String>,
    updated: String,
}

const SEVERITIES: [Option<&str>; 7] =
    [Some("High"), Some("Low"), Some("Informational"), None, Some("Medium"), Some("Odd"), Some("UnSpecified")];
const STATUSES: [Option<&str>; 5] = [Some("New"), Some("Resolved"), Some("InProgress"), None, Some("Odd")];

fn moment(seconds: i64) -> Ticks {
    Ticks::from_unix_seconds(1_700_000_000 + seconds)
}

/// Alerts of three tenants, with every severity in every status, and many at one moment.
fn alerts() -> Vec<Listed> {
    let alert = |key: i64| {
        let at = |list: &[Option<&'static str>], step: i64| {
            usize::try_from(key / step).ok().and_then(|place| list.get(place % list.len()).copied().flatten())
        };
        Listed {
            key,
            tenant: key % 3 + 1,
            severity: at(&SEVERITIES, 1),
            status: at(&STATUSES, 2),
            device: format!("desk-{}", key % 4),
            created: (key % 11 > 0).then(|| moment(key % 6).to_string()),
            updated: moment(key % 9).to_string(),
        }
    };
    (1..=240).map(alert).collect()
}

/// A store with these alerts, in a directory that goes with it.
fn filled(alerts: &[Listed]) -> (tempfile::TempDir, Connection) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("alerts.db");
    let (store, writer) = Store::open(&path, Clock::System).expect("a store");
    drop(store);
    writer.join().expect("the writer ended well");
    let mut conn = connection::writer(&path).expect("a writer");
    let tx = conn.transaction().expect("a transaction");
    for tenant in 1..=3 {
        let sql = "-- list_tests::tenant\n\
                   INSERT INTO tenant (tenant_key, tenant_id, name, app, region, state_since, next_attempt_at)
                   VALUES (?1, ?1, ?1, 'main', 'eu', '', '')";
        tx.execute(sql, [tenant]).expect(sql);
    }
    for alert in alerts {
        let Listed { key, tenant, severity, status, device, created, updated } = alert;
        let sql = "-- list_tests::alert\n\
                   INSERT INTO alert (alert_key, tenant_key, alert_id, last_update_time, digest, thin, severity, status,
                                      alert_creation_time, first_seen_at, evidence_count, raw)
                   VALUES (?1, ?2, ?1, ?3, x'', 0, ?4, ?5, ?6, '', 0, '{}')";
        tx.execute(sql, params![key, tenant, updated, severity, status, created]).expect(sql);
        let sql = "-- list_tests::device\nINSERT INTO value_index (rowid, device) VALUES (?1, ?2)";
        tx.execute(sql, params![key, device]).expect(sql);
    }
    tx.commit().expect("committed");
    (directory, conn)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Filters of every sort, each with every other.
fn filters() -> Vec<AlertFilter> {
    let severities: [&[&str]; 5] = [&[], &["hIGH"], &["Low", "high"], &["odd"], &["Odd", "Medium", "unspecified"]];
    let statuses: [&[&str]; 4] = [&[], &["new", "INPROGRESS"], &["Resolved", "New"], &["Odd"]];
    let mut filters = Vec::new();
    for severities in severities {
        for statuses in statuses {
            for devices in [[].as_slice(), &["DESK-2", "desk-3"]] {
                for (since, until) in [(None, None), (Some(moment(3)), None), (Some(moment(2)), Some(moment(7)))] {
                    let (severities, statuses, devices) = (words(severities), words(statuses), words(devices));
                    filters.push(AlertFilter { severities, statuses, devices, since, until, ..AlertFilter::default() });
                }
            }
        }
    }
    filters
}

/// Whether an alert fits, word by word.
fn fits(filter: &AlertFilter, tenants: Option<&Tenants>, alert: &Listed) -> bool {
    let known = ["High", "Medium", "Low", "Informational", "UnSpecified", "New", "InProgress", "Resolved", "Unknown"];
    let one = |wanted: &[String], word: Option<&str>| {
        let same = |wanted: &String, word: &str| {
            if known.contains(&word) { wanted.eq_ignore_ascii_case(word) } else { wanted == word }
        };
        wanted.is_empty() || word.is_some_and(|word| wanted.iter().any(|wanted| same(wanted, word)))
    };
    let device = filter.devices.is_empty() || filter.devices.iter().any(|device| device.to_lowercase() == alert.device);
    tenants.is_none_or(|tenants| tenants.keys.contains(&alert.tenant))
        && one(&filter.severities, alert.severity)
        && one(&filter.statuses, alert.status)
        && device
        && filter.since.is_none_or(|since| alert.updated >= since.to_string())
        && filter.until.is_none_or(|until| alert.updated < until.to_string())
}

/// The keys of what fits, in their order.
fn expected(alerts: &[Listed], filter: &AlertFilter, tenants: Option<&Tenants>, sort: AlertSort) -> Vec<i64> {
    let mut fitting: Vec<&Listed> = alerts.iter().filter(|alert| fits(filter, tenants, alert)).collect();
    let rank = |alert: &Listed| {
        let ranked = ["High", "Medium", "Low", "Informational"];
        ranked.iter().position(|word| alert.severity == Some(word)).unwrap_or(ranked.len())
    };
    match sort {
        AlertSort::Updated => fitting.sort_by_key(|alert| (&alert.updated, alert.key)),
        AlertSort::Created => fitting.sort_by_key(|alert| (&alert.created, alert.key)),
        AlertSort::Severity => fitting.sort_by_key(|alert| (usize::MAX - rank(alert), &alert.updated, alert.key)),
    }
    fitting.iter().rev().map(|alert| alert.key).collect()
}

#[test]
fn every_index_tells_the_same() {
    let alerts = alerts();
    let (_directory, conn) = filled(&alerts);
    let some = |keys: &[i64], alerts| Some(Tenants { keys: keys.to_vec(), alerts });
    let (few, many) = (100, 1_000_000);
    let mut found = 0;
    for tenants in [None, some(&[], 0), some(&[2], few), some(&[2], many), some(&[1, 3], few), some(&[1, 3], many)] {
        for filter in filters() {
            for sort in [AlertSort::Updated, AlertSort::Created, AlertSort::Severity] {
                let mut keys = Vec::new();
                for part in parts(&filter, tenants.as_ref(), sort) {
                    part.read(&conn, usize::MAX, &mut keys).unwrap_or_else(|error| panic!("{error}: {}", part.sql));
                    no_scan(&conn, &part.sql, &filter);
                }
                let expected = expected(&alerts, &filter, tenants.as_ref(), sort);
                assert_eq!(keys, expected, "{sort:?} {tenants:?} {filter:?}");
                found += keys.len();
                let mut cut = Vec::new();
                for part in parts(&filter, tenants.as_ref(), sort) {
                    part.read(&conn, 3, &mut cut).expect("keys");
                }
                assert_eq!(cut, expected[..expected.len().min(3)], "{sort:?} {tenants:?} {filter:?}");
            }
        }
    }
    assert!(found > 10_000, "{found}");
}

#[test]
fn what_was_created_is_counted_whatever_its_update_claims() {
    let (_directory, conn) = filled(&alerts());
    let span = [moment(3).to_string(), moment(5).to_string()];
    let counted = |sql: &str| {
        let mut statement = conn.prepare(sql).expect(sql);
        let row = |row: &rusqlite::Row<'_>| -> rusqlite::Result<(i64, Option<String>, i64)> {
            Ok((row.get(0)?, row.get(1)?, row.get(3)?))
        };
        let rows = statement.query_map(params_from_iter(&span), row).expect(sql);
        let mut rows: Vec<_> = rows.collect::<Result<_, _>>().expect(sql);
        rows.sort();
        rows
    };
    let naive = "-- list_tests::naive\n\
                 SELECT tenant_key, severity, 0, count(*) FROM alert NOT INDEXED
                 WHERE alert_creation_time >= ?1 AND alert_creation_time < ?2 GROUP BY 1, 2";
    let ahead = "-- list_tests::ahead\n\
                 SELECT 0, NULL, 0, count(*) FROM alert
                 WHERE alert_creation_time >= ?1 AND alert_creation_time < ?2 AND last_update_time < ?1";
    assert!(counted(ahead)[0].2 > 10, "some claim to be updated before these days and created in them");
    let span = span.iter().cloned().map(Value::Text).collect();
    assert_eq!(counted(&stats::created(&Conditions::after(span))), counted(naive));
}

/// Asserts that a statement goes by an index.
fn no_scan(conn: &Connection, sql: &str, filter: &AlertFilter) {
    let mut statement = conn.prepare_cached(&format!("EXPLAIN QUERY PLAN {sql}")).expect(sql);
    let places = vec![Value::Null; statement.parameter_count()];
    let steps = statement.query_map(params_from_iter(places), |row| row.get::<_, String>(3)).expect(sql);
    let steps: Vec<String> = steps.collect::<Result<_, _>>().expect(sql);
    assert!(steps.iter().all(|step| step != "SCAN a"), "{sql}: {steps:?}");
    let by_keys = steps.iter().any(|step| step.starts_with("SEARCH a USING INTEGER PRIMARY KEY"));
    assert_eq!(by_keys, !filter.devices.is_empty(), "{sql}: {steps:?}");
}
