//! Owns `alertferry tenant`: one file for each of its subcommands but the shortest.

mod add;
mod import;
mod placed;
mod purge;

use std::path::Path;

use super::rows::{Shape, show};
use super::{Exit, Problem, select};
use crate::store::Reading;

/// The subcommands of `tenant`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the stored tenants with everything that is known of them, those that need somebody first.
    List(Arguments),
    /// Add a tenant to the configuration, if that is right with it.
    Add(add::Arguments),
    /// Add the tenants of a CSV file to the configuration: all of them, or none.
    Import(import::Arguments),
    /// Take everything of one tenant out of the store, for good.
    Purge(purge::Arguments),
}

/// The command line of `tenant list`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    shape: Shape,
}

/// What a table has room for; the other formats have every column, and `status` has reasons and remedies.
const BRIEF: [&str; 9] =
    ["name", "state", "region", "app", "tags", "alert_count", "open_gaps", "covered_until", "tenant_id"];

pub(super) fn run(config: &Path, command: &Command) -> Result<Exit, Problem> {
    match command {
        Command::List(arguments) => list(config, arguments),
        Command::Add(arguments) => add::run(config, arguments),
        Command::Import(arguments) => import::run(config, arguments),
        Command::Purge(arguments) => purge::run(config, arguments),
    }
}

fn list(config: &Path, arguments: &Arguments) -> Result<Exit, Problem> {
    let store = Reading::open(&select::store(config)?)?;
    show(arguments.shape, &BRIEF, |sink| store.tenants(sink))?;
    Ok(Exit::Done)
}
