//! Owns the two limits: what the network and the splitting cost alone, and what the database costs alone.

use std::time::Instant;

use alertferry::clock::Clock;
use alertferry::domain::{Alert, Columns, Findable};
use alertferry::store::Store;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::report;

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    value: Vec<&'a RawValue>,
}

/// All pages, decompressed.
async fn pages(url: &str, mut each: impl FnMut(&[u8])) {
    let client = reqwest::Client::builder().tls_certs_only([]).no_proxy().build().expect("a client");
    for page in 0.. {
        let response = client.get(format!("{url}/page/{page}")).send().await.expect("an answer");
        let body = response.bytes().await.expect("a body");
        if body.is_empty() {
            return;
        }
        each(&body);
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

/// Downloads every page, decompresses it and splits it into its rows.
pub(crate) fn download_and_split(url: &str) {
    let begun = Instant::now();
    let mut rows = 0;
    runtime().block_on(pages(url, |body| {
        let answer: Answer<'_> = serde_json::from_slice(body).expect("an answer");
        rows += answer.value.len();
    }));
    report(begun.elapsed().as_secs_f64(), rows);
}

/// Which of the indexes of what alerts are found by are filled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Indexes {
    pub(crate) values: bool,
    pub(crate) words: bool,
}

/// Inserts the rows that the daemon writes for these pages, from memory, by the fastest plain way: prepared
/// statements, a thousand rows a transaction, the same file settings. Reading alerts is not counted.
pub(crate) fn insert(url: &str, indexes: Indexes) {
    let mut alerts: Vec<(Alert, Columns, Findable)> = Vec::new();
    runtime().block_on(pages(url, |body| {
        let answer: Answer<'_> = serde_json::from_slice(body).expect("an answer");
        for row in answer.value {
            let alert = Alert::scan(row.get().as_bytes().to_vec(), false).expect("an alert");
            let columns = Columns::of(&alert.raw).expect("columns");
            let found = Findable::of(&alert.raw, &columns);
            alerts.push((alert, columns, found));
        }
    }));
    alerts.sort_by(|a, b| (&a.0.id, a.0.last_update).cmp(&(&b.0.id, b.0.last_update)));
    alerts.dedup_by(|a, b| a.0.id == b.0.id);
    alerts.sort_by_key(|alert| alert.0.last_update);
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("alerts.db");
    let (store, writer) = Store::open(&path, Clock::System).expect("a store");
    drop(store);
    writer.join().expect("a store");
    let mut conn = rusqlite::Connection::open(&path).expect("a store");
    conn.execute_batch(
        "PRAGMA synchronous = full; PRAGMA cache_size = -16384;
         INSERT INTO tenant (tenant_id, name, app, region, state_since, next_attempt_at) VALUES ('t', 't', 'a', 'r', 'x', 'x')",
    )
    .expect("settings");
    let begun = Instant::now();
    for thousand in alerts.chunks(1_000) {
        let tx = conn.transaction().expect("a transaction");
        let keys: Vec<i64> = thousand.iter().map(|(alert, columns, _)| insert_one(&tx, alert, columns)).collect();
        keys.iter().zip(thousand).for_each(|(key, (_, _, found))| {
            if indexes.words {
                enter_words(&tx, *key, found);
            }
            if indexes.values {
                enter_values(&tx, *key, found);
            }
        });
        tx.commit().expect("committed");
    }
    report(begun.elapsed().as_secs_f64(), alerts.len());
}

/// Returns the new row's key.
fn insert_one(tx: &rusqlite::Transaction<'_>, alert: &Alert, columns: &Columns) -> i64 {
    const NOW: &str = "2026-11-24T12:00:00.0000000Z";
    let mut row = tx
        .prepare_cached(
            "INSERT INTO alert (tenant_key, alert_id, last_update_time, digest, thin, severity, status, incident_id,
                 classification, determination, investigation_state, category, detection_source, title, assigned_to,
                 machine_id, computer_dns_name, threat_name, mitre_techniques, alert_creation_time, first_event_time,
                 last_event_time, resolved_time, first_seen_at, evidence_count, raw)
             VALUES (1, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .expect("a statement");
    row.execute(rusqlite::params![
        alert.id.as_str(),
        alert.last_update.to_string(),
        alert.digest.to_be_bytes(),
        columns.severity,
        columns.status,
        columns.incident_id,
        columns.classification,
        columns.determination,
        columns.investigation_state,
        columns.category,
        columns.detection_source,
        columns.title,
        columns.assigned_to,
        columns.machine_id,
        columns.computer_dns_name,
        columns.threat_name,
        columns.mitre_techniques,
        columns.alert_creation_time,
        columns.first_event_time,
        columns.last_event_time,
        columns.resolved_time,
        NOW,
        columns.evidence_count,
        alert.raw,
    ])
    .expect("inserted");
    let key = tx.last_insert_rowid();
    let mut change = tx
        .prepare_cached(
            "INSERT INTO alert_change (alert_key, kind, observed_at, last_update_time, fields, history)
             VALUES (?, 'created', ?, ?, NULL, 1)",
        )
        .expect("a statement");
    change.execute(rusqlite::params![key, NOW, alert.last_update.to_string()]).expect("inserted");
    key
}

fn enter_words(tx: &rusqlite::Transaction<'_>, key: i64, found: &Findable) {
    let mut words = tx
        .prepare_cached(
            "INSERT INTO text_index (rowid, title, description, command_lines, file_names) VALUES (?, ?, ?, ?, ?)",
        )
        .expect("a statement");
    words
        .execute(rusqlite::params![key, found.title, found.description, found.command_lines, found.file_names])
        .expect("inserted");
}

fn enter_values(tx: &rusqlite::Transaction<'_>, key: i64, found: &Findable) {
    let mut values = tx
        .prepare_cached(
            "INSERT INTO value_index (rowid, sha1, sha256, ip, url, domain, file, account, upn, sid, user, device)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .expect("a statement");
    values.raw_bind_parameter(1, key).expect("bound");
    for (at, value) in found.values.iter().enumerate() {
        values.raw_bind_parameter(at + 2, value).expect("bound");
    }
    values.raw_execute().expect("inserted");
}
