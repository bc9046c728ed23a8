//! Owns what was answered but cannot be stored as an alert.

use rusqlite::{Connection, params};

use super::{StoreError, TenantKey};
use crate::domain::{Ticks, Unusable, digest};

/// Keeps it aside with its reason; 1 when it is new there, 0 when it was met before.
pub(super) fn set_aside(
    conn: &Connection,
    tenant: TenantKey,
    unusable: &Unusable,
    now: Ticks,
) -> Result<u64, StoreError> {
    let digest = digest(&unusable.raw).to_be_bytes();
    let mut statement = conn.prepare_cached(
        "-- quarantine::set_aside\n\
         INSERT INTO quarantine (tenant_key, alert_id, reason, raw, digest, first_seen_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (tenant_key, digest) DO NOTHING",
    )?;
    let row = params![tenant.0, unusable.id, unusable.reason, unusable.raw, digest.as_slice(), now.to_string()];
    Ok(statement.execute(row)? as u64)
}
