//! Owns how it stands with the fleet and with the file, in numbers that somebody else draws.

use std::path::Path;

use rusqlite::Connection;

use super::{StoreError, lock};
use crate::domain::{GapReason, TenantId, TenantState};

/// How it stands with the fleet and the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Gauges {
    /// Every tenant of the store, also those that are switched off, by id.
    pub tenants: Vec<TenantGauge>,
    /// Open gaps of tenants that are not switched off, by reason.
    pub gaps: Vec<(GapReason, i64)>,
    /// Alerts in the store.
    pub alerts: i64,
    /// Alerts that were set aside.
    pub quarantined: i64,
    /// Bytes of the database file.
    pub database_bytes: u64,
    /// Bytes of its write-ahead log.
    pub log_bytes: u64,
    /// Bytes that may still be written to its file system; none when the system does not say.
    pub free_bytes: Option<u64>,
}

/// How it stands with one tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantGauge {
    /// The tenant.
    pub id: TenantId,
    /// Its state.
    pub state: TenantState,
    /// Local clock, Unix seconds: the end of the last pass that did not fail.
    pub last_success: Option<i64>,
    /// Service clock, Unix seconds: everything updated before has been read, gaps aside.
    pub covered_until: Option<i64>,
    /// Failures in a row.
    pub consecutive_failures: u32,
    /// Seconds since the oldest update that may be unread, history and second looks aside.
    pub lag: Option<u32>,
    /// Local clock minus service clock in milliseconds, when it was last seen.
    pub clock_skew_ms: Option<i64>,
}

/// Reads it all at one moment of the store.
pub(super) fn load(conn: &Connection, path: &Path) -> Result<Gauges, StoreError> {
    let snapshot = conn.unchecked_transaction()?;
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let count =
        |sql: &str| -> Result<i64, StoreError> { Ok(snapshot.prepare_cached(sql)?.query_row([], |row| row.get(0))?) };
    Ok(Gauges {
        tenants: tenants(&snapshot)?,
        gaps: gaps(&snapshot)?,
        alerts: count("-- gauges::alerts\nSELECT coalesce(sum(alert_count), 0) FROM tenant")?,
        quarantined: count("-- gauges::quarantined\nSELECT count(*) FROM quarantine")?,
        database_bytes: length(path),
        log_bytes: length(&lock::beside(path, "-wal")),
        free_bytes: free(path),
    })
}

fn tenants(conn: &Connection) -> Result<Vec<TenantGauge>, StoreError> {
    let mut statement = conn.prepare_cached(
        "-- gauges::tenants\n\
         SELECT tenant_id, state, unixepoch(last_success_at), unixepoch(covered_until), consecutive_failures,
                max(lag_seconds, 0), clock_skew_ms
         FROM tenants ORDER BY tenant_id",
    )?;
    let rows = statement.query_map([], |row| {
        let (id, state): (String, String) = (row.get(0)?, row.get(1)?);
        let Ok(id) = TenantId::parse(&id) else { return Ok(None) };
        Ok(Some(TenantGauge {
            id,
            state: TenantState::named(&state).unwrap_or(TenantState::New),
            last_success: row.get(2)?,
            covered_until: row.get(3)?,
            consecutive_failures: row.get(4)?,
            lag: row.get(5)?,
            clock_skew_ms: row.get(6)?,
        }))
    })?;
    rows.filter_map(Result::transpose).map(|row| row.map_err(StoreError::from)).collect()
}

fn gaps(conn: &Connection) -> Result<Vec<(GapReason, i64)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "-- gauges::gaps\n\
         SELECT count(*) FROM gap JOIN tenant USING (tenant_key) WHERE active AND gap.reason = ?1",
    )?;
    let count = |reason: GapReason| Ok((reason, statement.query_row([reason.name()], |row| row.get(0))?));
    GapReason::ALL.into_iter().map(count).collect()
}

/// What a file system has left for who is not root.
fn free(path: &Path) -> Option<u64> {
    let directory = lock::directory_of(path);
    let system = rustix::fs::statvfs(directory).ok()?;
    Some(system.f_bavail.saturating_mul(system.f_frsize))
}
