//! Owns `alertferry export`: alerts, evidence and changes for other programs, whole or what is new.
//!
//! [`carry`] goes through the pages of the store, [`encode`] makes bytes of rows, [`place`] and [`draft`] know where the
//! bytes go and let a file have its name only when it is whole; only then a cursor moves.

mod carry;
mod columnar;
mod cursor;
mod draft;
mod encode;
mod place;

use std::path::{Path, PathBuf};

use super::{Exit, Problem, number};
use crate::mapping::Schema;
use crate::store::Exported;

/// The subcommands of `export`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Alerts at their newest version: the columns of the view `alerts` and `seq`, by their newest change.
    Alerts(Arguments),
    /// The evidence of alerts: the columns of the view `evidence` and `seq`, by their newest change and their place.
    Evidence(Arguments),
    /// Observed changes: the columns of the view `alert_changes` and `tenant_name`, in their order.
    Changes(Arguments),
    /// Look at the cursors of exports, put one elsewhere, or forget it.
    #[command(subcommand)]
    Cursor(cursor::Command),
}

/// The command line of an export.
#[derive(Debug, clap::Args)]
#[command(after_help = AGAIN)]
pub(super) struct Arguments {
    /// The form of the rows; without it the ending of --out decides, and else it is ndjson.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The file to write; - means standard output. It gets its name when it is whole, and replaces one that is there.
    /// {seq} in its name becomes the number of the last change that this export looks at.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Only what changed after this change.
    #[arg(long, value_name = "SEQ", value_parser = number::parse::<i64>, allow_negative_numbers = true)]
    since_seq: Option<i64>,
    /// Only what changed since the last export with the cursor of this name, which moves on when all is written.
    /// Alerts, evidence and changes have cursors of their own; other tenants or labels want another name.
    #[arg(long, value_name = "NAME", conflicts_with = "since_seq", value_parser = cursor::name)]
    cursor: Option<String>,
    /// Only of this tenant, by id or name; may be given several times.
    #[arg(long, value_name = "TENANT")]
    tenant: Vec<String>,
    /// Only of tenants with this label; may be given several times.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Leave texts in CSV as they are. Without it, a text that begins with = + - @, a tab or a line end gets a leading '
    /// so that no spreadsheet takes it for a formula.
    #[arg(long)]
    raw_csv: bool,
    /// Turn alerts into documents of a published schema; as lines of JSON only. docs/MAPPING.md says what becomes of what.
    #[arg(long = "as", value_enum, value_name = "SCHEMA")]
    mapped: Option<Mapped>,
}

/// A published schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Mapped {
    /// Elastic Common Schema.
    Ecs,
    /// Open Cybersecurity Schema Framework: Detection Finding.
    Ocsf,
}

impl Arguments {
    /// The schema that alerts are turned into, if one was asked for.
    fn schema(&self, what: Exported) -> Result<Option<Schema>, Problem> {
        let Some(mapped) = self.mapped else { return Ok(None) };
        if what != Exported::Alerts || Format::of(self.format, self.out.as_deref()) != Format::Ndjson {
            let message = "--as turns alerts into lines of JSON: it goes with `export alerts --format ndjson` alone";
            return Err(Problem::new(Exit::Usage, message));
        }
        Ok(Some(match mapped {
            Mapped::Ecs => Schema::Ecs,
            Mapped::Ocsf => Schema::Ocsf,
        }))
    }
}

const AGAIN: &str = "\
An export that was stopped at any moment can be run again. With a cursor, each change comes at least once, and what comes \
again has the seq it had. The next run with the same file name replaces the file, taken or not; a name such as \
changes-{seq}.ndjson makes each run write a file of its own. When nothing is new, no file is written.";

/// The form of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum Format {
    /// A JSON object a line.
    #[default]
    Ndjson,
    /// Comma-separated values under a line of names, every cell in quotes.
    Csv,
    /// Apache Parquet, with Snappy.
    Parquet,
}

impl Format {
    /// What was asked for, or else what the ending of the file says.
    fn of(asked: Option<Self>, out: Option<&Path>) -> Self {
        let ending = out.and_then(Path::extension).map(|ending| ending.to_ascii_lowercase());
        asked.unwrap_or_else(|| match ending.as_ref().and_then(|ending| ending.to_str()) {
            Some("csv") => Self::Csv,
            Some("parquet") => Self::Parquet,
            _ => Self::Ndjson,
        })
    }
}

pub(super) fn run(config: &Path, command: &Command) -> Result<Exit, Problem> {
    match command {
        Command::Alerts(arguments) => carry::run(config, Exported::Alerts, arguments),
        Command::Evidence(arguments) => carry::run(config, Exported::Evidence, arguments),
        Command::Changes(arguments) => carry::run(config, Exported::Changes, arguments),
        Command::Cursor(command) => cursor::run(config, command),
    }
}
