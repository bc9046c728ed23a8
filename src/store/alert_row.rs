//! Owns the rows of `alert`.

use rusqlite::{Connection, OptionalExtension, ToSql, params};

use super::{StoreError, TenantKey};
use crate::domain::{Alert, AlertId, Columns, Ticks, Window};

/// What the store has of an alert: enough to tell whether what came from the wire is news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    /// The row.
    pub key: i64,
    /// The stored version, as column text.
    pub last_update: String,
    /// Digest of the text as it was received.
    pub digest: [u8; 16],
    /// Whether it was last read without evidence.
    pub thin: bool,
}

/// The columns that an insert and an update write alike.
macro_rules! columns {
    () => {
        "last_update_time, digest, thin, severity, status, incident_id, classification, determination, \
         investigation_state, category, detection_source, title, assigned_to, machine_id, computer_dns_name, \
         threat_name, mitre_techniques, alert_creation_time, first_event_time, last_event_time, resolved_time, \
         evidence_count, raw"
    };
}

pub(super) fn find(conn: &Connection, tenant: TenantKey, id: &AlertId) -> Result<Option<Stored>, StoreError> {
    let mut statement = conn.prepare_cached(
        "-- alert_row::find\n\
         SELECT alert_key, last_update_time, digest, thin FROM alert WHERE tenant_key = ?1 AND alert_id = ?2",
    )?;
    let stored = statement.query_row(params![tenant.0, id.as_str()], |row| {
        Ok(Stored { key: row.get(0)?, last_update: row.get(1)?, digest: row.get(2)?, thin: row.get(3)? })
    });
    Ok(stored.optional()?)
}

/// The alerts of a window that were last read without evidence, at most `limit` of them.
pub(super) fn thin(
    conn: &Connection,
    tenant: TenantKey,
    window: Window,
    limit: usize,
) -> Result<Vec<AlertId>, StoreError> {
    // The service may know a time that is printed rounded up to the window's end, so the end is looked at, too.
    let mut statement = conn.prepare_cached(
        "-- alert_row::thin\n\
         SELECT alert_id FROM alert
         WHERE tenant_key = ?1 AND last_update_time >= ?2 AND last_update_time <= ?3 AND thin LIMIT ?4",
    )?;
    let (from, until) = (window.from().to_string(), window.until().unwrap_or(Ticks::MAX).to_string());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let ids = statement.query_map(params![tenant.0, from, until, limit], |row| row.get::<_, String>(0))?;
    Ok(ids.collect::<Result<Vec<_>, _>>()?.into_iter().filter_map(AlertId::new).collect())
}

/// Whether the stored version is still the one that was looked at.
pub(super) fn is_still(conn: &Connection, stored: &Stored) -> Result<bool, StoreError> {
    let mut statement = conn.prepare_cached(
        "-- alert_row::is_still\n\
         SELECT 1 FROM alert WHERE alert_key = ?1 AND last_update_time = ?2 AND digest = ?3 AND thin = ?4",
    )?;
    Ok(statement.exists(params![stored.key, stored.last_update, stored.digest, stored.thin])?)
}

/// Deletes an alert, whose changes are gone already.
pub(super) fn delete(conn: &Connection, key: i64) -> Result<(), StoreError> {
    let mut statement = conn.prepare_cached("-- alert_row::delete\nDELETE FROM alert WHERE alert_key = ?1")?;
    statement.execute([key])?;
    Ok(())
}

/// The stored text of an alert.
pub(super) fn raw(conn: &Connection, key: i64) -> Result<String, StoreError> {
    let mut statement = conn.prepare_cached("-- alert_row::raw\nSELECT raw FROM alert WHERE alert_key = ?1")?;
    Ok(statement.query_row([key], |row| row.get(0))?)
}

/// Adds an alert; its key, or `None` when it is there already.
pub(super) fn insert(
    conn: &Connection,
    tenant: TenantKey,
    alert: &Alert,
    columns: &Columns,
    now: Ticks,
) -> Result<Option<i64>, StoreError> {
    let mut statement = conn.prepare_cached(concat!(
        "-- alert_row::insert\nINSERT INTO alert (",
        columns!(),
        ", tenant_key, alert_id, first_seen_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
         ON CONFLICT (tenant_key, alert_id) DO NOTHING"
    ))?;
    let (version, digest) = (alert.last_update.to_string(), alert.digest.to_be_bytes());
    let (id, now) = (alert.id.as_str(), now.to_string());
    let common = common(&version, &digest, &alert.thin, columns, &alert.raw);
    let own: [&dyn ToSql; 3] = [&tenant.0, &id, &now];
    let new = statement.execute(rusqlite::params_from_iter(common.iter().chain(own.iter())))?;
    Ok((new == 1).then(|| conn.last_insert_rowid()))
}

/// Replaces the stored version; false when it is no longer the one that was looked at.
pub(super) fn replace(
    conn: &Connection,
    alert: &Alert,
    stored: &Stored,
    raw: &str,
    columns: &Columns,
) -> Result<bool, StoreError> {
    let mut statement = conn.prepare_cached(concat!(
        "-- alert_row::replace\nUPDATE alert SET (",
        columns!(),
        ") = (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
         WHERE alert_key = ? AND last_update_time = ? AND digest = ? AND thin = ?"
    ))?;
    let (version, digest) = (alert.last_update.to_string(), alert.digest.to_be_bytes());
    let common = common(&version, &digest, &alert.thin, columns, &raw);
    let own: [&dyn ToSql; 4] = [&stored.key, &stored.last_update, &stored.digest, &stored.thin];
    Ok(statement.execute(rusqlite::params_from_iter(common.iter().chain(own.iter())))? == 1)
}

fn common<'a>(
    version: &'a dyn ToSql,
    digest: &'a [u8; 16],
    thin: &'a bool,
    columns: &'a Columns,
    raw: &'a dyn ToSql,
) -> [&'a dyn ToSql; 23] {
    [
        version,
        digest,
        thin,
        &columns.severity,
        &columns.status,
        &columns.incident_id,
        &columns.classification,
        &columns.determination,
        &columns.investigation_state,
        &columns.category,
        &columns.detection_source,
        &columns.title,
        &columns.assigned_to,
        &columns.machine_id,
        &columns.computer_dns_name,
        &columns.threat_name,
        &columns.mitre_techniques,
        &columns.alert_creation_time,
        &columns.first_event_time,
        &columns.last_event_time,
        &columns.resolved_time,
        &columns.evidence_count,
        raw,
    ]
}
