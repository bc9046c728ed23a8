//! Owns storing alerts: which version wins, what counts as a change, and the rows that follow.

use rusqlite::Connection;

use super::alert_row::{self, Stored};
use super::tally::Tally;
use super::{StoreError, TenantKey, changes, index, quarantine};
use crate::domain::{Alert, ChangeKind, Columns, Findable, Ticks, Unusable, difference, with_evidence_of};

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
    Insert(Box<News>),
    Replace(Box<Replacement>),
    Quarantine(Unusable),
}

/// An alert that is not in the store.
#[derive(Debug)]
pub(super) struct News {
    columns: Columns,
    found: Findable,
}

/// A version that takes the place of the stored one.
#[derive(Debug)]
pub(super) struct Replacement {
    /// What was compared.
    stored: Stored,
    raw: String,
    /// The columns of the stored version, and of this one.
    columns: (Columns, Columns),
    /// What the stored version and this one are found by; nothing when that stays.
    found: Option<(Findable, Findable)>,
    /// What differs; nothing when only the text is completed.
    fields: Option<String>,
}

/// What was set aside: its id, if it has one, and the reason.
pub type SetAside = (Option<String>, String);

/// Decides what is to be done with an alert. Reads only, so it can run beside the writer.
pub(super) fn decide(conn: &Connection, tenant: TenantKey, alert: &Alert) -> Result<Decision, StoreError> {
    let Some(stored) = alert_row::find(conn, tenant, &alert.id)? else {
        let columns = Columns::at(&alert.raw, &alert.outline);
        let found = Findable::of(&alert.raw, &columns);
        return Ok(Decision::Insert(Box::new(News { columns, found })));
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
    Ok(match Columns::of(&raw) {
        Err(error) => unreadable(alert, &error),
        Ok(columns) => {
            let columns = (Columns::of(&before).unwrap_or_default(), columns);
            let found = (Findable::of(&before, &columns.0), Findable::of(&raw, &columns.1));
            let found = (found.0 != found.1).then_some(found);
            Decision::Replace(Box::new(Replacement { stored, raw, columns, found, fields }))
        }
    })
}

/// What came of a decision.
enum Done {
    Unchanged,
    Stored(Counts, Option<Box<Entry>>),
    Unreadable(Unusable),
}

/// What is to be done in the indexes about a stored alert.
struct Entry {
    key: i64,
    before: Option<Findable>,
    after: Findable,
}

/// Carries out a decision inside a transaction; decides anew if the store has moved on since.
fn carry_out(
    conn: &Connection,
    tenant: TenantKey,
    alert: &Alert,
    mut decision: Decision,
    seen: Observation,
    tally: &mut Tally,
) -> Result<Done, StoreError> {
    loop {
        let done = match decision {
            Decision::Unchanged => Some(Done::Unchanged),
            Decision::Insert(news) => insert(conn, tenant, alert, *news, seen, tally)?,
            Decision::Replace(replacement) => replace(conn, alert, *replacement, seen, tally)?,
            Decision::Quarantine(unusable) => return Ok(Done::Unreadable(unusable)),
        };
        match done {
            Some(done) => return Ok(done),
            None => decision = decide(conn, tenant, alert)?,
        }
    }
}

/// `None` when the alert has come into the store since the decision.
fn insert(
    conn: &Connection,
    tenant: TenantKey,
    alert: &Alert,
    news: News,
    seen: Observation,
    tally: &mut Tally,
) -> Result<Option<Done>, StoreError> {
    let Some(key) = alert_row::insert(conn, tenant, alert, &news.columns, seen.at)? else { return Ok(None) };
    changes::record(conn, key, ChangeKind::Created, alert, None, seen)?;
    tally.comes(&news.columns);
    let entry = Box::new(Entry { key, before: None, after: news.found });
    Ok(Some(Done::Stored(Counts { created: 1, ..Counts::default() }, Some(entry))))
}

/// `None` when the stored version is no longer the one that was compared.
fn replace(
    conn: &Connection,
    alert: &Alert,
    by: Replacement,
    seen: Observation,
    tally: &mut Tally,
) -> Result<Option<Done>, StoreError> {
    let key = by.stored.key;
    if !alert_row::replace(conn, alert, &by.stored, &by.raw, &by.columns.1)? {
        return Ok(None);
    }
    tally.goes(&by.columns.0);
    tally.comes(&by.columns.1);
    let counts = match &by.fields {
        None => Counts { unchanged: 1, ..Counts::default() },
        Some(fields) => {
            changes::record(conn, key, ChangeKind::Updated, alert, Some(fields), seen)?;
            Counts { updated: 1, ..Counts::default() }
        }
    };
    let entry = by.found.map(|(before, after)| Box::new(Entry { key, before: Some(before), after }));
    Ok(Some(Done::Stored(counts, entry)))
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
    let (mut entries, mut tally) = (Vec::new(), Tally::default());
    let mut quarantine = |unusable: Unusable| {
        let new = quarantine::set_aside(conn, tenant, &unusable, seen.at)?;
        set_aside.extend((new > 0).then_some((unusable.id, unusable.reason)));
        Ok::<u64, StoreError>(new)
    };
    for (alert, decision) in decided {
        match carry_out(conn, tenant, &alert, decision, seen, &mut tally)? {
            Done::Unchanged => counts.unchanged += 1,
            Done::Stored(more, entry) => {
                counts += more;
                entries.extend(entry);
            }
            Done::Unreadable(unusable) => counts.quarantined += quarantine(unusable)?,
        }
    }
    for unusable in unusable {
        counts.quarantined += quarantine(unusable)?;
    }
    tally.write(conn, tenant)?;
    // All at once and last: a statement that opens a savepoint makes the indexes write out what they have gathered.
    for entry in entries {
        if let Some(before) = &entry.before {
            index::take_out(conn, entry.key, before)?;
        }
        index::enter(conn, entry.key, &entry.after)?;
    }
    Ok((counts, set_aside))
}
