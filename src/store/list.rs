//! Owns lists of alerts that fit a filter.
//!
//! A list is made in two steps: the keys of what fits, by the index that has least to read, and then the rows of these
//! keys. So what must be sorted is never more than keys and times, and with a limit most lists are read straight off an
//! index. Which one that is, is written into the statement: the planner knows nothing of a filter's words.
//!
//! No index of all alerts goes by their creation. What was created last is found among what was updated last, because an
//! alert is not older than its last update; the few that say so all the same have an index of their own.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rusqlite::types::Value;
use rusqlite::{Connection, Statement, params_from_iter};

use super::StoreError;
use super::filter::{AlertFilter, Conditions, Tenants};
use super::reading::Reading;
use super::rows::{ReadError, Sent, Sink, send_each};
use crate::domain::SEVERITIES;

/// What stands first in a list of alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AlertSort {
    /// What was updated last.
    #[default]
    Updated,
    /// What was created last.
    Created,
    /// What is most severe, and of that what was updated last.
    Severity,
}

/// What a list tells of an alert `a` of a tenant `t`.
pub(super) const COLUMNS: &str = "a.last_update_time, a.severity, a.status, t.name AS tenant_name, a.computer_dns_name, a.title, a.category, \
     a.assigned_to, a.classification, a.determination, a.detection_source, a.incident_id, a.alert_creation_time, \
     a.machine_id, a.evidence_count, t.tenant_id, a.alert_id";

/// Tenants with no more alerts than this are read alert by alert; of larger ones there is enough at the end of any index.
const FEW: i64 = 20_000;
/// Severities that have a rank of their own; the others come after them.
const RANKED: usize = 4;

impl Reading {
    /// Alerts that fit, at most `limit` of them; 0 means all.
    ///
    /// # Errors
    /// When the store or the sink fails.
    pub fn alerts(
        &self,
        filter: &AlertFilter,
        sort: AlertSort,
        limit: u64,
        sink: &mut dyn Sink,
    ) -> Result<Sent, ReadError> {
        let snapshot = self.snapshot()?;
        let tenants = filter.tenants.stored(&snapshot)?;
        // One more than is shown, to know whether there are more.
        let most = if limit == 0 { usize::MAX } else { usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1) };
        let mut keys = Vec::new();
        for part in parts(filter, tenants.as_ref(), sort) {
            part.read(&snapshot, most, &mut keys)?;
        }
        let mut statement = snapshot.prepare(&format!(
            "-- list::alerts\nSELECT {COLUMNS} FROM alert AS a JOIN tenant AS t USING (tenant_key) WHERE a.alert_key = ?1"
        ))?;
        send_each(&mut statement, &keys, limit, sink)
    }
}

/// A statement whose keys make a part of a list.
pub(super) struct Part {
    pub(super) sql: String,
    values: Vec<Value>,
    order: Order,
}

/// In which order a part's rows come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// As they are wanted.
    Wanted,
    /// With the creation of each, and a time that it is not after and that falls from row to row.
    Bounded,
}

/// The parts of a list, which stand one after another.
pub(super) fn parts(filter: &AlertFilter, tenants: Option<&Tenants>, sort: AlertSort) -> Vec<Part> {
    let conditions = || {
        let mut conditions = Conditions::default();
        filter.add_to(&mut conditions, tenants);
        conditions
    };
    let path = by_update(filter, tenants);
    match sort {
        AlertSort::Updated => vec![Part::by_update(&conditions(), path)],
        AlertSort::Created => {
            let ahead = if filter.devices.is_empty() { "INDEXED BY alert_ahead" } else { BY_KEYS };
            vec![Part::by_creation(&conditions(), path, ahead)]
        }
        AlertSort::Severity => {
            let ranked = ranks(&filter.served_severities()).into_iter().map(|severities| {
                let mut conditions = conditions();
                match severities {
                    Rank::OneOf(words) => conditions.one_of("a.severity", &words),
                    Rank::Others => conditions
                        .holds("(a.severity IS NULL OR a.severity NOT IN ('High', 'Medium', 'Low', 'Informational'))"),
                }
                Part::by_update(&conditions, path)
            });
            ranked.collect()
        }
    }
}

impl Part {
    fn by_update(conditions: &Conditions, path: &str) -> Self {
        let sql = format!(
            "-- list::by_update\nSELECT a.alert_key FROM alert AS a {path} WHERE {} \
             ORDER BY a.last_update_time DESC, a.alert_key DESC LIMIT ?{}",
            conditions.text(),
            conditions.values().len() + 1
        );
        Self { sql, values: conditions.values().to_vec(), order: Order::Wanted }
    }

