//! Owns what has been read of a tenant and what is known to be unread.

use rusqlite::{Connection, Row, params};

use super::{StoreError, TenantKey, time};
use crate::domain::{AlertId, Gap, GapReason, Ticks, Window};

/// Everything from which the next request to a tenant is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// Service clock: all alerts last updated before it have been read, except inside gaps.
    pub covered_until: Option<Ticks>,
    /// Service clock: when the last daily second look was opened.
    pub last_sweep_at: Option<Ticks>,
    /// How often the head window's own answer failed in a row.
    pub head_failures: u32,
    /// Local clock: when the service last refused `$orderby`.
    pub orderby_refused_at: Option<Ticks>,
    /// The open gaps, oldest first.
    pub gaps: Vec<Gap>,
}

/// A gap to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGap {
    /// What is unread; must end.
    pub window: Window,
    /// Why.
    pub reason: GapReason,
    /// Failures already met on it.
    pub attempts: u32,
    /// Rows to ask for, when fewer than usual.
    pub top: Option<u32>,
}

/// One step of reading, as it changes what is known to be unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GapEdit {
    /// Something is known to be unread.
    Open(NewGap),
    /// Its beginning has been read.
    Shrink {
        /// The gap.
        id: i64,
        /// Its new beginning.
        from: Ticks,
        /// At the new beginning, ids up to this one are read.
        after_id: Option<AlertId>,
        /// Rows to ask for next, when fewer than usual.
        top: Option<u32>,
    },
    /// All of it has been read, or it has been replaced by others.
    Close(i64),
    /// Reading it failed.
    Defer {
        /// The gap.
        id: i64,
        /// Failures since it last moved.
        attempts: u32,
        /// Rows to ask for next, when fewer than usual.
        top: Option<u32>,
        /// Local clock: not to be tried before.
        not_before: Option<Ticks>,
        /// What happened.
        error: String,
    },
}

/// A change of coverage that lands together with the rows that justify it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CoverageMove {
    /// The head has been read up to here; never moves back.
    pub covered_until: Option<Ticks>,
    /// A daily second look was opened at this time of the service's clock.
    pub swept_at: Option<Ticks>,
    /// The new count of failures of the head window, if it changes.
    pub head_failures: Option<u32>,
    /// The service refused `$orderby` at this time of the local clock.
    pub orderby_refused_at: Option<Ticks>,
    /// What happens to the gaps, in this order.
    pub gaps: Vec<GapEdit>,
}

/// What is known of a tenant's coverage.
pub(super) fn load(conn: &Connection, tenant: TenantKey) -> Result<Coverage, StoreError> {
    let mut statement = conn.prepare_cached(
        "-- coverage::load\n\
         SELECT covered_until, last_sweep_at, head_failures, orderby_refused_at FROM tenant WHERE tenant_key = ?1",
    )?;
    let gaps = gaps(conn, tenant)?;
    Ok(statement.query_row([tenant.0], |row| {
        Ok(Coverage {
            covered_until: time::read(row, 0)?,
            last_sweep_at: time::read(row, 1)?,
            head_failures: row.get(2)?,
            orderby_refused_at: time::read(row, 3)?,
            gaps,
        })
    })?)
}

fn gaps(conn: &Connection, tenant: TenantKey) -> Result<Vec<Gap>, StoreError> {
    let mut statement = conn.prepare_cached(
        "-- coverage::gaps\n\
         SELECT gap_id, from_time, until_time, after_id, reason, attempts, top, not_before
         FROM gap WHERE tenant_key = ?1 ORDER BY from_time, gap_id",
    )?;
    let rows = statement.query_map([tenant.0], gap)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn gap(row: &Row<'_>) -> rusqlite::Result<Gap> {
    let (from, until) = (time::must(row, 1)?, time::must(row, 2)?);
    let after_id: Option<String> = row.get(3)?;
    let reason: String = row.get(4)?;
    Ok(Gap {
        id: row.get(0)?,
        window: Window::new(from, until).ok_or(rusqlite::Error::IntegralValueOutOfRange(1, from.as_ticks()))?,
        after_id: after_id.and_then(AlertId::new),
        reason: GapReason::named(&reason).unwrap_or(GapReason::Failed),
        attempts: row.get(5)?,
        top: row.get(6)?,
        not_before: time::read(row, 7)?,
    })
}

/// Carries out a change of coverage.
pub(super) fn apply(conn: &Connection, tenant: TenantKey, change: &CoverageMove, now: Ticks) -> Result<(), StoreError> {
    for edit in &change.gaps {
        edit_gap(conn, tenant, edit, now)?;
    }
    let mut statement = conn.prepare_cached(
        "-- coverage::apply\n\
         UPDATE tenant SET covered_until = nullif(max(coalesce(?2, ''), coalesce(covered_until, '')), ''),
                last_sweep_at = coalesce(?3, last_sweep_at), head_failures = coalesce(?4, head_failures),
                orderby_refused_at = coalesce(?5, orderby_refused_at)
         WHERE tenant_key = ?1",
    )?;
    let text = |time: Option<Ticks>| time.map(|t| t.to_string());
    statement.execute(params![
        tenant.0,
        text(change.covered_until),
        text(change.swept_at),
        change.head_failures,
        text(change.orderby_refused_at)
    ])?;
    Ok(())
}

fn edit_gap(conn: &Connection, tenant: TenantKey, edit: &GapEdit, now: Ticks) -> Result<(), StoreError> {
    match edit {
        GapEdit::Open(gap) => {
            let mut statement = conn.prepare_cached(
                "-- coverage::open\n\
                 INSERT INTO gap (tenant_key, from_time, until_time, reason, attempts, top, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            let until = gap.window.until().ok_or_else(|| StoreError::Sql("a gap must end".to_owned()))?;
            let (from, until) = (gap.window.from().to_string(), until.to_string());
            let row = params![tenant.0, from, until, gap.reason.name(), gap.attempts, gap.top, now.to_string()];
            statement.execute(row)?;
        }
        GapEdit::Shrink { id, from, after_id, top } => {
            let mut statement = conn.prepare_cached(
                "-- coverage::shrink\n\
                 UPDATE gap SET from_time = ?3, after_id = ?4, top = ?5, attempts = 0, not_before = NULL,
                        last_error = NULL
                 WHERE gap_id = ?2 AND tenant_key = ?1",
            )?;
            let after_id = after_id.as_ref().map(AlertId::as_str);
            statement.execute(params![tenant.0, id, from.to_string(), after_id, top])?;
        }
        GapEdit::Close(id) => {
            let mut statement =
                conn.prepare_cached("-- coverage::close\nDELETE FROM gap WHERE gap_id = ?2 AND tenant_key = ?1")?;
            statement.execute(params![tenant.0, id])?;
        }
        GapEdit::Defer { id, attempts, top, not_before, error } => {
            let mut statement = conn.prepare_cached(
                "-- coverage::defer\n\
                 UPDATE gap SET attempts = ?3, top = ?4, not_before = ?5, last_error = ?6
                 WHERE gap_id = ?2 AND tenant_key = ?1",
            )?;
            let not_before = not_before.map(|t| t.to_string());
            statement.execute(params![tenant.0, id, attempts, top, not_before, error])?;
        }
    }
    Ok(())
}
