//! Owns the life of alerts: creation, growth, edits, mass changes, recurrence; alone or mixed by chance.

use std::time::Duration;

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use super::{World, WorldError};
use crate::alert::Version;
use crate::draft::Comment;
use crate::generate;
use crate::json::{self, Members, quoted};
use crate::ticks::Ticks;

/// What a new alert is like.
#[derive(Clone, Debug)]
pub struct NewAlert {
    /// Evidence rows it starts with.
    pub evidence: usize,
    /// When it was created; `None` takes two seconds before now, so that its stamp is about now.
    pub created: Option<Ticks>,
    /// How long the API hides it, from now; added to the tenant's own lag.
    pub visible_after: Duration,
    /// A fixed id instead of an invented one.
    pub id: Option<String>,
}

impl Default for NewAlert {
    fn default() -> Self {
        Self { evidence: 2, created: None, visible_after: Duration::ZERO, id: None }
    }
}

/// An analyst's change; what is `None` stays. Values are the wire's own words.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// `New`, `InProgress` or `Resolved`; the last also sets `resolvedTime`.
    pub status: Option<String>,
    /// A user principal name.
    pub assigned_to: Option<String>,
    /// `TruePositive`, `FalsePositive` or `InformationalExpectedActivity`.
    pub classification: Option<String>,
    /// For instance `Malware` or `SecurityTesting`.
    pub determination: Option<String>,
    /// A comment to append.
    pub comment: Option<String>,
}

/// One thing that happened in [`World::live`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A new alert.
    Created(String),
    /// A new alert that the API shows only later.
    CreatedLate(String),
    /// Evidence was appended.
    Grew(String),
    /// An analyst changed it.
    Edited(String),
    /// Several were resolved at one instant.
    Resolved(Vec<String>),
    /// An incident merge stamped one time on many.
    Merged(Vec<String>),
    /// It was seen again.
    Recurred(String),
}

impl World {
    /// Adds an invented alert whose `lastUpdateTime` is about now; gives its id.
    pub fn new_alert(&mut self, tenant: &str, rng: &mut impl Rng, new: &NewAlert) -> Result<String, WorldError> {
        let now = self.now();
        let lag = self.add_tenant(tenant).visibility_lag + new.visible_after;
        let created = new.created.unwrap_or(now - Duration::from_secs(2));
        let mut draft = generate::draft(rng, &tenant.to_ascii_lowercase(), created, new.evidence);
        if new.created.is_none() {
            draft.last_update_time = now.on_sql_grid();
        }
        if let Some(id) = &new.id {
            draft.id.clone_from(id);
        }
        self.add_text(tenant, &draft.render(), lag)
    }

    /// Appends `count` evidence rows.
    pub fn grow_evidence(
        &mut self,
        tenant: &str,
        id: &str,
        count: usize,
        rng: &mut impl Rng,
    ) -> Result<(), WorldError> {
        let at = self.now().on_sql_grid();
        let rows: Vec<String> = (0..count).map(|_| generate::evidence_row(rng, at, "anna.lind").render()).collect();
        self.change(tenant, id, |text, members| vec![("evidence", appended(members.raw(text, "evidence"), &rows))])
    }

    /// Applies an analyst's change.
    pub fn edit(&mut self, tenant: &str, id: &str, edit: &Edit) -> Result<(), WorldError> {
        let now = self.now();
        self.change(tenant, id, |text, members| edit_changes(edit, now, text, members))
    }

    /// Resolves all `ids` at one instant, as closing an automated investigation does.
    ///
    /// They get one `lastUpdateTime`, a `resolvedTime` some milliseconds earlier and `API Action` as assignee.
    pub fn bulk_resolve(&mut self, tenant: &str, ids: &[String]) -> Result<(), WorldError> {
        let resolved = quoted(&(self.now() - Duration::from_millis(130)).on_sql_grid().to_string());
        self.change_all(tenant, ids, |_, _| {
            vec![
                ("status", quoted("Resolved")),
                ("assignedTo", quoted("API Action")),
                ("resolvedTime", resolved.clone()),
            ]
        })
    }

