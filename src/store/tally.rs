//! Owns how many alerts a tenant has, in all and by severity and status.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::{StoreError, TenantKey};
use crate::domain::Columns;

/// What came and went of a tenant's alerts in one transaction, by severity and status.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<(String, String), i64>);

impl Tally {
    pub(super) fn comes(&mut self, columns: &Columns) {
        self.add(columns, 1);
    }

    pub(super) fn goes(&mut self, columns: &Columns) {
        self.add(columns, -1);
    }

    fn add(&mut self, columns: &Columns, change: i64) {
        let word = |text: &Option<String>| text.clone().unwrap_or_default();
        *self.0.entry((word(&columns.severity), word(&columns.status))).or_default() += change;
    }

    pub(super) fn write(self, conn: &Connection, tenant: TenantKey) -> Result<(), StoreError> {
        let mut kind = conn.prepare_cached(
            "-- tally::write_kinds\n\
             INSERT INTO alert_count (tenant_key, severity, status, alerts) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET alerts = alerts + excluded.alerts",
        )?;
        let mut all = 0;
        for ((severity, status), change) in self.0.into_iter().filter(|(_, change)| *change != 0) {
            kind.execute(params![tenant.0, severity, status, change])?;
            all += change;
        }
        if all != 0 {
            let mut tenants = conn.prepare_cached(
                "-- tally::write_all\nUPDATE tenant SET alert_count = alert_count + ?2 WHERE tenant_key = ?1",
            )?;
            tenants.execute(params![tenant.0, all])?;
        }
        Ok(())
    }
}
