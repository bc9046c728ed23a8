//! Owns the command line: one file for each subcommand.

mod alerts;
mod backup;
mod check;
mod completions;
mod consent;
mod exit;
mod export;
mod fresh;
mod given;
mod hunt;
mod init;
mod layout;
mod manual;
mod moment;
mod number;
mod output;
mod portions;
mod prune;
mod prune_shown;
mod query;
mod rows;
mod rows_json;
mod run;
mod schema;
mod select;
mod stats;
mod stats_line;
mod status;
mod sync;
mod tenant;
mod traces;
mod unwritten;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::logging::{is_hostile, visible};
use crate::secret::keep_memory_private;

pub use exit::{Exit, Problem};
pub use output::Format;
pub use status::shown as status_table;

/// Where the configuration is when nobody says otherwise.
const DEFAULT_CONFIG: &str = "/etc/alertferry/alertferry.toml";

/// Carries every Microsoft Defender for Endpoint alert of every customer tenant into one local SQLite database, and
/// loses none.
#[derive(Debug, Parser)]
#[command(name = "alertferry", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Arguments {
    /// The configuration file.
    #[arg(long, short, global = true, default_value = DEFAULT_CONFIG, value_name = "FILE")]
    config: PathBuf,

    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0   done
  64  wrong usage, or a refused query
  65  damaged or foreign data, or a query over its time limit
  66  no such file, store or alert
  69  service unavailable
  70  defect
  74  disk failure
  75  try again later (a tenant failed, store in use or disk full)
  77  no permission
  78  wrong configuration, or none";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon: poll every tenant on the schedule until stopped.
    Run,
    /// Read every tenant once, until nothing is left unread, then exit.
    Sync(sync::Arguments),
    /// Write a configuration to begin with, and say what comes next.
    Init(init::Arguments),
    /// Print the links with which a customer's administrator lets the app registration in.
    Consent(consent::Arguments),
    /// Find out what is wrong: configuration, secrets, disk, store, network, then every tenant's login, role and API.
    Check(check::Arguments),
    /// Show how it stands with every tenant, from the store alone.
    Status(status::Arguments),
    /// Look at alerts in the store.
    #[command(subcommand)]
    Alerts(alerts::Command),
    /// Find out which tenants have a hash, address, URL, file, account or device in the evidence of their alerts.
    Hunt(hunt::Arguments),
    /// Count alerts: how many are open, how many came in the last days, and how long they took to resolve.
    Stats(stats::Arguments),
    /// Ask the store in SQL; it can only be read, whatever is typed.
    Query(query::Arguments),
    /// Look at tenants in the store, add some to the configuration, or take one out.
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// Print the statements that made the store's views and tables, with their comments.
    Schema,
    /// Write alerts, evidence or changes for other programs: whole, or what is new.
    #[command(subcommand)]
    Export(export::Command),
    /// Copy the store to a new file, checked, while the daemon runs or not.
    Backup(backup::Arguments),
    /// Take out alerts that are older than they are kept, while the daemon runs or not.
    Prune(prune::Arguments),
    /// Print what makes a shell complete this command line.
    Completions(completions::Arguments),
    /// Make the pages of the manual.
    Man(manual::Arguments),
}

/// Runs the program and says how it ended.
#[must_use]
pub fn main() -> ExitCode {
    // Before any secret is read, whatever the command.
    if let Err(error) = keep_memory_private() {
        return Problem::new(Exit::Internal, format!("cannot keep this process's memory private: {error}"))
            .report()
            .into();
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors, though clap hands them out as such.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            said_by_clap(&error);
            return exit.into();
        }
    };
    let config = arguments.config.as_path();
    let ended = match &arguments.command {
        Command::Run => run::run(config),
        Command::Sync(arguments) => sync::run(config, arguments),
        Command::Init(arguments) => init::run(config, arguments),
        Command::Consent(arguments) => consent::run(config, arguments),
        Command::Check(arguments) => check::run(config, arguments),
        Command::Status(arguments) => status::run(config, arguments),
        Command::Alerts(command) => alerts::run(config, command),
        Command::Hunt(arguments) => hunt::run(config, arguments),
        Command::Stats(arguments) => stats::run(config, arguments),
        Command::Query(arguments) => query::run(config, arguments),
        Command::Tenant(command) => tenant::run(config, command),
        Command::Schema => schema::run(config),
        Command::Export(command) => export::run(config, command),
        Command::Backup(arguments) => backup::run(config, arguments),
        Command::Prune(arguments) => prune::run(config, arguments),
        Command::Completions(arguments) => completions::run(arguments),
        Command::Man(arguments) => manual::run(arguments),
    };
    ended.unwrap_or_else(|problem| problem.report()).into()
}

/// Prints help, or what is wrong with the command line; words of it that would steer the terminal are shown instead.
fn said_by_clap(error: &clap::Error) {
    let plain = error.render().to_string();
    if plain.lines().any(|line| line.contains(is_hostile)) {
        let lines: Vec<String> = plain.lines().map(visible).collect();
        drop(writeln!(std::io::stderr(), "{}", lines.join("\n")));
    } else {
        drop(error.print());
    }
}
