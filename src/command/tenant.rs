//! Owns `alertferry tenant`.

use std::path::Path;

use super::rows::{Shape, show};
use super::{Exit, Problem, select};
use crate::store::Reading;

/// The subcommands of `tenant`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the stored tenants with everything that is known of them, those that need somebody first.
    List(Arguments),
}

/// The command line of `tenant list`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    shape: Shape,
}

pub(super) fn run(config: &Path, command: &Command) -> Result<Exit, Problem> {
    let Command::List(arguments) = command;
    let store = Reading::open(&select::store(config)?)?;
    show(arguments.shape, &[], |sink| store.tenants(sink))?;
    Ok(Exit::Done)
}
