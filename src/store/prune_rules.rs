//! Owns the decision which alerts are old enough to go, and which stay all the same.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::Connection;

use super::removal::Leaving;
use super::{StoreError, TenantKey, changes, coverage};
use crate::domain::Ticks;

/// The severity, as the rules have it, of an alert without one.
const NO_SEVERITY: &str = "unspecified";
/// The status of an alert that nobody works on any more.
const RESOLVED: &str = "Resolved";

/// What may go by its age, and what stays whatever its age.
#[derive(Debug, Clone, Default)]
pub struct PruneRules {
    /// Severities in lower case: alerts updated before this time may go, or never. None counts as `unspecified`.
    pub before: BTreeMap<String, Option<Ticks>>,
    /// The same for any other severity.
    pub otherwise: Option<Ticks>,
    /// Ids of the only tenants that are looked at; none means all.
    pub tenants: Vec<String>,
    /// What was updated so shortly before the end of what is covered stays: the daemon may read it again by itself.
    pub look_back: Duration,
    /// Whether alerts that are not resolved may go, too.
    pub open: bool,
    /// Followers that are not waited for.
    pub unawaited: Vec<String>,
}

impl PruneRules {
    fn before(&self, severity: &str) -> Option<Ticks> {
        self.before.get(severity).copied().unwrap_or(self.otherwise)
    }

    /// What was updated at this time or later is no matter of any rule; nothing when there are no rules.
    pub(super) fn newest(&self) -> Option<Ticks> {
        self.before.values().copied().chain([self.otherwise]).flatten().max()
    }
}

/// What is decided about an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No rule is about it yet.
    Young,
    /// It goes.
    Goes,
    /// It stays: not resolved.
    Open,
    /// It stays: the daemon may read it again by itself.
    Unread,
    /// It stays: somebody has not dealt with its changes.
    Followed,
}

/// An alert as far as the decision needs it.
#[derive(Debug)]
pub(super) struct Row {
    pub alert: Leaving,
    /// The number of its newest change.
    pub newest_change: i64,
}

impl Row {
    /// Its severity as rules have it.
    pub(super) fn severity(&self) -> String {
        self.alert.severity.as_deref().filter(|word| !word.is_empty()).unwrap_or(NO_SEVERITY).to_lowercase()
    }
}

/// What protects alerts of a tenant. Times are as columns have them: their order is that of the text.
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// What was updated from here on may be read again.
    look_back: Option<String>,
    gaps: Vec<(String, String)>,
    cursors: Vec<(String, i64)>,
}

impl Guard {
    /// What protects alerts of a tenant now.
    pub(super) fn of(conn: &Connection, tenant: TenantKey, rules: &PruneRules) -> Result<Self, StoreError> {
        let coverage = coverage::load(conn, tenant)?;
        let bounds = |window: crate::domain::Window| {
            (window.from().to_string(), window.until().unwrap_or(Ticks::MAX).to_string())
        };
        let awaited = |(name, _): &(String, i64)| !rules.unawaited.contains(name);
        Ok(Self {
            look_back: coverage.covered_until.map(|until| until.minus(rules.look_back).to_string()),
            gaps: coverage.gaps.iter().map(|gap| bounds(gap.window)).collect(),
            cursors: changes::cursors(conn)?.into_iter().filter(awaited).collect(),
        })
    }

    /// Decides about an alert of the tenant.
    pub(super) fn verdict(&self, row: &Row, rules: &PruneRules) -> Verdict {
        let updated = row.alert.stored.last_update.as_str();
        let old = rules.before(&row.severity()).is_some_and(|before| updated < before.to_string().as_str());
        // A time at a gap's end may have been printed rounded up to it.
        let in_gap = self.gaps.iter().any(|(from, until)| from.as_str() <= updated && updated <= until.as_str());
        if !old {
            Verdict::Young
        } else if !rules.open && row.alert.status.as_deref() != Some(RESOLVED) {
            Verdict::Open
        } else if in_gap || self.look_back.as_deref().is_none_or(|from| from <= updated) {
            Verdict::Unread
        } else if self.waiting(row).next().is_some() {
            Verdict::Followed
        } else {
            Verdict::Goes
        }
    }

    /// The followers that have not come to an alert's newest change.
    pub(super) fn waiting(&self, row: &Row) -> impl Iterator<Item = &String> {
        self.cursors.iter().filter(|(_, seq)| *seq < row.newest_change).map(|(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::alert_row::Stored;

    fn row(severity: Option<&str>, status: Option<&str>, updated: &str, newest_change: i64) -> Row {
        let stored = Stored { key: 1, last_update: ticks(updated).to_string(), digest: [0; 16], thin: false };
        let [severity, status] = [severity, status].map(|word| word.map(str::to_owned));
        Row { alert: Leaving { stored, severity, status }, newest_change }
    }

    fn ticks(text: &str) -> Ticks {
        Ticks::parse(&format!("{text}T00:00:00Z")).expect("a day")
    }

    #[test]
    fn age_comes_first_and_what_protects_comes_after_it() {
        let rules = PruneRules {
            before: [("high".to_owned(), None), ("unspecified".to_owned(), Some(ticks("2026-02-01")))].into(),
            otherwise: Some(ticks("2026-03-01")),
            ..PruneRules::default()
        };
        let text = |day| ticks(day).to_string();
        let guard = Guard {
            look_back: Some(text("2026-02-20")),
            gaps: vec![(text("2026-01-10"), text("2026-01-20"))],
            cursors: vec![("log".to_owned(), 7)],
        };
        let resolved = Some(RESOLVED);
        for (row, verdict) in [
            (row(Some("Low"), resolved, "2026-02-19", 7), Verdict::Goes),
            (row(Some("LOW"), resolved, "2026-02-20", 7), Verdict::Unread),
            (row(Some("Low"), resolved, "2026-03-01", 7), Verdict::Young),
            (row(Some("HIGH"), resolved, "2020-01-01", 7), Verdict::Young),
            (row(Some("Dire"), resolved, "2020-01-01", 7), Verdict::Goes),
            (row(None, resolved, "2026-02-01", 7), Verdict::Young),
            (row(Some(""), resolved, "2026-01-31", 7), Verdict::Goes),
            (row(Some("Low"), resolved, "2026-01-09", 7), Verdict::Goes),
            (row(Some("Low"), resolved, "2026-01-10", 7), Verdict::Unread),
            (row(Some("Low"), resolved, "2026-01-20", 7), Verdict::Unread),
            (row(Some("Low"), resolved, "2026-01-21", 8), Verdict::Followed),
            (row(Some("Low"), Some("New"), "2026-01-21", 7), Verdict::Open),
            (row(Some("Low"), None, "2026-01-21", 7), Verdict::Open),
        ] {
            assert_eq!(guard.verdict(&row, &rules), verdict, "{row:?}");
        }
        let old = row(Some("Low"), Some("New"), "2020-01-01", 7);
        let all = PruneRules { open: true, ..rules.clone() };
        assert_eq!(guard.verdict(&old, &all), Verdict::Goes);
        let never_read = Guard { look_back: None, ..guard };
        assert_eq!(never_read.verdict(&old, &all), Verdict::Unread);
        assert_eq!((rules.newest(), PruneRules::default().newest()), (Some(ticks("2026-03-01")), None));
    }
}
