//! Owns figures about alerts: how many there are, come and stay, and how long they took.

use std::collections::HashMap;

use rusqlite::types::Value;
use rusqlite::{Connection, Statement, params_from_iter};

use super::StoreError;
use super::filter::{Conditions, TenantFilter, Tenants};
use super::reading::Reading;
use crate::domain::{SEVERITIES, Ticks};

/// Severities that are counted by themselves, the most severe first; all others are counted together after them.
pub const COUNTED: [&str; 4] = [SEVERITIES[0], SEVERITIES[1], SEVERITIES[2], SEVERITIES[3]];

/// Figures about the alerts of one tenant and severity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// How many are not resolved.
    pub open: i64,
    /// How many there are.
    pub total: i64,
    /// How many were created on each of the days, the first day first.
    pub created: Vec<i64>,
    /// How many seconds each alert took from its creation until it was resolved, of those resolved in these days.
    pub resolved_after: Vec<i64>,
}

/// Figures about one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantFigures {
    /// The tenant.
    pub tenant_id: String,
    /// The operator's name for it.
    pub tenant_name: String,
    /// By severity, in the order of [`COUNTED`] and the others last.
    pub severities: [Figures; COUNTED.len() + 1],
}

/// The days that figures are about, each of 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// When the first begins.
    pub from: Ticks,
    /// How many there are.
    pub count: u32,
}

const SECONDS_A_DAY: i64 = 86_400;

impl Days {
    /// The last `count` days of UTC, that of `now` included.
    #[must_use]
    pub fn until(now: Ticks, count: u32) -> Self {
        let today = now.unix_seconds().div_euclid(SECONDS_A_DAY);
        Self { from: Ticks::from_unix_seconds((today + 1 - i64::from(count)) * SECONDS_A_DAY), count }
    }

    /// When the last ends.
    fn end(self) -> Ticks {
        Ticks::from_unix_seconds(self.from.unix_seconds() + i64::from(self.count) * SECONDS_A_DAY)
    }
}

impl Reading {
    /// Figures about the tenants that fit, by name.
    ///
    /// # Errors
    /// When the store fails.
    pub fn stats(&self, filter: &TenantFilter, days: Days) -> Result<Vec<TenantFigures>, StoreError> {
        let snapshot = self.snapshot()?;
        let tenants = filter.stored(&snapshot)?;
        let mut counting = Counting::of(&snapshot, tenants.as_ref(), days)?;
        counting.counts(&snapshot)?;
        counting.created(&snapshot)?;
        counting.resolved(&snapshot)?;
        Ok(counting.figures)
    }
}

/// Figures on their way.
struct Counting<'a> {
    figures: Vec<TenantFigures>,
    /// Where a tenant's figures stand.
    places: HashMap<i64, usize>,
    tenants: Option<&'a Tenants>,
    days: Days,
}

impl<'a> Counting<'a> {
    /// A place for every tenant.
    fn of(conn: &Connection, tenants: Option<&'a Tenants>, days: Days) -> Result<Self, StoreError> {
        let mut counting = Self { figures: Vec::new(), places: HashMap::new(), tenants, days };
        let conditions = counting.conditions(Vec::new());
        let mut statement = conn.prepare(&format!(
            "-- stats::of\n\
             SELECT a.tenant_key, a.tenant_id, a.name FROM tenant AS a WHERE {} ORDER BY a.name, a.tenant_id",
            conditions.text()
        ))?;
        let mut rows = statement.query(params_from_iter(conditions.values()))?;
        let none = Figures { created: vec![0; usize::try_from(days.count).unwrap_or_default()], ..Figures::default() };
        while let Some(row) = rows.next()? {
            counting.places.insert(row.get(0)?, counting.figures.len());
            let severities = std::array::from_fn(|_| none.clone());
            let (tenant_id, tenant_name) = (row.get(1)?, row.get(2)?);
            counting.figures.push(TenantFigures { tenant_id, tenant_name, severities });
        }
        Ok(counting)
    }

