//! Owns hunting: which alerts name a value in their evidence, for many values in one view of the store.

use rusqlite::types::Value as Bound;
use rusqlite::{Statement, params_from_iter};

use super::filter::{Conditions, TenantFilter};
use super::matching;
use super::reading::Reading;
use super::rows::{ReadError, Sent, Sink, Value, send_columns, send_rows};
use crate::domain::{Indicator, Ticks};

/// Where is hunted, and what is told of what is found.
#[derive(Debug, Clone)]
pub struct Hunt {
    /// At which tenants.
    pub tenants: TenantFilter,
    /// In alerts that were updated at this time or later.
    pub since: Option<Ticks>,
    /// What a row is.
    pub rows: HuntRows,
}

/// What a row of a hunt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HuntRows {
    /// A value and a tenant that has it, with how many alerts and when.
    Tenants {
        /// Whether a value that nobody has gets a row too, which counts none.
        missing: bool,
    },
    /// An alert that names a value, those updated last first.
    Alerts {
        /// At most so many of a value and kind; 0 means all.
        limit: u64,
    },
}

/// What came of a hunt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hunted {
    /// The places of the values that nobody has.
    pub missing: Vec<usize>,
    /// The places of the values that have more rows than the limit.
    pub cut: Vec<usize>,
}

/// Page cache of a hunt, in KiB: each value is looked up in another place of the same index.
const CACHE_KIB: i64 = 64 * 1024;

impl Reading {
    /// Hunts for values; tells `advance` after each.
    ///
    /// # Errors
    /// When the store or the sink fails.
    pub fn hunt(
        &self,
        indicators: &[Indicator],
        hunt: &Hunt,
        sink: &mut dyn Sink,
        mut advance: impl FnMut(),
    ) -> Result<Hunted, ReadError> {
        let snapshot = self.snapshot()?;
        snapshot.pragma_update(None, "cache_size", -CACHE_KIB)?;
        // What is looked up, the value as it was given, and its kind.
        let mut conditions = Conditions::after(vec![Bound::Null, Bound::Null, Bound::Null]);
        conditions.tenants(hunt.tenants.stored(&snapshot)?.as_ref());
        conditions.updated(hunt.since, None);
        let mut statement = snapshot.prepare(&hunt_statement(hunt.rows, &conditions))?;
        let columns = send_columns(&statement, sink)?;
        let limit = match hunt.rows {
            HuntRows::Tenants { .. } => 0,
            HuntRows::Alerts { limit } => limit,
        };
        let mut hunted = Hunted::default();
        for (place, indicator) in indicators.iter().enumerate() {
            let sent = look_up(&mut statement, &mut conditions, indicator, limit, sink)?;
            if sent.cut {
                hunted.cut.push(place);
            }
            if sent.rows == 0 {
                hunted.missing.push(place);
                if hunt.rows == (HuntRows::Tenants { missing: true }) {
                    sink.row(nobody(indicator, columns)).map_err(ReadError::Output)?;
                }
            }
            advance();
        }
        Ok(hunted)
    }
}

/// Hands over the rows of one value, of each kind at most `limit`.
fn look_up(
    statement: &mut Statement<'_>,
    conditions: &mut Conditions,
    indicator: &Indicator,
    limit: u64,
    sink: &mut dyn Sink,
) -> Result<Sent, ReadError> {
    conditions.set(1, indicator.text.clone());
    let mut all = Sent { rows: 0, cut: false };
    for (kind, form) in &indicator.forms {
        conditions.set(0, matching::value(*kind, form, indicator.open));
        conditions.set(2, kind.name().to_owned());
        let sent = send_rows(statement, params_from_iter(conditions.values()), limit, sink)?;
        all.rows += sent.rows;
        all.cut |= sent.cut;
    }
    Ok(all)
}

/// The row of a value that nobody has. Its kind is told where only one was asked for.
fn nobody(indicator: &Indicator, columns: usize) -> Vec<Value> {
    let kind = match indicator.forms.as_slice() {
        [(kind, _)] => Value::Text(kind.name().to_owned()),
        _ => Value::Null,
    };
    let none = [Value::Text(indicator.text.clone()), kind, Value::Null, Value::Integer(0), Value::Integer(0)];
    none.into_iter().chain(std::iter::repeat(Value::Null)).take(columns).collect()
}

/// The statement of a hunt: ?1 is what is looked up, ?2 the value and ?3 its kind.
pub(super) fn hunt_statement(rows: HuntRows, conditions: &Conditions) -> String {
    let (columns, end) = match rows {
        HuntRows::Tenants { .. } => (
            "count(*) AS alerts, count(DISTINCT a.machine_id) AS devices,
             min(coalesce(a.first_event_time, a.alert_creation_time)) AS first_seen,
             max(coalesce(a.last_event_time, a.alert_creation_time)) AS last_seen, t.tenant_id",
            "GROUP BY a.tenant_key ORDER BY alerts DESC, t.name, t.tenant_id".to_owned(),
        ),
        HuntRows::Alerts { limit } => (
            "a.alert_id, a.severity, a.status, a.title, a.computer_dns_name, a.last_update_time, a.machine_id,
             t.tenant_id",
            // So no more than these are kept while they are put in order. One more tells that there are more.
            format!(
                "ORDER BY a.last_update_time DESC, a.alert_key DESC LIMIT {}",
                if limit == 0 { -1 } else { i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1) }
            ),
        ),
    };
    format!(
        "-- hunting::hunt_statement\n\
         SELECT ?2 AS value, ?3 AS kind, t.name AS tenant_name, {columns}
         FROM value_index AS v CROSS JOIN alert AS a ON a.alert_key = v.rowid JOIN tenant AS t USING (tenant_key)
         WHERE v.value_index MATCH ?1 AND {} {end}",
        conditions.text()
    )
}