    /// Moves all `ids` to one incident, stamping one `lastUpdateTime` on all of them.
    pub fn merge_incidents(&mut self, tenant: &str, ids: &[String], incident: i64) -> Result<(), WorldError> {
        self.change_all(tenant, ids, |_, _| vec![("incidentId", incident.to_string())])
    }

    /// The detection happened again: `lastEventTime` moves to a minute ago, the row is stamped.
    pub fn recur(&mut self, tenant: &str, id: &str) -> Result<(), WorldError> {
        let seen = quoted(&(self.now() - Duration::from_secs(60)).to_string());
        self.change(tenant, id, |_, _| vec![("lastEventTime", seen)])
    }

    /// Sets any top-level members to raw JSON and stamps the row; the way to every other update.
    pub fn set_members(&mut self, tenant: &str, id: &str, members: &[(&str, String)]) -> Result<(), WorldError> {
        self.change(tenant, id, |_, _| members.to_vec())
    }

    /// As [`World::set_members`] but with a given `lastUpdateTime` (even the same or an earlier one) and lag.
    pub fn set_members_at(
        &mut self,
        tenant: &str,
        id: &str,
        members: &[(&str, String)],
        stamp: Ticks,
        lag: Duration,
    ) -> Result<(), WorldError> {
        self.write_version(tenant, id, |_, _| members.to_vec(), stamp, lag)
    }

    /// Lets `steps` random things happen in random tenants at the world's present.
    ///
    /// The clock is the caller's: between calls (or before each) advance it so that stamps differ.
    pub fn live(&mut self, rng: &mut impl Rng, steps: usize) -> Vec<(String, Step)> {
        let tenants = self.tenant_ids();
        let mut done = Vec::with_capacity(steps);
        for _ in 0..steps {
            let Some(tenant) = tenants.choose(rng) else { break };
            if let Ok(step) = self.step(tenant, rng) {
                done.push((tenant.clone(), step));
            }
        }
        done
    }

    /// Lets one random thing happen in one tenant.
    pub fn step(&mut self, tenant: &str, rng: &mut impl Rng) -> Result<Step, WorldError> {
        let known: Vec<String> = self.known(tenant)?.visible.keys().map(|id| id.to_string()).collect();
        let kind = if known.is_empty() { 0 } else { rng.random_range(0..100_u32) };
        let one = known.choose(rng).cloned().unwrap_or_default();
        let several = |rng: &mut _, count: usize| known.sample(rng, count).cloned().collect::<Vec<_>>();
        match kind {
            0..30 => {
                let new = NewAlert { evidence: generate::evidence_count(rng), ..NewAlert::default() };
                self.new_alert(tenant, rng, &new).map(Step::Created)
            }
            30..35 => {
                let late = Duration::from_secs(rng.random_range(5..600));
                let new = NewAlert { visible_after: late, ..NewAlert::default() };
                self.new_alert(tenant, rng, &new).map(Step::CreatedLate)
            }
            35..60 => {
                let rows = rng.random_range(1..=3);
                self.grow_evidence(tenant, &one, rows, rng).map(|()| Step::Grew(one))
            }
            60..80 => self.edit(tenant, &one, &random_edit(rng)).map(|()| Step::Edited(one)),
            80..88 => {
                let ids = several(rng, 4);
                self.bulk_resolve(tenant, &ids).map(|()| Step::Resolved(ids))
            }
            88..92 => {
                let ids = several(rng, 76);
                let incident = rng.random_range(1..2_000_000);
                self.merge_incidents(tenant, &ids, incident).map(|()| Step::Merged(ids))
            }
            _ => self.recur(tenant, &one).map(|()| Step::Recurred(one)),
        }
    }

