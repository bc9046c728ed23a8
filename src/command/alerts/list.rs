//! Owns `alertferry alerts list`.

use std::path::Path;

use super::filters::Filters;
use crate::command::rows::{Shape, show};
use crate::command::{Exit, Problem, select};
use crate::store::{AlertSort, Reading};

/// The command line of `alerts list`. Each filter may be given several times, then one of its words must fit.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Arguments {
    #[command(flatten)]
    filters: Filters,
    /// What stands first.
    #[arg(long, value_enum, default_value_t)]
    sort: Sort,
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
    let filter = arguments.filters.of(&store)?;
    let sort = match arguments.sort {
        Sort::Updated => AlertSort::Updated,
        Sort::Created => AlertSort::Created,
        Sort::Severity => AlertSort::Severity,
    };
    let sent = show(arguments.shape, &BRIEF, |sink| store.alerts(&filter, sort, arguments.filters.limit, sink))?;
    arguments.filters.tell(sent);
    Ok(Exit::Done)
}
