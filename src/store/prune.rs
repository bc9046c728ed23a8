//! Owns walking through the alerts that are old enough to go, and taking them out a portion at a time.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{Connection, params};

use super::alert_row::Stored;
use super::care::Care;
use super::prune_rules::{Guard, PruneRules, Row, Verdict};
use super::reading::Reading;
use super::removal::{self, AT_ONCE, Leaving};
use super::{StoreError, TenantKey};
use crate::domain::Ticks;

/// What went of one severity, or would go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Went {
    /// Alerts.
    pub alerts: u64,
    /// The earliest and the latest time at which one of them was last updated, as the store has it.
    pub span: Option<(String, String)>,
}

/// What went, or would go, and what stays although it is old enough.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// By severity, in lower case.
    pub went: BTreeMap<String, Went>,
    /// Changes that went with their alerts; not known beforehand.
    pub changes: u64,
    /// Not resolved.
    pub open: u64,
    /// In an open gap, in the look-back, or of a tenant of which nothing is known to be covered.
    pub unread: u64,
    /// With changes that a follower has not dealt with.
    pub followed: u64,
    /// Followers that have not dealt with changes of alerts, and of how many.
    pub followers: BTreeMap<String, u64>,
}

/// A walk through all alerts that are old enough, tenant by tenant, each from its oldest.
#[derive(Debug)]
pub struct PruneWalk {
    rules: PruneRules,
    /// The tenants that are left, the next one last.
    tenants: Vec<TenantKey>,
    /// Where the walk stands within the tenant.
    after: (String, i64),
    done: Pruned,
}

impl PruneWalk {
    /// A walk that begins.
    fn begin(conn: &Connection, rules: PruneRules) -> Result<Self, StoreError> {
        let mut statement = conn.prepare(
            "-- prune::begin\n\
             SELECT tenant_key FROM tenant
             WHERE ?1 IS NULL OR tenant_id IN (SELECT value FROM json_each(?1)) ORDER BY tenant_key DESC",
        )?;
        let only = (!rules.tenants.is_empty()).then(|| serde_json::json!(rules.tenants).to_string());
        let tenants = statement.query_map([only], |row| row.get(0).map(TenantKey))?.collect::<Result<_, _>>()?;
        Ok(Self { rules, tenants, after: (String::new(), 0), done: Pruned::default() })
    }

    /// What went so far, or would go, and what stays.
    #[must_use]
    pub const fn done(&self) -> &Pruned {
        &self.done
    }

    /// How many tenants are left to be walked through.
    #[must_use]
    pub const fn tenants_left(&self) -> usize {
        self.tenants.len()
    }

    /// Looks at the next portion: its tenant, and what of it may go; nothing at the end.
    fn step(&mut self, conn: &Connection) -> Result<Option<(TenantKey, Vec<Row>)>, StoreError> {
        let (Some(newest), Some(tenant)) = (self.rules.newest(), self.tenants.last().copied()) else {
            self.tenants.clear();
            return Ok(None);
        };
        let snapshot = conn.unchecked_transaction()?;
        let rows = rows(&snapshot, tenant, &self.after, newest)?;
        match rows.last() {
            Some(row) if rows.len() == AT_ONCE => {
                self.after = (row.alert.stored.last_update.clone(), row.alert.stored.key);
            }
            Some(_) | None => {
                self.tenants.pop();
                self.after = (String::new(), 0);
            }
        }
        let mut going = Vec::new();
        if !rows.is_empty() {
            let guard = Guard::of(&snapshot, tenant, &self.rules)?;
            for row in rows {
                match guard.verdict(&row, &self.rules) {
                    Verdict::Young => {}
                    Verdict::Goes => going.push(row),
                    Verdict::Open => self.done.open += 1,
                    Verdict::Unread => self.done.unread += 1,
                    Verdict::Followed => {
                        self.done.followed += 1;
                        guard.waiting(&row).for_each(|name| *self.done.followers.entry(name.clone()).or_default() += 1);
                    }
                }
            }
        }
        Ok(Some((tenant, going)))
    }