    fn change_all<'k>(
        &mut self,
        tenant: &str,
        ids: &[String],
        changes: impl Fn(&str, &Members) -> Vec<(&'k str, String)>,
    ) -> Result<(), WorldError> {
        // One look at the clock, so that a free-running world stamps one instant, too.
        let stamp = self.now().on_sql_grid();
        let lag = self.known(tenant)?.visibility_lag;
        ids.iter().try_for_each(|id| self.write_version(tenant, id, &changes, stamp, lag))
    }

    fn change<'k>(
        &mut self,
        tenant: &str,
        id: &str,
        changes: impl FnOnce(&str, &Members) -> Vec<(&'k str, String)>,
    ) -> Result<(), WorldError> {
        let stamp = self.now().on_sql_grid();
        let lag = self.known(tenant)?.visibility_lag;
        self.write_version(tenant, id, changes, stamp, lag)
    }

    fn write_version<'k>(
        &mut self,
        tenant: &str,
        id: &str,
        changes: impl FnOnce(&str, &Members) -> Vec<(&'k str, String)>,
        stamp: Ticks,
        lag: Duration,
    ) -> Result<(), WorldError> {
        let now = self.now();
        let unknown = || WorldError::UnknownAlert(id.to_owned());
        let tenant = self.known(tenant)?;
        let newest = tenant.alerts.get(id).and_then(|alert| alert.entries.last()).ok_or_else(unknown)?;
        let text = newest.version.expanded();
        let members = Members::of(&text).ok_or_else(unknown)?;
        let mut changes = changes(&text, &members);
        changes.push(("lastUpdateTime", quoted(&stamp.to_string())));
        let version = Version::parse(json::replace(&text, &members, &changes))?;
        let visible_at = tenant.earliest_visible(id, now + lag);
        tenant.add(version, visible_at, now, false);
        Ok(())
    }
}

/// A raw JSON array with more raw rows behind what it has.
fn appended(array: Option<&str>, rows: &[String]) -> String {
    let array = array.unwrap_or("[]");
    let inner = array.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or_default();
    let glue = if inner.trim().is_empty() || rows.is_empty() { "" } else { "," };
    format!("[{inner}{glue}{}]", rows.join(","))
}

fn edit_changes(edit: &Edit, now: Ticks, text: &str, members: &Members) -> Vec<(&'static str, String)> {
    let mut changes = Vec::new();
    let words = [
        ("status", &edit.status),
        ("assignedTo", &edit.assigned_to),
        ("classification", &edit.classification),
        ("determination", &edit.determination),
    ];
    for (key, value) in words {
        changes.extend(value.as_ref().map(|value| (key, quoted(value))));
    }
    if edit.status.as_deref() == Some("Resolved") {
        changes.push(("resolvedTime", quoted(&now.on_sql_grid().to_string())));
    }
    if let Some(comment) = &edit.comment {
        let row = Comment { comment: comment.clone(), created_by: "secop@corp.example".to_owned(), created: now };
        changes.push(("comments", appended(members.raw(text, "comments"), &[row.render()])));
    }
    changes
}

fn random_edit(rng: &mut impl Rng) -> Edit {
    let pick = |rng: &mut _, words: &[&str]| words.choose(rng).map(|word| (*word).to_owned());
    let mut edit = Edit { status: pick(rng, &["InProgress", "Resolved"]), ..Edit::default() };
    if edit.status.as_deref() == Some("Resolved") {
        edit.classification = pick(rng, &["TruePositive", "FalsePositive", "InformationalExpectedActivity"]);
        edit.determination = pick(rng, &["Malware", "Phishing", "SecurityTesting", "NotMalicious"]);
    } else {
        edit.assigned_to = pick(rng, &["anna.lind@corp.example", "j.okafor@corp.example"]);
        edit.comment = rng.random_bool(0.5).then(|| "Looking into it — \"back soon\".".to_owned());
    }
    edit
}