    fn by_creation(conditions: &Conditions, path: &str, ahead: &str) -> Self {
        let fits = conditions.text();
        let sql = format!(
            "-- list::by_creation\n\
             SELECT a.alert_key, a.alert_creation_time, a.last_update_time AS bound FROM alert AS a {path}
             WHERE (a.alert_creation_time > a.last_update_time) IS NOT TRUE AND {fits}
             UNION ALL
             SELECT a.alert_key, a.alert_creation_time, a.alert_creation_time FROM alert AS a {ahead}
             WHERE a.alert_creation_time > a.last_update_time AND {fits}
             ORDER BY bound DESC"
        );
        Self { sql, values: conditions.values().to_vec(), order: Order::Bounded }
    }

    /// Adds its keys, until there are `most`.
    pub(super) fn read(&self, conn: &Connection, most: usize, keys: &mut Vec<i64>) -> Result<(), StoreError> {
        let room = most.saturating_sub(keys.len());
        if room == 0 {
            return Ok(());
        }
        let mut statement = conn.prepare(&self.sql)?;
        match self.order {
            Order::Wanted => {
                let limit = Value::Integer(i64::try_from(room).unwrap_or(i64::MAX));
                let values = self.values.iter().cloned().chain([limit]);
                for key in statement.query_map(params_from_iter(values), |row| row.get(0))? {
                    keys.push(key?);
                }
            }
            Order::Bounded => keys.extend(created_last(&mut statement, &self.values, room)?),
        }
        Ok(())
    }
}

/// The keys of what was created last, at most `room` of them. What has no creation comes last.
fn created_last(statement: &mut Statement<'_>, values: &[Value], room: usize) -> Result<Vec<i64>, StoreError> {
    let mut latest = BinaryHeap::new();
    let mut rows = statement.query(params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        let (key, created, bound): (i64, Option<String>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let is_full = latest.len() == room;
        if is_full && latest.peek().is_some_and(|Reverse((earliest, _))| *earliest > Some(bound)) {
            // Nothing that follows was created later than any of these.
            break;
        }
        latest.push(Reverse((created, key)));
        if is_full {
            latest.pop();
        }
    }
    Ok(latest.into_sorted_vec().into_iter().map(|Reverse((_, key))| key).collect())
}

/// By keys that another index tells.
const BY_KEYS: &str = "NOT INDEXED";

/// Whether the filter leaves few alerts, whatever they are.
fn is_few(filter: &AlertFilter, tenants: Option<&Tenants>) -> bool {
    !filter.devices.is_empty() || tenants.is_some_and(|tenants| tenants.alerts <= FEW)
}

/// The index that has the newest of what fits soonest.
fn by_update(filter: &AlertFilter, tenants: Option<&Tenants>) -> &'static str {
    if !filter.devices.is_empty() {
        BY_KEYS
    } else if is_few(filter, tenants) {
        "INDEXED BY alert_by_tenant_update"
    } else if filter.is_open() {
        "INDEXED BY alert_open"
    } else if tenants.is_some_and(|tenants| tenants.keys.len() == 1) {
        "INDEXED BY alert_by_tenant_update"
    } else {
        "INDEXED BY alert_by_time"
    }
}

/// Severities of one rank.
#[derive(Debug, PartialEq, Eq)]
enum Rank {
    OneOf(Vec<String>),
    /// All that have no rank of their own.
    Others,
}

/// The ranks that are wanted, the most severe first; no words mean all.
fn ranks(wanted: &[String]) -> Vec<Rank> {
    let ranked = &SEVERITIES[..RANKED];
    let known = ranked.iter().filter(|word| wanted.is_empty() || wanted.iter().any(|wanted| wanted == *word));
    let mut ranks: Vec<Rank> = known.map(|word| Rank::OneOf(vec![(*word).to_owned()])).collect();
    let others: Vec<String> = wanted.iter().filter(|word| !ranked.contains(&word.as_str())).cloned().collect();
    if wanted.is_empty() {
        ranks.push(Rank::Others);
    } else if !others.is_empty() {
        ranks.push(Rank::OneOf(others));
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_severe_come_first() {
        let one = |words: &[&str]| Rank::OneOf(words.iter().map(|word| (*word).to_owned()).collect());
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let all = [one(&["High"]), one(&["Medium"]), one(&["Low"]), one(&["Informational"]), Rank::Others];
        assert_eq!(ranks(&[]), all);
        assert_eq!(
            ranks(&words(&["Low", "new", "High", "UnSpecified"])),
            [one(&["High"]), one(&["Low"]), one(&["new", "UnSpecified"])]
        );
        assert_eq!(ranks(&words(&["Low"])), [one(&["Low"])]);
    }
}
