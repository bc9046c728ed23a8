//! Owns which alerts are wanted, and the conditions of SQL that this comes to.
//!
//! Only what is asked for becomes a condition, in a form that an index can serve: texts as they are stored, tenants by
//! their keys, devices by the index of values.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::{StoreError, matching};
use crate::domain::{ObservableKind, RESOLVED, SEVERITIES, STATUSES, Ticks, as_served, comparable};

/// Which tenants are wanted; neither ids nor labels mean all.
#[derive(Debug, Clone, Default)]
pub struct TenantFilter {
    /// Ids, one of which must fit.
    pub ids: Vec<String>,
    /// Labels, one of which must fit, in any case.
    pub tags: Vec<String>,
}

/// Which alerts are wanted. Of several words one must fit; no words fit all.
#[derive(Debug, Clone, Default)]
pub struct AlertFilter {
    /// Of which tenants.
    pub tenants: TenantFilter,
    /// Severities; those that are known in any case, others as the service writes them.
    pub severities: Vec<String>,
    /// Statuses, likewise.
    pub statuses: Vec<String>,
    /// Categories, in any case.
    pub categories: Vec<String>,
    /// Ids of devices, or their names with or without the domain, in any case.
    pub devices: Vec<String>,
    /// Updated at this time or later.
    pub since: Option<Ticks>,
    /// Updated before this time.
    pub until: Option<Ticks>,
}

/// The stored tenants that are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tenants {
    /// Their rows.
    pub(super) keys: Vec<i64>,
    /// How many alerts they have.
    pub(super) alerts: i64,
}

impl TenantFilter {
    /// The stored tenants that fit; `None` when all do.
    pub(super) fn stored(&self, conn: &Connection) -> Result<Option<Tenants>, StoreError> {
        if self.ids.is_empty() && self.tags.is_empty() {
            return Ok(None);
        }
        let mut statement = conn.prepare(
            "-- filter::stored\n\
             SELECT t.tenant_key, t.alert_count FROM tenant AS t
             WHERE (?1 IS NULL OR t.tenant_id IN (SELECT value FROM json_each(?1)))
               AND (?2 IS NULL OR EXISTS (SELECT 1 FROM json_each(t.tags) AS tag JOIN json_each(?2) AS wanted
                                          WHERE lower(tag.value) = lower(wanted.value)))
             ORDER BY t.tenant_key",
        )?;
        let list = |words: &[String]| (!words.is_empty()).then(|| json(words));
        let found = statement.query_map([list(&self.ids), list(&self.tags)], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let found: Vec<(i64, i64)> = found.collect::<Result<_, _>>()?;
        let alerts = found.iter().map(|(_, alerts)| alerts).sum();
        Ok(Some(Tenants { keys: found.into_iter().map(|(key, _)| key).collect(), alerts }))
    }
}

impl AlertFilter {
    /// The severities as the service writes them.
    pub(super) fn served_severities(&self) -> Vec<String> {
        self.severities.iter().map(|word| as_served(word, &SEVERITIES)).collect()
    }

    /// The statuses as the service writes them.
    fn served_statuses(&self) -> Vec<String> {
        self.statuses.iter().map(|word| as_served(word, &STATUSES)).collect()
    }

    /// Whether only alerts that are not resolved can fit.
    pub(super) fn is_open(&self) -> bool {
        !self.statuses.is_empty() && !self.served_statuses().iter().any(|status| status == RESOLVED)
    }

    /// Adds what must hold of the alert `a`.
    pub(super) fn add_to(&self, conditions: &mut Conditions, tenants: Option<&Tenants>) {
        conditions.tenants(tenants);
        conditions.one_of("a.severity", &self.served_severities());
        conditions.one_of("a.status", &self.served_statuses());
        if self.is_open() {
            // In the words of the index that has such alerts alone.
            conditions.holds("a.status IS NOT 'Resolved'");
        }
        conditions.one_of("a.category COLLATE NOCASE", &self.categories);
        if !self.devices.is_empty() {
            let devices = self.devices.iter().map(|device| comparable(ObservableKind::Device, device));
            let one = matching::one_of(ObservableKind::Device, devices);
            conditions.add("a.alert_key IN (SELECT rowid FROM value_index WHERE value_index MATCH ?)", one);
        }
        conditions.updated(self.since, self.until);
    }
}

/// Conditions of which all must hold, with the values that are bound to them.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    parts: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    /// No conditions yet; these values are bound first, as ?1 and so on.
    pub(super) fn after(values: Vec<Value>) -> Self {
        Self { parts: Vec::new(), values }
    }

    /// Adds a condition with no value.
    pub(super) fn holds(&mut self, part: &str) {
        self.parts.push(part.to_owned());
    }

    /// Adds a condition; its `?` is the value's place.
    pub(super) fn add(&mut self, part: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.parts.push(part.replace('?', &format!("?{}", self.values.len())));
    }

    /// Adds that a column has one of these words, if there are any.
    pub(super) fn one_of(&mut self, column: &str, words: &[String]) {
        match words {
            [] => {}
            [word] => self.add(&format!("{column} = ?"), word.clone()),
            _ => self.add(&format!("{column} IN (SELECT value FROM json_each(?))"), json(words)),
        }
    }

    /// Adds whose alerts are wanted.
    pub(super) fn tenants(&mut self, tenants: Option<&Tenants>) {
        match tenants.map(|tenants| tenants.keys.as_slice()) {
            None => {}
            Some([key]) => self.add("a.tenant_key = ?", *key),
            Some(keys) => {
                let keys = serde_json::json!(keys).to_string();
                self.add("a.tenant_key IN (SELECT value FROM json_each(?))", keys);
            }
        }
    }

    /// Adds when alerts were updated last.
    pub(super) fn updated(&mut self, since: Option<Ticks>, until: Option<Ticks>) {
        if let Some(since) = since {
            self.add("a.last_update_time >= ?", since.to_string());
        }
        if let Some(until) = until {
            self.add("a.last_update_time < ?", until.to_string());
        }
    }

    /// The conditions as they stand after WHERE.
    pub(super) fn text(&self) -> String {
        if self.parts.is_empty() { "TRUE".to_owned() } else { self.parts.join(" AND ") }
    }

    /// What is bound, in its order.
    pub(super) fn values(&self) -> &[Value] {
        &self.values
    }

    /// Binds something else in a place, counted from 0.
    pub(super) fn set(&mut self, place: usize, value: impl Into<Value>) {
        if let Some(bound) = self.values.get_mut(place) {
            *bound = value.into();
        }
    }
}

/// Words as the JSON array that is bound.
fn json(words: &[String]) -> String {
    serde_json::json!(words).to_string()
}
