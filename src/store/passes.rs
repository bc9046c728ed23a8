//! Owns how passes ended: what it does to a tenant's row, and the recent passes worth a row of their own.

use rusqlite::{Connection, params};

use super::{Counts, StoreError, TenantKey, coverage};
use crate::domain::{Failure, TenantState, Ticks};

/// So many passes are kept; a fleet of 10,000 tenants makes three million a day, most of them without events.
const KEPT: i64 = 100_000;

/// How a pass ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassRecord {
    /// Local clock.
    pub started_at: Ticks,
    /// Local clock.
    pub finished_at: Ticks,
    /// `read`: nothing is left unread; `partial`: more is to be read; `failed`.
    pub outcome: &'static str,
    /// Whether it deserves a row of its own.
    pub eventful: bool,
    /// API requests sent.
    pub requests: u32,
    /// Rows answered, repeats included.
    pub rows: u64,
    /// What became of them.
    pub counts: Counts,
    /// Bytes of bodies after decompression.
    pub bytes: u64,
    /// Milliseconds it took.
    pub ms: u64,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// The tenant's state after it.
    pub state: TenantState,
    /// Why the state is not ok.
    pub reason: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
    /// Failures in a row after it.
    pub consecutive_failures: u32,
    /// Local clock: when to come back.
    pub next_attempt_at: Ticks,
    /// API calls in the last hour, for the quota after a restart.
    pub calls_spent: u32,
    /// Local clock minus service clock, in milliseconds, if it was seen.
    pub clock_skew_ms: Option<i64>,
}

/// How it stands with a tenant's coverage after a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassEnd {
    /// Service clock: what is covered, gaps aside.
    pub covered_until: Option<Ticks>,
    /// Gaps still open.
    pub open_gaps: u64,
}

/// Writes how a pass ended.
///
/// A pass that called nobody dates no calls anew: each restart would otherwise begin the minute again in which the quota is
/// used up, and a daemon that is often restarted would never be free to call.
pub(super) fn finish(conn: &Connection, tenant: TenantKey, pass: &PassRecord) -> Result<PassEnd, StoreError> {
    let mut statement = conn.prepare_cached(
        "-- passes::finish\n\
         UPDATE tenant SET state = iif(active, ?2, state), state_since = iif(state = ?2, state_since, ?3),
                reason = ?4, remedy = ?5, last_attempt_at = ?3, last_success_at = iif(?6, ?3, last_success_at),
                consecutive_failures = ?7, next_attempt_at = ?8,
                calls_spent = iif(?12 = 0 AND ?9 <= calls_spent, calls_spent, ?9),
                calls_counted_at = iif(?12 = 0 AND ?9 <= calls_spent, calls_counted_at, ?3),
                clock_skew_ms = coalesce(?10, clock_skew_ms), failure_class = ?11
         WHERE tenant_key = ?1",
    )?;
    statement.execute(params![
        tenant.0,
        pass.state.name(),
        pass.finished_at.to_string(),
        pass.reason,
        pass.remedy,
        pass.failure.is_none(),
        pass.consecutive_failures,
        pass.next_attempt_at.to_string(),
        pass.calls_spent,
        pass.clock_skew_ms,
        pass.failure.as_ref().map(|failure| failure.class.name()),
        pass.requests
    ])?;
    if pass.eventful {
        record(conn, tenant, pass)?;
    }
    let coverage = coverage::load(conn, tenant)?;
    Ok(PassEnd { covered_until: coverage.covered_until, open_gaps: coverage.gaps.len() as u64 })
}

fn record(conn: &Connection, tenant: TenantKey, pass: &PassRecord) -> Result<(), StoreError> {
    let mut statement = conn.prepare_cached(
        "-- passes::record\n\
         INSERT INTO pass (tenant_key, started_at, finished_at, outcome, requests, rows, created, updated, unchanged,
                           quarantined, bytes, ms, class, reason)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?;
    let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    statement.execute(params![
        tenant.0,
        pass.started_at.to_string(),
        pass.finished_at.to_string(),
        pass.outcome,
        pass.requests,
        whole(pass.rows),
        whole(pass.counts.created),
        whole(pass.counts.updated),
        whole(pass.counts.unchanged),
        whole(pass.counts.quarantined),
        whole(pass.bytes),
        whole(pass.ms),
        pass.failure.as_ref().map(|f| f.class.name()),
        pass.failure.as_ref().map(|f| f.reason.as_str())
    ])?;
    let newest = conn.last_insert_rowid();
    let mut trim = conn.prepare_cached("-- passes::trim\nDELETE FROM pass WHERE pass_id <= ?1")?;
    trim.execute([newest - KEPT])?;
    Ok(())
}
