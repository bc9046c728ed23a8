//! Owns storing alerts: which version wins, what counts as a change, and the rows that follow.

use rusqlite::Connection;

use super::alert_row::{self, Stored};
use super::{StoreError, TenantKey, changes, quarantine};
use crate::domain::{Alert, ChangeKind, Columns, Ticks, Unusable, difference, with_evidence_of};

/// Alerts of one tenant that came in one piece of an answer.
#[derive(Debug, Default)]
pub struct Batch {
    /// What can be stored.
    pub alerts: Vec<Alert>,
    /// What cannot; it is kept aside with the reason.
    pub unusable: Vec<Unusable>,
    /// Whether changes found here are history to the operator.
    pub history: bool,
}

/// What became of the alerts of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Seen for the first time.
    pub created: u64,
    /// Seen in a newer or different version.
    pub updated: u64,
    /// Known already in this version or a newer one.
    pub unchanged: u64,
    /// Set aside for the first time.
    pub quarantined: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.created += more.created;
        self.updated += more.updated;
        self.unchanged += more.unchanged;
        self.quarantined += more.quarantined;
    }
}

/// When and how a batch was observed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observation {
    /// Local clock.
    pub at: Ticks,
    /// Whether it is history to the operator.
    pub history: bool,
}

/// What is to be done with an alert, as seen from one state of the store.
#[derive(Debug)]
pub(super) enum Decision {
    Unchanged,
    Insert(Box<Columns>),
    Replace(Box<Replacement>),
    Quarantine(Unusable),
}

/// A version that takes the place of the stored one.
#[derive(Debug)]
pub(super) struct Replacement {
    /// What was compared.
    stored: Stored,
    raw: String,
    columns: Columns,
    /// What differs; nothing when only the text is completed.
    fields: Option<String>,
}

/// What was set aside: its id, if it has one, and the reason.
pub type SetAside = (Option<String>, String);

/// Decides what is to be done with an alert. Reads only, so it can run beside the writer.
pub(super) fn decide(conn: &Connection, tenant: TenantKey, alert: &Alert) -> Result<Decision, StoreError> {
    let Some(stored) = alert_row::find(conn, tenant, &alert.id)? else {
        return Ok(Decision::Insert(Box::new(Columns::at(&alert.raw, &alert.outline))));
    };
    if stored.digest == alert.digest.to_be_bytes() && stored.thin == alert.thin {
        return Ok(Decision::Unchanged);
    }
    let version = alert.last_update.to_string();
    let same_version = version == stored.last_update;
    if version < stored.last_update {
        return Ok(Decision::Unchanged);
    }
    let before = alert_row::raw(conn, stored.key)?;
    let raw = if alert.thin { with_evidence_of(&before, &alert.raw) } else { alert.raw.clone() };
    let fields = difference(&before, &raw);
    let completes = stored.thin && !alert.thin;
    if fields.is_empty() && same_version && !completes {
        return Ok(Decision::Unchanged);
    }
    let fields = (!fields.is_empty()).then(|| serde_json::Value::Object(fields).to_string());
    Ok(Columns::of(&raw).map_or_else(
        |e| unreadable(alert, &e),
        |columns| Decision::Replace(Box::new(Replacement { stored, raw, columns, fields })),
    ))
}

/// What came of a decision.
enum Done {
    Counted(Counts),
    Unreadable(Unusable),
}

/// Carries out a decision inside a transaction; decides anew if the store has moved on since.
fn carry_out(
    conn: &Connection,
    tenant: TenantKey,
    alert: &Alert,
    mut decision: Decision,
    seen: Observation,
) -> Result<Done, StoreError> {
    loop {
        let done = match decision {
            Decision::Unchanged => Some(Counts { unchanged: 1, ..Counts::default() }),
            Decision::Insert(columns) => insert(conn, tenant, alert, &columns, seen)?,
            Decision::Replace(replacement) => replace(conn, alert, &replacement, seen)?,
            Decision::Quarantine(unusable) => return Ok(Done::Unreadable(unusable)),
        };
        match done {
            Some(counts) => return Ok(Done::Counted(counts)),
            None => decision = decide(conn, tenant, alert)?,
        }
    }
}

/// `None` when the alert has come into the store since the decision.
fn insert(
    conn: &Connection,
    tenant: TenantKey,
    alert: &Alert,
    columns: &Columns,
    seen: Observation,
) -> Result<Option<Counts>, StoreError> {
    let Some(key) = alert_row::insert(conn, tenant, alert, columns, seen.at)? else { return Ok(None) };
    changes::record(conn, key, ChangeKind::Created, alert, None, seen)?;
    Ok(Some(Counts { created: 1, ..Counts::default() }))
}

/// `None` when the stored version is no longer the one that was compared.
fn replace(
    conn: &Connection,
    alert: &Alert,
    by: &Replacement,
    seen: Observation,
) -> Result<Option<Counts>, StoreError> {
    if !alert_row::replace(conn, alert, &by.stored, &by.raw, &by.columns)? {
        return Ok(None);
    }
    let Some(fields) = &by.fields else { return Ok(Some(Counts { unchanged: 1, ..Counts::default() })) };
    changes::record(conn, by.stored.key, ChangeKind::Updated, alert, Some(fields), seen)?;
    Ok(Some(Counts { updated: 1, ..Counts::default() }))
}

fn unreadable(alert: &Alert, error: &serde_json::Error) -> Decision {
    Decision::Quarantine(Unusable {
        id: Some(alert.id.as_str().to_owned()),
        reason: format!("its columns cannot be read: {error}"),
        raw: alert.raw.clone().into_bytes(),
        damaged: false,
    })
}

/// Decides about every alert of a batch: how many are known already, and what is to be done with the others.
pub(super) fn decide_all(
    conn: &Connection,
    tenant: TenantKey,
    alerts: Vec<Alert>,
) -> Result<(u64, Vec<(Alert, Decision)>), StoreError> {
    // One snapshot for the batch: each statement by itself would lock and unlock the log.
    let snapshot = conn.unchecked_transaction()?;
    let mut known = 0;
    let mut decided = Vec::new();
    for alert in alerts {
        match decide(&snapshot, tenant, &alert)? {
            Decision::Unchanged => known += 1,
            news @ (Decision::Insert(_) | Decision::Replace(_) | Decision::Quarantine(_)) => {
                decided.push((alert, news))
            }
        }
    }
    Ok((known, decided))
}

/// Carries out the decisions of a batch; also returns what was set aside for the first time, and why.
pub(super) fn carry_out_all(
    conn: &Connection,
    tenant: TenantKey,
    decided: Vec<(Alert, Decision)>,
    unusable: Vec<Unusable>,
    seen: Observation,
) -> Result<(Counts, Vec<SetAside>), StoreError> {
    let mut counts = Counts::default();
    let mut set_aside = Vec::new();
    let mut quarantine = |unusable: Unusable| {
        let new = quarantine::set_aside(conn, tenant, &unusable, seen.at)?;
        set_aside.extend((new > 0).then_some((unusable.id, unusable.reason)));
        Ok::<u64, StoreError>(new)
    };
    for (alert, decision) in decided {
        match carry_out(conn, tenant, &alert, decision, seen)? {
            Done::Counted(more) => counts += more,
            Done::Unreadable(unusable) => counts.quarantined += quarantine(unusable)?,
        }
    }
    for unusable in unusable {
        counts.quarantined += quarantine(unusable)?;
    }
    Ok((counts, set_aside))
}
