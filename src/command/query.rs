//! Owns `alertferry query`.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use super::rows::{Shape, show, tell_cut};
use super::{Exit, Problem, number, select};
use crate::settings::parse_span;
use crate::store::{self, MOST_QUERY_BYTES, QueryLimits};

/// The command line of `query`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// One statement that only reads; - takes it from standard input. docs/SCHEMA.md has the views.
    #[arg(allow_hyphen_values = true)]
    sql: String,
    /// End the query when it works for longer than this, such as 30s or 5m; 0s means no limit.
    #[arg(long, default_value = "30s", value_parser = parse_span, value_name = "SPAN")]
    timeout: Duration,
    /// Show at most so many rows; 0 means no limit.
    #[arg(long, default_value_t = 100_000, value_parser = number::parse::<u64>, allow_negative_numbers = true, value_name = "ROWS")]
    limit: u64,
    #[command(flatten)]
    shape: Shape,
}

pub(super) fn run(config: &Path, arguments: &Arguments) -> Result<Exit, Problem> {
    let path = select::store(config)?;
    let sql = if arguments.sql == "-" { from_stdin()? } else { arguments.sql.clone() };
    let limits = QueryLimits { rows: arguments.limit, time: arguments.timeout };
    let sent = show(arguments.shape, &[], |sink| store::query(&path, &sql, limits, sink))?;
    tell_cut(sent);
    Ok(Exit::Done)
}

fn from_stdin() -> Result<String, Problem> {
    let bad = |why: String| Problem::new(Exit::Usage, format!("cannot read the query from standard input: {why}"));
    // One byte more than may be, so that a longer one is refused and not cut.
    let most = u64::try_from(MOST_QUERY_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut sql = String::new();
    std::io::stdin().lock().take(most).read_to_string(&mut sql).map_err(|error| bad(error.to_string()))?;
    Ok(sql)
}
