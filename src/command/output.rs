//! Owns how commands show things: tables that fit the terminal, JSON, and no terminal escapes from other people's text.

use std::io::{IsTerminal, Write};

use comfy_table::{Cell, Color, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};

use super::{Exit, Problem};
pub(super) use crate::logging::visible;
use crate::logging::visible_json;
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
/// In fewer columns than this, tables are laid out for little room.
const NARROW: u16 = 130;
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

/// Whether there is little room for the table.
pub(super) fn is_narrow(table: &Table) -> bool {
    table.width().is_some_and(|width| width < NARROW)
}

/// A table whose last column tells why, to the end of it. Where there is little room, that column becomes lines of its
/// own below the table, for the rows that have something to tell. Other columns than the first are never broken.
pub(super) struct WithReasons {
    table: Table,
    reasons: Table,
    below: bool,
    some: bool,
    links: Vec<String>,
}

impl WithReasons {
    /// An empty table with these headings before that of the reasons.
    pub(super) fn new(headings: &[&str]) -> Self {
        let why = "reason and remedy";
        let mut whole = table(&[]);
        let below = is_narrow(&whole);
        if below {
            whole.set_header(headings.iter().map(|heading| heading.replace(' ', "\n")));
        } else {
            whole.set_header(headings.iter().chain([&why]));
        }
        for at in 1..headings.len() {
            whole.column_mut(at).map(|column| column.set_constraint(ColumnConstraint::ContentWidth));
        }
        Self { reasons: table(&[headings[0], why]), table: whole, below, some: false, links: Vec::new() }
    }

    /// Adds a row about `name`, the reason being its parts that are there.
    pub(super) fn add(&mut self, name: &str, cells: Vec<Cell>, why: [Option<&str>; 2]) {
        let why = why.into_iter().flatten().collect::<Vec<_>>().join(" → ");
        self.links.extend(links(name, &why));
        let mut row = vec![cell(name)];
        row.extend(cells);
        if !self.below {
            row.push(cell(why));
        } else if !why.is_empty() {
            self.some = true;
            self.reasons.add_row([cell(name), cell(why)]);
        }
        self.table.add_row(row);
    }
}

impl std::fmt::Display for WithReasons {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.table)?;
        if self.some {
            write!(f, "\n\n{}\n", self.reasons)?;
        }
        self.links.iter().try_for_each(|link| write!(f, "\n{link}"))
    }
}

/// A shorter link fits the cells of most tables.
const LONG_LINK_CHARS: usize = 60;

/// The long links of a text, each after whom it is for: a table breaks them, and nobody could copy them out of it.
pub(super) fn links(whom: &str, text: &str) -> Vec<String> {
    let long = |word: &&str| word.starts_with("http") && word.contains("://") && word.len() > LONG_LINK_CHARS;
    text.split_whitespace().filter(long).map(|link| format!("{}: {}", visible(whom), visible(link))).collect()
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

/// Writes to standard output without the blanks that tables have at the end of lines; a reader that went away is no
/// error.
pub(super) fn print(text: &str) -> Result<(), Problem> {
    let text: Vec<&str> = text.lines().map(str::trim_end).collect();
    let (text, mut out) = (text.join("\n"), std::io::stdout().lock());
    match out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Problem::new(Exit::Io, format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a value as JSON to standard output; what steers a terminal or hides is escaped.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<(), Problem> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Problem::new(Exit::Internal, error.to_string()))?;
    print(&visible_json(&text))
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
    fn links_too_long_for_a_table_can_be_copied_below_it() {
        let link = format!("https://login.example/{}", "a".repeat(80));
        let why = format!("have an administrator open {link}");
        let mut rows = WithReasons::new(&["tenant", "state"]);
        rows.add("Contoso\u{1b}", vec![cell("unauthorized")], [Some("see http://short.example"), Some(&why)]);
        let shown = rows.to_string();
        let last = shown.lines().last().expect("lines");
        assert_eq!(last, format!("Contoso\\u{{1b}}: {link}"), "{shown}");
        assert!(links("Contoso", "nothing: it is read again").is_empty());
    }
}
