//! Owns `alertferry stats`: figures for who leads a team.

use std::io;
use std::path::Path;

use super::rows::{RowFormat, Shape, show};
use super::{Exit, Problem, select, stats_line};
use crate::clock::Clock;
use crate::store::{Days, ReadError, Reading, Sent, Sink, TenantFilter};
use stats_line::Line;

/// The command line of `stats`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Days are those of UTC, today included. What was created and resolved is about these days, open and total are about all \
alerts. In the other formats created_by_day is a JSON array, the first day first, and times are in seconds; tables have \
a line for all of it at their end.")]
pub(super) struct Arguments {
    /// What a row is about.
    #[arg(long, value_enum, default_value_t)]
    by: By,
    /// Look at so many days.
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=366), value_name = "DAYS")]
    days: u32,
    /// Only this tenant, by id or name; may be given several times.
    #[arg(long, value_name = "TENANT")]
    tenant: Vec<String>,
    /// Only tenants with this label; may be given several times.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    #[command(flatten)]
    shape: Shape,
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum By {
    /// A tenant; those with most open alerts of high severity first.
    #[default]
    Tenant,
    /// A severity, over all tenants.
    Severity,
    /// A severity at a tenant that has any such alerts.
    TenantSeverity,
}

/// Every heading that a table may have: it is a list, also where it has little room.
const HEADINGS: [&str; 13] = [
    "tenant",
    "severity",
    "open high",
    "medium",
    "low",
    "info",
    "other",
    "open",
    "total",
    "created",
    "by day",
    "resolved",
    "median time",
];

pub(super) fn run(config: &Path, arguments: &Arguments) -> Result<Exit, Problem> {
    let store = Reading::open(&select::store(config)?)?;
    let filter = TenantFilter { ids: select::tenants_called(&store, &arguments.tenant)?, tags: arguments.tag.clone() };
    let figures = store.stats(&filter, Days::until(Clock::System.now(), arguments.days))?;
    let lines = stats_line::lines(&figures, arguments.by);
    let brief: &'static [&'static str] = if arguments.shape.format == RowFormat::Table { &HEADINGS } else { &[] };
    show(arguments.shape, brief, |sink| {
        let sent = match arguments.shape.format {
            RowFormat::Table => tell(sink, arguments.by, &lines),
            RowFormat::Json | RowFormat::Ndjson | RowFormat::Csv => send(sink, arguments.by, &lines),
        };
        sent.map_err(ReadError::Output)?;
        Ok(Sent { rows: 0, cut: false })
    })?;
    Ok(Exit::Done)
}

/// Every figure of every line.
fn send(sink: &mut dyn Sink, by: By, lines: &[Line]) -> io::Result<()> {
    sink.columns(&stats_line::names(by))?;
    lines.iter().try_for_each(|line| sink.row(line.values(by)))
}

/// A table with a line for all at its end.
fn tell(sink: &mut dyn Sink, by: By, lines: &[Line]) -> io::Result<()> {
    let most = lines.iter().map(Line::high).max().unwrap_or_default();
    sink.columns(&stats_line::headings(by))?;
    lines.iter().try_for_each(|line| sink.row(line.cells(by, most)))?;
    sink.row(stats_line::all(lines).cells(by, 0))
}
