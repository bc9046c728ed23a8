//! Owns how long each question takes when the store is warm.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use alertferry::store::{AlertFilter, AlertSort, Reading, Sink, TenantFilter, Value};
use rusqlite::{Connection, OpenFlags};

use crate::asked::{self, Asked, Subjects};
use crate::build::Built;
use crate::names;
use crate::support::{Cell, Table, count, number};

/// What the questions of every day must stay below, in milliseconds.
pub(crate) const BAR: f64 = 10.0;
/// A question is asked so often in a round, unless that takes longer than [`LONGEST`].
const RUNS: usize = 200;
/// So many rounds are run; the one with the best p99 counts, because neighbours on the machine are no part of it.
const ROUNDS: usize = 4;
/// A question that has taken so long in all is not asked again.
const LONGEST: Duration = Duration::from_secs(3);
/// What is told of each question.
const COLUMNS: [&str; 6] = ["rows", "runs", "median ms", "p99 ms", "median ms, cache of 64 MiB", "bar"];
/// Page cache of the second connection, in KiB.
const LARGE_CACHE_KIB: i64 = 64 * 1_024;

/// A read-only connection as users open one, with SQLite's own settings.
pub(crate) fn connect(path: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{}?mode=ro", path.display()), flags).expect("a store")
}

/// Runs a question to its end; the number of rows.
pub(crate) fn run(conn: &Connection, sql: &str) -> rusqlite::Result<usize> {
    let mut statement = conn.prepare(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            row.get_ref(column)?;
        }
        count += 1;
    }
    Ok(count)
}

/// Milliseconds of the runs of a round.
struct Times {
    rows: usize,
    sorted: Vec<f64>,
}

impl Times {
    /// The first run warms up and does not count.
    fn of(mut question: impl FnMut() -> usize) -> Self {
        let begun = Instant::now();
        let rows = question();
        let mut best: Option<Self> = None;
        for _ in 0..ROUNDS {
            if best.is_some() && begun.elapsed() >= LONGEST {
                break;
            }
            let round = Self::round(rows, begun, &mut question);
            if best.as_ref().is_none_or(|best| round.p99() < best.p99()) {
                best = Some(round);
            }
        }
        best.expect("at least one round")
    }

    fn round(rows: usize, begun: Instant, mut question: impl FnMut() -> usize) -> Self {
        let mut sorted = Vec::new();
        while sorted.len() < RUNS && (sorted.is_empty() || begun.elapsed() < LONGEST) {
            let begun = Instant::now();
            question();
            sorted.push(begun.elapsed().as_secs_f64() * 1_000.0);
        }
        sorted.sort_by(f64::total_cmp);
        Self { rows, sorted }
    }

    fn median(&self) -> f64 {
        self.sorted[self.sorted.len() / 2]
    }

    fn p99(&self) -> f64 {
        self.sorted[(self.sorted.len() * 99).div_ceil(100) - 1]
    }
}

/// Prints the tables; `everything` asks what looks at the whole store, too.
pub(crate) fn print(built: &Built) {
    let conn = connect(&built.path);
    let large = connect(&built.path);
    large.pragma_update(None, "cache_size", -LARGE_CACHE_KIB).expect("a cache");
    let subjects = Subjects::of(&conn);
    let both = |table: &Table, asked: &Asked| {
        let times = Times::of(|| run(&conn, &asked.sql).expect(&asked.sql));
        let other = Times::of(|| run(&large, &asked.sql).expect(&asked.sql));
        row(table, &asked.name, &times, Some(&other), asked.bar);
    };
    let table = Table::begin("queries", "question", &COLUMNS);
    let opened = Times::of(|| run(&connect(&built.path), "SELECT count(*) FROM tenants").expect("rows"));
    row(&table, "open the store and count the tenants", &opened, None, false);
    asked::questions(&subjects).iter().for_each(|asked| both(&table, asked));
    let table = Table::begin("queries", "query of docs/SCHEMA.md", &COLUMNS);
    asked::page(&subjects).iter().for_each(|asked| both(&table, asked));
    lists(built);
}

fn row(table: &Table, name: &str, times: &Times, other: Option<&Times>, bar: bool) {
    let verdict = match (bar, times.median() < BAR && times.p99() < BAR, times.median() < BAR) {
        (false, _, _) => "",
        (true, true, _) => "below 10 ms: reached",
        (true, false, true) => "below 10 ms: reached, but not by the p99",
        (true, false, false) => "below 10 ms: MISSED",
    };
    table.row(
        name,
        &[
            count(times.rows),
            count(times.sorted.len()),
            number(times.median(), 2),
            number(times.p99(), 2),
            other.map_or(Cell::Nothing, |other| number(other.median(), 2)),
            verdict.into(),
        ],
    );
}

/// What `alertferry alerts list` asks.
fn lists(built: &Built) {
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let middle = built.size.tenants.div_ceil(2);
    let tenant = TenantFilter { ids: vec![names::tenant(middle)], tags: Vec::new() };
    let gold = TenantFilter { ids: Vec::new(), tags: words(&["gold"]) };
    let high = || AlertFilter { severities: words(&["high"]), ..AlertFilter::default() };
    let device = format!("desktop-00003.cust{middle:04}.example");
    let variants = [
        ("", AlertFilter::default(), AlertSort::Updated),
        ("--severity high", high(), AlertSort::Updated),
        ("--severity high --status new", AlertFilter { statuses: words(&["new"]), ..high() }, AlertSort::Updated),
        ("--tenant ONE", AlertFilter { tenants: tenant, ..AlertFilter::default() }, AlertSort::Updated),
        ("--tag gold", AlertFilter { tenants: gold, ..AlertFilter::default() }, AlertSort::Updated),
        ("--device ONE", AlertFilter { devices: vec![device], ..AlertFilter::default() }, AlertSort::Updated),
        ("--sort created", AlertFilter::default(), AlertSort::Created),
        ("--sort severity", AlertFilter::default(), AlertSort::Severity),
    ];
    let reading = Reading::open(&built.path).expect("a store");
    let table = Table::begin("queries", "`alerts list`, 50 rows", &COLUMNS);
    for (name, filter, sort) in variants {
        let mut ask = || {
            let mut rows = Rows(0);
            reading.alerts(&filter, sort, 50, &mut rows).expect("rows");
            rows.0
        };
        row(&table, if name.is_empty() { "without filters" } else { name }, &Times::of(&mut ask), None, false);
    }
}

/// Takes rows and counts them.
struct Rows(usize);

impl Sink for Rows {
    fn columns(&mut self, _: &[String]) -> io::Result<()> {
        Ok(())
    }

    fn row(&mut self, _: Vec<Value>) -> io::Result<()> {
        self.0 += 1;
        Ok(())
    }
}
