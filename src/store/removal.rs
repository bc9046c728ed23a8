//! Owns taking alerts out: their changes, their rows, their counts, and their entries in the indexes, all at once.

use rusqlite::Connection;

use super::alert_row::{self, Stored};
use super::tally::Tally;
use super::{StoreError, TenantKey, changes, index};
use crate::domain::{Columns, Findable};

/// So many alerts are taken out in one transaction: a daemon that waits for the lock gets in between.
pub(super) const AT_ONCE: usize = 500;

/// An alert that is to go, as it was looked at.
#[derive(Debug, Clone)]
pub(super) struct Leaving {
    pub stored: Stored,
    pub severity: Option<String>,
    pub status: Option<String>,
}

/// What was taken out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TakenOut {
    /// Alerts.
    pub alerts: u64,
    /// Their changes.
    pub changes: u64,
}

impl std::ops::AddAssign for TakenOut {
    fn add_assign(&mut self, more: Self) {
        self.alerts += more.alerts;
        self.changes += more.changes;
    }
}

/// What these alerts were entered into the indexes with. Reads only, so it can run before the transaction; of an alert
/// that was changed since it was looked at nothing is read, because it stays.
pub(super) fn entries(conn: &Connection, leaving: &[Leaving]) -> Result<Vec<Findable>, StoreError> {
    let snapshot = conn.unchecked_transaction()?;
    let entry = |alert: &Leaving| match alert_row::is_still(&snapshot, &alert.stored)? {
        true => Ok(index::findable(&alert_row::raw(&snapshot, alert.stored.key)?)),
        false => Ok(Findable::default()),
    };
    leaving.iter().map(entry).collect()
}

/// Takes out alerts of one tenant inside a transaction; those that were changed since they were looked at stay.
pub(super) fn take_out<'a>(
    conn: &Connection,
    tenant: TenantKey,
    leaving: impl Iterator<Item = (&'a Leaving, &'a Findable)>,
) -> Result<(TakenOut, Vec<&'a Leaving>), StoreError> {
    let (mut taken, mut tally) = (TakenOut::default(), Tally::default());
    let (mut gone, mut entries) = (Vec::new(), Vec::new());
    for (alert, entry) in leaving {
        if !alert_row::is_still(conn, &alert.stored)? {
            continue;
        }
        let key = alert.stored.key;
        taken += TakenOut { alerts: 1, changes: changes::delete(conn, key)? };
        alert_row::delete(conn, key)?;
        let (severity, status) = (alert.severity.clone(), alert.status.clone());
        tally.goes(&Columns { severity, status, ..Columns::default() });
        gone.push(alert);
        entries.push((key, entry));
    }
    tally.write(conn, tenant)?;
    // All at once and last: a statement that opens a savepoint makes the indexes write out what they have gathered.
    for (key, entry) in entries {
        index::take_out(conn, key, entry)?;
    }
    Ok((taken, gone))
}
