//! Owns `alertferry alerts search`.

use std::path::Path;

use super::filters::Filters;
use crate::command::rows::{Shape, show};
use crate::command::{Exit, Problem, select};
use crate::store::{Reading, Sought};

/// The command line of `alerts search`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Words are compared without case and accents, and punctuation separates words: evil.exe is evil followed by exe. \
What was stored last comes first. A text that begins with - stands after --: alerts search -- -enc")]
pub(in crate::command) struct Arguments {
    /// Words that must all be there, in any order; with a * at its end, one means all words that begin so.
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<String>,
    /// Take TEXT for an FTS5 expression: AND, OR, NOT, "a phrase", NEAR(a b), begins*, title : word; the columns are
    /// title, description, command_lines and file_names.
    #[arg(long)]
    expression: bool,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    shape: Shape,
}

/// What a table has room for; the other formats have every column.
const BRIEF: [&str; 7] =
    ["last_update_time", "severity", "tenant_name", "computer_dns_name", "title", "match", "alert_id"];

pub(super) fn run(config: &Path, arguments: &Arguments) -> Result<Exit, Problem> {
    let store = Reading::open(&select::store(config)?)?;
    let text = arguments.text.join(" ");
    let sought = if arguments.expression { Sought::Expression(text) } else { Sought::Words(text) };
    let (filter, limit) = (arguments.filters.of(&store)?, arguments.filters.limit);
    let sent = show(arguments.shape, &BRIEF, |sink| store.search(&sought, &filter, limit, sink))?;
    arguments.filters.tell(sent);
    Ok(Exit::Done)
}