    fn count(&mut self, row: &Row) {
        let went = self.done.went.entry(row.severity()).or_default();
        let time = row.alert.stored.last_update.clone();
        went.alerts += 1;
        went.span = Some(match went.span.take() {
            None => (time.clone(), time),
            Some((oldest, newest)) => (oldest.min(time.clone()), newest.max(time)),
        });
    }
}

/// Alerts of a tenant after a place, from the oldest, at most as many as are taken out at once.
fn rows(
    conn: &Connection,
    tenant: TenantKey,
    (updated, key): &(String, i64),
    newest: Ticks,
) -> Result<Vec<Row>, StoreError> {
    let mut statement = conn.prepare_cached(
        "-- prune::rows\n\
         SELECT a.alert_key, a.last_update_time, a.digest, a.thin, a.severity, a.status,
                coalesce((SELECT max(c.seq) FROM alert_change AS c WHERE c.alert_key = a.alert_key), 0)
         FROM alert AS a
         WHERE a.tenant_key = ?1 AND a.last_update_time < ?2 AND (a.last_update_time, a.alert_key) > (?3, ?4)
         ORDER BY a.last_update_time, a.alert_key LIMIT ?5",
    )?;
    let limit = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
    let found = statement.query_map(params![tenant.0, newest.to_string(), updated, key, limit], |row| {
        let stored = Stored { key: row.get(0)?, last_update: row.get(1)?, digest: row.get(2)?, thin: row.get(3)? };
        let alert = Leaving { stored, severity: row.get(4)?, status: row.get(5)? };
        Ok(Row { alert, newest_change: row.get(6)? })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

impl Reading {
    /// What would go by these rules, and what would stay.
    ///
    /// # Errors
    /// When the store fails.
    pub fn prunable(&self, rules: PruneRules) -> Result<Pruned, StoreError> {
        let mut walk = PruneWalk::begin(&self.conn, rules)?;
        while let Some((_, going)) = walk.step(&self.conn)? {
            going.iter().for_each(|row| walk.count(row));
        }
        Ok(walk.done)
    }
}

impl Care {
    /// A walk by these rules.
    ///
    /// # Errors
    /// When the store fails.
    pub fn prune_by(&self, rules: PruneRules) -> Result<PruneWalk, StoreError> {
        PruneWalk::begin(&self.conn, rules)
    }

    /// Takes out the walk's next portion; how many alerts went, or nothing at the end. Each portion is a transaction of
    /// its own: whatever happens between two, the store is whole.
    ///
    /// # Errors
    /// When the store fails; then nothing of the portion went.
    pub fn prune_some(&mut self, walk: &mut PruneWalk) -> Result<Option<u64>, StoreError> {
        let Some((tenant, going)) = walk.step(&self.conn)? else { return Ok(None) };
        if going.is_empty() {
            return Ok(Some(0));
        }
        let leaving: Vec<Leaving> = going.iter().map(|row| row.alert.clone()).collect();
        let entries = removal::entries(&self.conn, &leaving)?;
        let rules = &walk.rules;
        let (taken, gone) = self.change(|conn| {
            // Gaps may have been opened since the alerts were looked at; a cursor never moves back.
            let guard = Guard::of(conn, tenant, rules)?;
            let still = |at: &usize| guard.verdict(&going[*at], rules) == Verdict::Goes;
            let chosen: Vec<usize> = (0..going.len()).filter(still).collect();
            let pairs = chosen.iter().map(|at| (&leaving[*at], &entries[*at]));
            let (taken, gone) = removal::take_out(conn, tenant, pairs)?;
            let keys: Vec<i64> = gone.iter().map(|alert| alert.stored.key).collect();
            Ok((taken, keys))
        })?;
        let gone: HashSet<i64> = gone.into_iter().collect();
        going.iter().filter(|row| gone.contains(&row.alert.stored.key)).for_each(|row| walk.count(row));
        walk.done.changes += taken.changes;
        Ok(Some(taken.alerts))
    }
}
