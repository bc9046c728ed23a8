//! Owns how commands show things: tables that fit the terminal, JSON, and no terminal escapes from other people's text.

use std::io::{IsTerminal, Write};

use comfy_table::{Cell, Color, ContentArrangement, LineStyle, Table, TableStyle};

use super::{Exit, Problem};
use crate::logging::is_hostile;
use crate::settings;

/// How a command shows its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON document.
    Json,
}

/// One line under the headings is all the drawing there is.
const LINE_UNDER_HEADINGS: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));
/// A width for tables that are not shown on a terminal.
const PIPE_WIDTH: u16 = 160;

/// An empty table with these headings, as wide as the terminal.
pub(super) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(LINE_UNDER_HEADINGS).set_content_arrangement(ContentArrangement::Dynamic);
    if !std::io::stdout().is_terminal() {
        table.set_width(PIPE_WIDTH).force_no_tty();
    }
    table.set_header(headings.iter().map(Cell::new));
    table
}

/// A cell whose text cannot do anything to the terminal.
pub(super) fn cell(text: impl AsRef<str>) -> Cell {
    Cell::new(visible(text.as_ref()))
}

/// A cell in the colour of good or bad news, where colours are shown.
pub(super) fn coloured(text: impl AsRef<str>, good: bool) -> Cell {
    let cell = cell(text);
    if !std::io::stdout().is_terminal() || !settings::colour_allowed() {
        return cell;
    }
    cell.fg(if good { Color::Green } else { Color::Yellow })
}

/// Control characters, escapes and direction marks made visible.
pub(super) fn visible(text: &str) -> String {
    text.chars().flat_map(|c| if is_hostile(c) { c.escape_unicode().collect::<Vec<_>>() } else { vec![c] }).collect()
}

/// Writes to standard output; a reader that went away is no error.
pub(super) fn print(text: &str) -> Result<(), Problem> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Problem::new(Exit::Io, format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a value as JSON to standard output.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<(), Problem> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Problem::new(Exit::Internal, error.to_string()))?;
    print(&text)
}

/// The runtime that commands work in.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::new(Exit::Internal, format!("cannot start the runtime: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_shown_and_not_run() {
        assert_eq!(visible("a\u{1b}[31mb\u{202e}c\n"), "a\\u{1b}[31mb\\u{202e}c\\u{a}");
        assert_eq!(visible("Größe – ok"), "Größe – ok");
    }
}
