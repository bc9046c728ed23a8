//! Owns what the command line of a list of alerts says about which are wanted.

use std::io::Write;

use crate::command::output::visible;
use crate::command::rows::tell_cut;
use crate::command::select::tenants_called;
use crate::command::{Exit, Problem, moment, number};
use crate::domain::{SEVERITIES, STATUSES, Ticks};
use crate::store::{AlertFilter, Reading, Sent, TenantFilter};

/// Which alerts are wanted, and how many.
#[derive(Debug, clap::Args)]
pub(super) struct Filters {
    /// Only of this tenant, by id or name; may be given several times, as all words below, then one must fit.
    #[arg(long, value_name = "TENANT")]
    tenant: Vec<String>,
    /// Only of tenants with this label.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Only of this severity: High, Medium, Low, Informational or UnSpecified, in any case; another word must be as
    /// the service writes it.
    #[arg(long, value_name = "SEVERITY")]
    severity: Vec<String>,
    /// Only in this status: New, InProgress, Resolved or Unknown, likewise.
    #[arg(long, value_name = "STATUS")]
    status: Vec<String>,
    /// Only of this category, such as Malware, in any case.
    #[arg(long, value_name = "CATEGORY")]
    category: Vec<String>,
    /// Only of this device, by id or name, with or without its domain, in any case.
    #[arg(long, value_name = "DEVICE")]
    device: Vec<String>,
    /// Only what was updated at this time (2026-11-23T10:15:30Z, 2026-11-23) or later; 24h or 7d mean so long ago.
    #[arg(long, value_parser = moment::parse, allow_hyphen_values = true, value_name = "TIME")]
    since: Option<Ticks>,
    /// Only what was updated before this time, in the same forms.
    #[arg(long, value_parser = moment::parse, allow_hyphen_values = true, value_name = "TIME")]
    until: Option<Ticks>,
    /// Show at most so many; 0 means no limit.
    #[arg(long, default_value_t = 50, value_parser = number::parse::<u64>, allow_negative_numbers = true, value_name = "ROWS")]
    pub(super) limit: u64,
}

impl Filters {
    /// The filter, with its tenants looked up in the store.
    pub(super) fn of(&self, store: &Reading) -> Result<AlertFilter, Problem> {
        if let (Some(since), Some(until)) = (self.since, self.until)
            && since >= until
        {
            let message =
                format!("nothing lies between --since {since} and --until {until}: the first must be earlier");
            return Err(Problem::new(Exit::Usage, message));
        }
        Ok(AlertFilter {
            tenants: TenantFilter { ids: tenants_called(store, &self.tenant)?, tags: self.tag.clone() },
            severities: self.severity.clone(),
            statuses: self.status.clone(),
            categories: self.category.clone(),
            devices: self.device.clone(),
            since: self.since,
            until: self.until,
        })
    }

    /// Says on standard error that there were more rows than the limit, or that there was none for a word that no known
    /// one is: it may be misspelt.
    pub(super) fn tell(&self, sent: Sent) {
        tell_cut(sent);
        for (option, words, known) in
            [("severity", &self.severity, &SEVERITIES[..]), ("status", &self.status, &STATUSES)]
        {
            let strange = words.iter().filter(|word| !known.iter().any(|one| one.eq_ignore_ascii_case(word)));
            for word in strange.take(if sent.rows == 0 { words.len() } else { 0 }) {
                let note = format!("alertferry: --{option} {}: none of {}", visible(word), known.join(", "));
                drop(writeln!(std::io::stderr(), "{note}; looked for as it is written"));
            }
        }
    }
}
