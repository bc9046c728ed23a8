//! Owns taking out everything of one tenant.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use super::alert_row::Stored;
use super::care::Care;
use super::lock::directory_of;
use super::reading::Reading;
use super::removal::{self, AT_ONCE, Leaving, TakenOut};
use super::{StoreError, TenantKey, connection, time};
use crate::domain::Ticks;

/// What the store has of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Its row.
    pub key: TenantKey,
    /// Its id.
    pub tenant_id: String,
    /// What the operator calls it.
    pub name: String,
    /// Whether it is read by whoever has the store.
    pub active: bool,
    /// Local clock: since when its state is what it is; of a tenant that is not active, since when it is not.
    pub state_since: Ticks,
    /// Alerts.
    pub alerts: i64,
    /// Their changes.
    pub changes: i64,
    /// What was set aside.
    pub quarantined: i64,
    /// Recorded passes.
    pub passes: i64,
}

/// A step of a purge is refused: the tenant is read again.
#[derive(Debug, thiserror::Error)]
pub enum PurgeError {
    /// Somebody made it active.
    #[error("the tenant is read again by a running daemon; take it out of the configuration and reload first")]
    Active,
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Reading {
    /// What the store has of the tenant with this id; nothing when it does not know it.
    ///
    /// # Errors
    /// When the store fails.
    pub fn holding(&self, tenant_id: &str) -> Result<Option<Holding>, StoreError> {
        let mut statement = self.conn.prepare(
            "-- purge::holding\n\
             SELECT t.tenant_key, t.tenant_id, t.name, t.active, t.state_since,
                    (SELECT count(*) FROM alert AS a WHERE a.tenant_key = t.tenant_key),
                    (SELECT count(*) FROM alert AS a CROSS JOIN alert_change AS c USING (alert_key)
                     WHERE a.tenant_key = t.tenant_key),
                    (SELECT count(*) FROM quarantine AS q WHERE q.tenant_key = t.tenant_key),
                    (SELECT count(*) FROM pass AS p WHERE p.tenant_key = t.tenant_key)
             FROM tenant AS t WHERE t.tenant_id = ?1",
        )?;
        let found = statement.query_row([tenant_id], |row| {
            Ok(Holding {
                key: TenantKey(row.get(0)?),
                tenant_id: row.get(1)?,
                name: row.get(2)?,
                active: row.get(3)?,
                state_since: time::must(row, 4)?,
                alerts: row.get(5)?,
                changes: row.get(6)?,
                quarantined: row.get(7)?,
                passes: row.get(8)?,
            })
        });
        Ok(found.optional()?)
    }
}

impl Care {
    /// Begins: nothing of the tenant counts as read any more, so that a purge that is interrupted, or a tenant that
    /// comes back, leaves no hole that is taken for read.
    ///
    /// # Errors
    /// When a daemon reads the tenant, or the store fails.
    pub fn purge_begin(&mut self, tenant: TenantKey) -> Result<(), PurgeError> {
        let alone = self.is_alone();
        self.unless_active(tenant, move |conn| {
            let mut forget = conn.prepare_cached(
                "-- purge::forget\n\
                 UPDATE tenant SET covered_until = NULL, last_sweep_at = NULL, active = iif(?2, 0, active),
                        state = 'disabled'
                 WHERE tenant_key = ?1",
            )?;
            forget.execute(params![tenant.0, alone])?;
            let mut gaps = conn.prepare_cached("-- purge::gaps\nDELETE FROM gap WHERE tenant_key = ?1")?;
            gaps.execute([tenant.0])?;
            Ok(())
        })
    }

    /// Takes out some of the tenant's alerts; nothing when none are left.
    ///
    /// # Errors
    /// When a daemon reads the tenant, or the store fails; then nothing of this step went.
    pub fn purge_some(&mut self, tenant: TenantKey) -> Result<Option<TakenOut>, PurgeError> {
        let leaving = alerts(&self.conn, tenant)?;
        if leaving.is_empty() {
            return Ok(None);
        }
        let entries = removal::entries(&self.conn, &leaving)?;
        self.unless_active(tenant, |conn| {
            let (taken, _) = removal::take_out(conn, tenant, leaving.iter().zip(&entries))?;
            Ok(Some(taken))
        })
    }

    /// Takes out what is left besides alerts, and the tenant itself.
    ///
    /// # Errors
    /// When a daemon reads the tenant, or the store fails; then nothing of this step went.
    pub fn purge_end(&mut self, tenant: TenantKey) -> Result<(), PurgeError> {
        self.unless_active(tenant, |conn| {
            for statement in [
                "-- purge::end_gaps\nDELETE FROM gap WHERE tenant_key = ?1",
                "-- purge::end_passes\nDELETE FROM pass WHERE tenant_key = ?1",
                "-- purge::end_quarantine\nDELETE FROM quarantine WHERE tenant_key = ?1",
                "-- purge::end_counts\nDELETE FROM alert_count WHERE tenant_key = ?1",
                "-- purge::end_tenant\nDELETE FROM tenant WHERE tenant_key = ?1",
            ] {
                conn.execute(statement, [tenant.0])?;
            }
            Ok(())
        })
    }

    /// A transaction that is not begun while the tenant is read by somebody.
    fn unless_active<T>(
        &mut self,
        tenant: TenantKey,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, PurgeError> {
        let alone = self.is_alone();
        let done = self.change(|conn| {
            let mut active =
                conn.prepare_cached("-- purge::unless_active\nSELECT 1 FROM tenant WHERE tenant_key = ?1 AND active")?;
            let read = !alone && active.exists([tenant.0])?;
            if read { Ok(None) } else { work(conn).map(Some) }
        })?;
        done.ok_or(PurgeError::Active)
    }
}

/// Some alerts of a tenant.
fn alerts(conn: &Connection, tenant: TenantKey) -> Result<Vec<Leaving>, StoreError> {
    let mut statement = conn.prepare_cached(
        "-- purge::alerts\n\
         SELECT alert_key, last_update_time, digest, thin, severity, status FROM alert WHERE tenant_key = ?1 LIMIT ?2",
    )?;
    let limit = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
    let found = statement.query_map(params![tenant.0, limit], |row| {
        let stored = Stored { key: row.get(0)?, last_update: row.get(1)?, digest: row.get(2)?, thin: row.get(3)? };
        Ok(Leaving { stored, severity: row.get(4)?, status: row.get(5)? })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Copies beside the store at `path`, taken before migrations, that hold the tenant or cannot be looked into.
///
/// # Errors
/// When the directory cannot be listed.
pub fn copies_holding(path: &Path, tenant_id: &str) -> Result<Vec<PathBuf>, StoreError> {
    let io = |error: std::io::Error| StoreError::Io(error.to_string());
    let directory = directory_of(path);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".before-schema-");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(io)? {
        let entry = entry.map_err(io)?;
        let fits = entry.file_name().as_encoded_bytes().starts_with(name.as_encoded_bytes());
        if fits && may_hold(&entry.path(), tenant_id) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn may_hold(copy: &Path, tenant_id: &str) -> bool {
    let look = || -> Result<bool, StoreError> {
        let conn = connection::reader(copy)?;
        let mut statement = conn.prepare("-- purge::may_hold\nSELECT 1 FROM tenant WHERE tenant_id = ?1")?;
        Ok(statement.exists([tenant_id])?)
    };
    look().unwrap_or(true)
}
