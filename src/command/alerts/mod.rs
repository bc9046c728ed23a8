//! Owns `alertferry alerts`: one file for each of its subcommands.

mod list;
mod show;
mod tail;

use std::path::Path;

use super::{Exit, Problem};
use crate::store::Reading;

/// The subcommands of `alerts`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List alerts, those updated last first.
    List(list::Arguments),
    /// Show one alert: its fields, its evidence, and how it changed.
    Show(show::Arguments),
    /// Show the newest changes of all alerts, and with -f those that come.
    Tail(tail::Arguments),
}

pub(super) fn run(config: &Path, command: &Command) -> Result<Exit, Problem> {
    match command {
        Command::List(arguments) => list::run(config, arguments),
        Command::Show(arguments) => show::run(config, arguments),
        Command::Tail(arguments) => tail::run(config, arguments),
    }
}

/// The id of the stored tenant that is called so.
pub(super) fn tenant_called(store: &Reading, name: &str) -> Result<String, Problem> {
    let mut found = store.tenants_called(name)?.into_iter();
    match (found.next(), found.next()) {
        (Some(tenant), None) => Ok(tenant),
        (None, _) => {
            let message = format!("no tenant in the store is called `{name}`; `alertferry status` lists names and ids");
            Err(Problem::new(Exit::Usage, message))
        }
        (Some(_), Some(_)) => {
            Err(Problem::new(Exit::Usage, format!("several tenants are called `{name}`; give the id instead")))
        }
    }
}
