//! Owns `alertferry alerts list`.

use std::path::Path;

use super::tenant_called;
use crate::command::rows::{Shape, show, tell_cut};
use crate::command::{Exit, Problem, moment, select};
use crate::domain::Ticks;
use crate::store::{AlertFilter, AlertSort, Reading};

/// The command line of `alerts list`. Each filter may be given several times, then one of its words must fit.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Arguments {
    /// Only of this tenant, by id or name; may be given several times, as all words below.
    #[arg(long, value_name = "TENANT")]
    tenant: Vec<String>,
    /// Only of tenants with this label.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Only of this severity: High, Medium, Low, Informational or UnSpecified.
    #[arg(long, value_name = "SEVERITY")]
    severity: Vec<String>,
    /// Only in this status: New, InProgress, Resolved or Unknown.
    #[arg(long, value_name = "STATUS")]
    status: Vec<String>,
    /// Only of this category, such as Malware.
    #[arg(long, value_name = "CATEGORY")]
    category: Vec<String>,
    /// Only of this device, by id or name, with or without its domain.
    #[arg(long, value_name = "DEVICE")]
    device: Vec<String>,
    /// Only what was updated at this time (2026-11-23T10:15:30Z, 2026-11-23) or later; 24h or 7d mean so long ago.
    #[arg(long, value_parser = moment::parse, value_name = "TIME")]
    since: Option<Ticks>,
    /// Only what was updated before this time, in the same forms.
    #[arg(long, value_parser = moment::parse, value_name = "TIME")]
    until: Option<Ticks>,
    /// What stands first.
    #[arg(long, value_enum, default_value_t)]
    sort: Sort,
    /// Show at most so many; 0 means no limit.
    #[arg(long, default_value_t = 50, value_name = "ROWS")]
    limit: u64,
    #[command(flatten)]
    shape: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Sort {
    /// What was updated last.
    #[default]
    Updated,
    /// What was created last.
    Created,
    /// What is most severe.
    Severity,
}

/// What a table has room for; the other formats have every column.
const BRIEF: [&str; 7] =
    ["last_update_time", "severity", "status", "tenant_name", "computer_dns_name", "title", "alert_id"];

pub(super) fn run(config: &Path, arguments: &Arguments) -> Result<Exit, Problem> {
    let store = Reading::open(&select::store(config)?)?;
    let tenants = arguments.tenant.iter().map(|name| tenant_called(&store, name)).collect::<Result<_, _>>()?;
    let filter = AlertFilter {
        tenants,
        tags: arguments.tag.clone(),
        severities: arguments.severity.clone(),
        statuses: arguments.status.clone(),
        categories: arguments.category.clone(),
        devices: arguments.device.clone(),
        since: arguments.since,
        until: arguments.until,
    };
    let sort = match arguments.sort {
        Sort::Updated => AlertSort::Updated,
        Sort::Created => AlertSort::Created,
        Sort::Severity => AlertSort::Severity,
    };
    let sent = show(arguments.shape, &BRIEF, |sink| store.alerts(&filter, sort, arguments.limit, sink))?;
    tell_cut(sent);
    Ok(Exit::Done)
}
