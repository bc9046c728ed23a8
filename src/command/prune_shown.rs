//! Owns how `alertferry prune` shows what went and what stays.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::Problem;
use super::output::{Format, cell, print, print_json, table, visible};
use crate::settings::{SEVERITIES, show_span};
use crate::store::{Pruned, Room};

/// How long alerts are kept, by severity and for any other.
pub(super) struct Ages {
    pub by_severity: BTreeMap<String, Option<Duration>>,
    pub otherwise: Option<Duration>,
    pub open: bool,
}

/// What went, or would go.
pub(super) struct Outcome {
    pub pruned: Pruned,
    /// Whether all that may go was looked at.
    pub finished: bool,
    /// The room in the file; nothing when nothing was taken out.
    pub room: Option<Room>,
}

impl Outcome {
    /// Shows it.
    pub(super) fn show(&self, ages: &Ages, format: Format) -> Result<(), Problem> {
        match format {
            Format::Json => print_json(&self.json(ages)),
            Format::Table => print(&self.text(ages)),
        }
    }

    fn is_dry(&self) -> bool {
        self.room.is_none()
    }

    /// A line a severity: those of the rules, then what else there is.
    fn lines(&self, ages: &Ages) -> Vec<(String, Option<Duration>)> {
        let others = self.pruned.went.keys().filter(|severity| !SEVERITIES.contains(&severity.as_str()));
        let named = SEVERITIES.iter().map(|severity| (*severity).to_owned()).chain(others.cloned());
        let age = |severity: &String| ages.by_severity.get(severity).copied().unwrap_or(ages.otherwise);
        named.map(|severity| (severity.clone(), age(&severity))).collect()
    }

    fn json(&self, ages: &Ages) -> Value {
        let line = |(severity, age): (String, Option<Duration>)| {
            let went = self.pruned.went.get(&severity).cloned().unwrap_or_default();
            let (oldest, newest) = went.span.unzip();
            json!({
                "severity": severity, "older_than": age.map(show_span), "alerts": went.alerts,
                "oldest": oldest, "newest": newest,
            })
        };
        let Pruned { changes, open, unread, followed, followers, .. } = &self.pruned;
        json!({
            "dry_run": self.is_dry(),
            "finished": self.finished,
            "severities": self.lines(ages).into_iter().map(line).collect::<Vec<_>>(),
            "changes": (!self.is_dry()).then_some(changes),
            "stay": { "open": open, "unread": unread, "followed": followed, "followers": followers },
            "file_bytes": self.room.map(|room| room.file),
            "free_bytes": self.room.map(|room| room.free),
        })
    }

    fn text(&self, ages: &Ages) -> String {
        let mut rows = table(&["severity", "rule", "alerts", "oldest", "newest"]);
        for (severity, age) in self.lines(ages) {
            let went = self.pruned.went.get(&severity).cloned().unwrap_or_default();
            let (oldest, newest) = went.span.unwrap_or_else(|| ("–".to_owned(), "–".to_owned()));
            let rule = age.map_or_else(|| "stay".to_owned(), |age| format!("go after {}", show_span(age)));
            let second = |time: String| cell(time.get(..19).unwrap_or(&time));
            rows.add_row([cell(severity), cell(rule), cell(went.alerts.to_string()), second(oldest), second(newest)]);
        }
        let all: u64 = self.pruned.went.values().map(|went| went.alerts).sum();
        let mut lines = vec![rows.to_string()];
        lines.push(match self.is_dry() {
            true => format!("{all} alerts would go"),
            false => format!("{all} alerts and {} changes are taken out", self.pruned.changes),
        });
        lines.extend(self.stay());
        if let Some(room) = self.room {
            lines.push(format!("{} of {} bytes of the file are free, and used for what comes", room.free, room.file));
        }
        if !self.finished {
            lines.push("interrupted; the same command goes on with the rest".to_owned());
        }
        lines.join("\n")
    }

    /// What stays although it is old enough, and why.
    fn stay(&self) -> Vec<String> {
        let Pruned { open, unread, followed, followers, .. } = &self.pruned;
        let mut lines = Vec::new();
        if *open > 0 {
            lines.push(format!("{open} stay because they are not resolved (--include-open takes them too)"));
        }
        if *unread > 0 {
            lines.push(format!("{unread} stay because the daemon may read them again by itself"));
        }
        if *followed > 0 {
            let name = |(name, alerts): (&String, &u64)| format!("`{}` holds back {alerts}", visible(name));
            let names: Vec<String> = followers.iter().map(name).collect();
            lines
                .push(format!("{followed} stay because their changes are not dealt with: cursor {}", names.join(", ")));
        }
        lines
    }
}