    /// Conditions of the tenants that are counted; `a` is what has a tenant.
    fn conditions(&self, values: Vec<Value>) -> Conditions {
        let mut conditions = Conditions::after(values);
        conditions.tenants(self.tenants);
        conditions
    }

    /// How many there are, as the store keeps count of it.
    fn counts(&mut self, conn: &Connection) -> Result<(), StoreError> {
        let conditions = self.conditions(Vec::new());
        let statement = conn.prepare(&format!(
            "-- stats::counts\n\
             SELECT a.tenant_key, a.severity, sum(a.alerts), sum(iif(a.status = 'Resolved', 0, a.alerts))
             FROM alert_count AS a WHERE {} GROUP BY a.tenant_key, a.severity",
            conditions.text()
        ))?;
        self.each(statement, &conditions, |figures, total, open| {
            figures.total += total;
            figures.open += open;
        })
    }

    /// How many were created on each day.
    fn created(&mut self, conn: &Connection) -> Result<(), StoreError> {
        let conditions = self.in_days();
        let statement = conn.prepare(&created(&conditions))?;
        self.each(statement, &conditions, |figures, day, alerts| {
            if let Some(count) = usize::try_from(day).ok().and_then(|day| figures.created.get_mut(day)) {
                *count += alerts;
            }
        })
    }

    /// How long those took that were resolved in these days.
    fn resolved(&mut self, conn: &Connection) -> Result<(), StoreError> {
        let conditions = self.in_days();
        let statement = conn.prepare(&resolved(&conditions))?;
        self.each(statement, &conditions, |figures, seconds, _| figures.resolved_after.push(seconds.max(0)))
    }

    /// Conditions with the beginning and the end of the days as ?1 and ?2.
    fn in_days(&self) -> Conditions {
        self.conditions([self.days.from, self.days.end()].map(|time| Value::Text(time.to_string())).to_vec())
    }

    /// Adds each row (a tenant, a severity and two numbers) to the figures it belongs to.
    fn each(
        &mut self,
        mut statement: Statement<'_>,
        conditions: &Conditions,
        add: impl Fn(&mut Figures, i64, i64),
    ) -> Result<(), StoreError> {
        let mut rows = statement.query(params_from_iter(conditions.values()))?;
        while let Some(row) = rows.next()? {
            let severity: Option<String> = row.get(1)?;
            let rank = COUNTED.iter().position(|counted| severity.as_deref() == Some(counted)).unwrap_or(COUNTED.len());
            if let Some(place) = self.places.get(&row.get(0)?) {
                add(&mut self.figures[*place].severities[rank], row.get(2)?, row.get(3)?);
            }
        }
        Ok(())
    }
}

/// Counts what was created by day. What was created in these days was updated since they began, but for alerts that claim
/// otherwise: they say how far back to look.
pub(super) fn created(conditions: &Conditions) -> String {
    format!(
        "-- stats::created\n\
         SELECT a.tenant_key, a.severity, (unixepoch(a.alert_creation_time) - unixepoch(?1)) / 86400 AS day, count(*)
         FROM alert AS a INDEXED BY alert_by_time
         WHERE a.last_update_time >= coalesce(
                   (SELECT min(min(b.last_update_time), ?1) FROM alert AS b INDEXED BY alert_ahead
                    WHERE b.alert_creation_time > b.last_update_time AND b.alert_creation_time >= ?1), ?1)
           AND a.alert_creation_time >= ?1 AND a.alert_creation_time < ?2 AND {}
         GROUP BY a.tenant_key, a.severity, day",
        conditions.text()
    )
}

/// How long alerts took. Resolving is an update, so what was resolved in these days was not updated last before them.
pub(super) fn resolved(conditions: &Conditions) -> String {
    format!(
        "-- stats::resolved\n\
         SELECT a.tenant_key, a.severity, unixepoch(a.resolved_time) - unixepoch(a.alert_creation_time), 0
         FROM alert AS a INDEXED BY alert_by_time
         WHERE a.last_update_time >= ?1 AND a.resolved_time >= ?1 AND a.resolved_time < ?2
           AND a.status = 'Resolved' AND a.alert_creation_time IS NOT NULL AND {}",
        conditions.text()
    )
}
