//! Owns the history of changes and the cursors of those who follow it.

use rusqlite::{Connection, OptionalExtension, params};

use super::StoreError;
use super::alerts::Observation;
use crate::domain::{Alert, ChangeKind};

/// One observed change, with what a log line tells of its alert.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the column of the same name; docs/SCHEMA.md has their meaning")]
pub struct Change {
    pub seq: i64,
    pub kind: ChangeKind,
    pub tenant_id: String,
    pub tenant_name: String,
    pub alert_id: String,
    pub last_update_time: String,
    pub severity: Option<String>,
    pub status: Option<String>,
    pub category: Option<String>,
    pub detection_source: Option<String>,
    pub title: Option<String>,
    pub computer_dns_name: Option<String>,
    pub incident_id: Option<i64>,
    pub fields: Option<String>,
    pub history: bool,
}

pub(super) fn record(
    conn: &Connection,
    alert_key: i64,
    kind: ChangeKind,
    alert: &Alert,
    fields: Option<&str>,
    seen: Observation,
) -> Result<(), StoreError> {
    let mut statement = conn.prepare_cached(
        "-- changes::record\n\
         INSERT INTO alert_change (alert_key, kind, observed_at, last_update_time, fields, history)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let version = alert.last_update.to_string();
    statement.execute(params![alert_key, kind.name(), seen.at.to_string(), version, fields, seen.history])?;
    Ok(())
}

/// The changes after `seq`, oldest first, at most `limit` of them.
pub(super) fn after(conn: &Connection, seq: i64, limit: usize) -> Result<Vec<Change>, StoreError> {
    let mut statement = conn.prepare_cached(
        "-- changes::after\n\
         SELECT c.seq, c.kind, t.tenant_id, t.name, a.alert_id, c.last_update_time, a.severity, a.status, a.category,
                a.detection_source, a.title, a.computer_dns_name, a.incident_id, c.fields, c.history
         FROM alert_change AS c JOIN alert AS a USING (alert_key) JOIN tenant AS t USING (tenant_key)
         WHERE c.seq > ?1 ORDER BY c.seq LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![seq, limit], |row| {
        let kind: String = row.get(1)?;
        Ok(Change {
            seq: row.get(0)?,
            kind: if kind == ChangeKind::Created.name() { ChangeKind::Created } else { ChangeKind::Updated },
            tenant_id: row.get(2)?,
            tenant_name: row.get(3)?,
            alert_id: row.get(4)?,
            last_update_time: row.get(5)?,
            severity: row.get(6)?,
            status: row.get(7)?,
            category: row.get(8)?,
            detection_source: row.get(9)?,
            title: row.get(10)?,
            computer_dns_name: row.get(11)?,
            incident_id: row.get(12)?,
            fields: row.get(13)?,
            history: row.get(14)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Deletes the changes of an alert; how many there were. Their numbers are not used again.
pub(super) fn delete(conn: &Connection, alert_key: i64) -> Result<u64, StoreError> {
    let mut statement = conn.prepare_cached("-- changes::delete\nDELETE FROM alert_change WHERE alert_key = ?1")?;
    Ok(statement.execute([alert_key])? as u64)
}

/// Everybody who follows the changes, with the last one dealt with.
pub(super) fn cursors(conn: &Connection) -> Result<Vec<(String, i64)>, StoreError> {
    let mut statement = conn.prepare_cached("-- changes::cursors\nSELECT name, seq FROM cursor ORDER BY name")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Where the follower called `name` stands; 0 when it never moved.
pub(super) fn cursor(conn: &Connection, name: &str) -> Result<i64, StoreError> {
    let mut statement = conn.prepare_cached("-- changes::cursor\nSELECT seq FROM cursor WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?.unwrap_or(0))
}

pub(super) fn move_cursor(conn: &Connection, name: &str, seq: i64) -> Result<(), StoreError> {
    let mut statement = conn.prepare_cached(
        "-- changes::move_cursor\n\
         INSERT INTO cursor (name, seq) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET seq = max(seq, excluded.seq)",
    )?;
    statement.execute(params![name, seq])?;
    Ok(())
}
