//! Owns how it stands with every tenant, read from the public views.

use rusqlite::{Connection, Row};
use serde::Serialize;

use super::StoreError;

/// How it stands with every tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// A row a tenant, those that need somebody first.
    pub tenants: Vec<TenantReport>,
    /// The newest change; 0 when there is none.
    pub last_seq: i64,
}

/// A row of the view `tenants`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each field is the view's column of the same name; docs/SCHEMA.md has their meaning")]
pub struct TenantReport {
    pub tenant_id: String,
    pub name: String,
    pub state: String,
    pub reason: Option<String>,
    pub remedy: Option<String>,
    pub covered_until: Option<String>,
    pub lag_seconds: Option<i64>,
    pub last_success_at: Option<String>,
    pub consecutive_failures: i64,
    pub open_gaps: i64,
    pub alert_count: i64,
    pub quarantined: i64,
    pub next_attempt_at: String,
    pub app: String,
    pub region: String,
    pub clock_skew_ms: Option<i64>,
}

pub(super) fn load(conn: &Connection) -> Result<Report, StoreError> {
    let mut statement = conn.prepare_cached(
        "-- report::load\n\
         SELECT tenant_id, name, state, reason, remedy, covered_until, lag_seconds, last_success_at,
                consecutive_failures, open_gaps, alert_count, quarantined, next_attempt_at, app, region, clock_skew_ms
         FROM tenants ORDER BY state IN ('ok', 'disabled'), name, tenant_id",
    )?;
    let rows = statement.query_map([], tenant)?;
    let tenants = rows.collect::<Result<_, _>>()?;
    let last_seq =
        conn.query_row("-- report::last_seq\nSELECT coalesce(max(seq), 0) FROM alert_change", [], |row| row.get(0))?;
    Ok(Report { tenants, last_seq })
}

fn tenant(row: &Row<'_>) -> rusqlite::Result<TenantReport> {
    Ok(TenantReport {
        tenant_id: row.get(0)?,
        name: row.get(1)?,
        state: row.get(2)?,
        reason: row.get(3)?,
        remedy: row.get(4)?,
        covered_until: row.get(5)?,
        lag_seconds: row.get(6)?,
        last_success_at: row.get(7)?,
        consecutive_failures: row.get(8)?,
        open_gaps: row.get(9)?,
        alert_count: row.get(10)?,
        quarantined: row.get(11)?,
        next_attempt_at: row.get(12)?,
        app: row.get(13)?,
        region: row.get(14)?,
        clock_skew_ms: row.get(15)?,
    })
}
