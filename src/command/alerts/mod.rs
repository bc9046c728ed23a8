//! Owns `alertferry alerts`: one file for each of its subcommands.

mod filters;
mod list;
mod search;
mod show;
mod tail;

use std::path::Path;

use super::{Exit, Problem};

/// The subcommands of `alerts`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List alerts, those updated last first.
    List(list::Arguments),
    /// Find alerts by words of their titles, descriptions, command lines and file names, what was stored last first.
    Search(search::Arguments),
    /// Show one alert: its fields, its evidence, and how it changed.
    Show(show::Arguments),
    /// Show the newest changes of all alerts, and with -f those that come.
    Tail(tail::Arguments),
}

pub(super) fn run(config: &Path, command: &Command) -> Result<Exit, Problem> {
    match command {
        Command::List(arguments) => list::run(config, arguments),
        Command::Search(arguments) => search::run(config, arguments),
        Command::Show(arguments) => show::run(config, arguments),
        Command::Tail(arguments) => tail::run(config, arguments),
    }
}
