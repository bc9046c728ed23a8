//! Owns the rows of `tenant`: who is configured, how it stands with them, and who is due.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{StoreError, TenantKey, time};
use crate::domain::{Tenant, TenantId, TenantState, Ticks};

/// A tenant that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Its row.
    pub key: TenantKey,
    /// The tenant.
    pub id: TenantId,
}

/// Which tenants are meant: those whose last pass went well, or the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// No failure since the last success.
    Healthy,
    /// At least one failure since.
    Failing,
}

/// What a pass must know of its tenant besides the coverage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its row.
    pub key: TenantKey,
    /// The state before the pass.
    pub state: TenantState,
    /// Local clock: the end of the last pass that did not fail.
    pub last_success_at: Option<Ticks>,
    /// Failures in a row before the pass.
    pub consecutive_failures: u32,
    /// API calls made in the hour before `calls_counted_at`.
    pub calls_spent: u32,
    /// Local clock: when they were counted.
    pub calls_counted_at: Option<Ticks>,
    /// Local clock minus service clock at the last pass that saw it, in milliseconds.
    pub clock_skew_ms: Option<i64>,
    /// Local clock: when a service that asked to wait may be asked again.
    pub asked_until: Option<Ticks>,
}

/// What the configuration changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    /// Tenants that are polled now and were not before.
    pub added: Vec<TenantId>,
    /// Tenants that are no longer polled; their rows stay.
    pub removed: Vec<TenantId>,
}

/// Makes the rows match the configuration. Who comes back or has another app registration is due at once, but for those
/// whose service asked to wait, or may have done so with an error: that is minutes away unless it did.
pub(super) fn enrol(conn: &Connection, tenants: &[Tenant], now: Ticks) -> Result<Roster, StoreError> {
    let before = active(conn)?;
    let now = now.to_string();
    let mut upsert = conn.prepare_cached(
        "-- tenants::enrol\n\
         INSERT INTO tenant (tenant_id, name, app, region, tags, active, state, state_since, next_attempt_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, iif(?6, 'new', 'disabled'), ?7, ?7)
         ON CONFLICT (tenant_id) DO UPDATE SET
             name = ?2, app = ?3, region = ?4, tags = ?5,
             next_attempt_at = iif(app = ?3 AND (active = ?6 OR coalesce(failure_class IN ('throttled', 'transient'), FALSE)),
                                   next_attempt_at, ?7),
             state = CASE WHEN active = ?6 THEN state WHEN ?6 THEN 'new' ELSE 'disabled' END,
             state_since = iif(active = ?6, state_since, ?7),
             reason = iif(active = ?6, reason, NULL), remedy = iif(active = ?6, remedy, NULL),
             active = ?6",
    )?;
    for tenant in tenants {
        let tags = serde_json::to_string(&tenant.tags).unwrap_or_else(|_| "[]".to_owned());
        let row = params![tenant.id.as_str(), tenant.name, tenant.app, tenant.region.name(), tags, tenant.enabled, now];
        upsert.execute(row)?;
    }
    let wanted: std::collections::HashSet<TenantId> = tenants.iter().filter(|t| t.enabled).map(|t| t.id).collect();
    let mut switch_off = conn.prepare_cached(
        "-- tenants::switch_off\n\
         UPDATE tenant SET active = 0, state = 'disabled', state_since = ?2, reason = NULL, remedy = NULL
         WHERE tenant_id = ?1 AND active",
    )?;
    for gone in before.iter().filter(|id| !wanted.contains(*id)) {
        switch_off.execute(params![gone.as_str(), now])?;
    }
    let mut added: Vec<TenantId> = wanted.iter().filter(|id| !before.contains(*id)).copied().collect();
    added.sort_unstable();
    let removed = before.into_iter().filter(|id| !wanted.contains(id)).collect();
    Ok(Roster { added, removed })
}

