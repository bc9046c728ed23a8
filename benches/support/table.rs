//! Owns tables: a row is printed as soon as it is known, and noted as a line of JSON in `target/bench-results.ndjson`
//! with the date, the commit and how busy the machine was, so that runs can be compared later.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;
use std::sync::OnceLock;

use alertferry::clock::Clock;
use serde_json::{Map, Value, json};

use super::target;

/// A figure of a row.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    /// A number and how many digits behind the point are worth printing.
    Number(f64, usize),
    /// Words, such as what became of a bar.
    Words(String),
    /// Nothing to say in this row.
    Nothing,
}

impl From<&str> for Cell {
    fn from(words: &str) -> Self {
        if words.is_empty() { Self::Nothing } else { Self::Words(words.to_owned()) }
    }
}

/// A number with so many digits behind the point.
pub(crate) const fn number(value: f64, digits: usize) -> Cell {
    Cell::Number(value, digits)
}

/// A whole number.
#[expect(clippy::cast_precision_loss, reason = "figures are for people")]
pub(crate) fn count(value: impl TryInto<u64>) -> Cell {
    Cell::Number(value.try_into().ok().expect("a count") as f64, 0)
}

/// How many times `base` a value is; nothing when there is no base.
pub(crate) fn ratio(value: f64, base: Option<f64>) -> Cell {
    base.filter(|base| *base > 0.0).map_or(Cell::Nothing, |base| Cell::Number(value / base, 2))
}

/// What became of a bar that must not be exceeded.
pub(crate) fn at_most(value: f64, bar: f64, unit: &str) -> Cell {
    verdict(value <= bar, "at most", bar, unit)
}

/// What became of a bar that must be reached.
pub(crate) fn at_least(value: f64, bar: f64, unit: &str) -> Cell {
    verdict(value >= bar, "at least", bar, unit)
}

fn verdict(reached: bool, how: &str, bar: f64, unit: &str) -> Cell {
    let blank = if unit.is_empty() { "" } else { " " };
    let end = if reached { "reached" } else { "MISSED" };
    Cell::Words(format!("{how} {bar}{blank}{unit}: {end}"))
}

/// A table of one bench.
#[derive(Debug)]
pub(crate) struct Table {
    bench: &'static str,
    columns: Vec<&'static str>,
}

impl Table {
    /// Prints the head. The first column names the part that is measured, the others its figures.
    #[expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]
    pub(crate) fn begin(bench: &'static str, part: &str, columns: &[&'static str]) -> Self {
        println!("\n| {part} | {} |", columns.join(" | "));
        println!("|---|{}", "---|".repeat(columns.len()));
        Self { bench, columns: columns.to_vec() }
    }

    /// Prints a row and notes it.
    #[expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]
    pub(crate) fn row(&self, part: &str, cells: &[Cell]) {
        assert_eq!(cells.len(), self.columns.len(), "{part}: a figure for each column");
        let texts: Vec<String> = cells.iter().map(text).collect();
        println!("| {part} | {} |", texts.join(" | "));
        let figures: Map<String, Value> = self
            .columns
            .iter()
            .zip(cells)
            .filter_map(|(column, cell)| Some(((*column).to_owned(), figure(cell)?)))
            .collect();
        let line = json!({
            "date": Clock::System.now().to_string(),
            "commit": commit(),
            "load": load(),
            "bench": self.bench,
            "part": part,
            "figures": figures,
        });
        let path = target().join("bench-results.ndjson");
        let mut file = OpenOptions::new().create(true).append(true).open(path).expect("a file of results");
        writeln!(file, "{line}").expect("noted");
    }
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Number(value, digits) => format!("{value:.digits$}"),
        Cell::Words(words) => words.clone(),
        Cell::Nothing => String::new(),
    }
}

fn figure(cell: &Cell) -> Option<Value> {
    match cell {
        // As many digits as were printed: what was not worth printing is not worth comparing.
        Cell::Number(value, digits) => Some(json!(format!("{value:.digits$}").parse::<f64>().ok()?)),
        Cell::Words(words) => Some(json!(words)),
        Cell::Nothing => None,
    }
}

/// The commit that is measured, with a `+` when the sources are no longer what was committed; empty without git.
fn commit() -> &'static str {
    static COMMIT: OnceLock<String> = OnceLock::new();
    COMMIT.get_or_init(|| {
        let git = |arguments: &[&str]| {
            let output = Command::new("git").current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).output().ok()?;
            String::from_utf8(output.stdout).ok().filter(|_| output.status.success())
        };
        let changed =
            git(&["status", "--porcelain", "src", "migrations", "Cargo.lock"]).is_some_and(|it| !it.is_empty());
        git(&["rev-parse", "--short", "HEAD"]).unwrap_or_default().trim().to_owned() + if changed { "+" } else { "" }
    })
}

/// Processes that ran or wanted to, on average over the last minute: above the number of processors others were busy.
fn load() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}