/// Makes tenants that waited for somebody to act due at once: whoever restarts or reloads has usually acted. With an
/// app registration, only those of its tenants whose trouble was that registration itself.
pub(super) fn retry_refused(conn: &Connection, app: Option<&str>, now: Ticks) -> Result<(), StoreError> {
    let mut statement = conn.prepare_cached(
        "-- tenants::retry_refused\n\
         UPDATE tenant SET next_attempt_at = ?2
         WHERE active AND state IN ('unauthorized', 'unlicensed') AND next_attempt_at > ?2
               AND (?1 IS NULL OR app = ?1 AND failure_class = 'app')",
    )?;
    statement.execute(params![app, now.to_string()])?;
    Ok(())
}

/// Makes healthy tenants due no later than these times: after the schedule was changed, the old one's next time may be
/// far away.
pub(super) fn bring_forward(conn: &Connection, times: &[(TenantId, Ticks)]) -> Result<(), StoreError> {
    let mut statement = conn.prepare_cached(
        "-- tenants::bring_forward\n\
         UPDATE tenant SET next_attempt_at = ?2
         WHERE tenant_id = ?1 AND consecutive_failures = 0 AND next_attempt_at > ?2",
    )?;
    for (tenant, time) in times {
        statement.execute(params![tenant.as_str(), time.to_string()])?;
    }
    Ok(())
}

/// Makes every active tenant due at once, but for those whose service asked to wait.
pub(super) fn retry_all(conn: &Connection, now: Ticks) -> Result<(), StoreError> {
    let mut statement = conn.prepare_cached(
        "-- tenants::retry_all\n\
         UPDATE tenant SET next_attempt_at = ?1
         WHERE active AND next_attempt_at > ?1 AND state <> 'throttled' AND failure_class IS NOT 'throttled'
               AND NOT (state = 'new' AND failure_class IS 'transient')",
    )?;
    statement.execute([now.to_string()])?;
    Ok(())
}

fn active(conn: &Connection) -> Result<std::collections::BTreeSet<TenantId>, StoreError> {
    let mut statement = conn.prepare_cached("-- tenants::active\nSELECT tenant_id FROM tenant WHERE active")?;
    let rows = statement.query_map([], |row| id(row, 0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The tenants of a lane that are due, most stale first, at most `limit` of them.
///
/// A tenant that was never tried is due. So is one whose last try lies in the future: the clock has been set back since,
/// and its next time says nothing any more.
pub(super) fn due(conn: &Connection, lane: Lane, now: Ticks, limit: usize) -> Result<Vec<Due>, StoreError> {
    let mut statement = conn.prepare_cached(
        "-- tenants::due\n\
         SELECT tenant_key, tenant_id FROM tenant
         WHERE active AND (next_attempt_at <= ?1 OR last_attempt_at > ?1 OR last_attempt_at IS NULL)
               AND (consecutive_failures > 0) = ?2
         ORDER BY covered_until, next_attempt_at LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![now.to_string(), lane == Lane::Failing, limit], |row| {
        Ok(Due { key: TenantKey(row.get(0)?), id: id(row, 1)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How it stands with a tenant; `None` when it was never configured.
pub(super) fn standing(conn: &Connection, tenant: TenantId) -> Result<Option<Standing>, StoreError> {
    let mut statement = conn.prepare_cached(
        "-- tenants::standing\n\
         SELECT tenant_key, state, consecutive_failures, calls_spent, calls_counted_at, clock_skew_ms,
                last_success_at,
                iif(state = 'throttled' OR failure_class = 'throttled', next_attempt_at, NULL)
         FROM tenant WHERE tenant_id = ?1",
    )?;
    let standing = statement.query_row([tenant.as_str()], |row| {
        let state: String = row.get(1)?;
        Ok(Standing {
            key: TenantKey(row.get(0)?),
            state: TenantState::named(&state).unwrap_or(TenantState::New),
            consecutive_failures: row.get(2)?,
            calls_spent: row.get(3)?,
            calls_counted_at: time::read(row, 4)?,
            clock_skew_ms: row.get(5)?,
            last_success_at: time::read(row, 6)?,
            asked_until: time::read(row, 7)?,
        })
    });
    Ok(standing.optional()?)
}

fn id(row: &Row<'_>, index: usize) -> rusqlite::Result<TenantId> {
    let text: String = row.get(index)?;
    TenantId::parse(&text)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, Box::new(e)))
}
