//! How fast pages of alerts with evidence become rows, against the two limits that no program can beat: downloading
//! and splitting the same pages, and inserting the same rows into SQLite, each alone in the same run.
//!
//! `cargo bench --bench ingest` prints the table for compressed answers with evidence; `cargo bench --bench ingest --
//! --all` also those for answers without evidence and for answers that are not compressed, in three times the time. Every
//! measured part is a process of its own, so that its peak memory is its own; the pages come from one more process,
//! ready-made. What is compared was measured in the same table.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

mod limits;
mod ours;
mod pages;
mod server;
#[path = "../support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use support::{Arguments, Cell, Spent, Table, at_least, at_most, number, ratio};

/// Alerts in the simulated tenant.
const ALERTS: usize = 50_000;
/// Rows of a full answer.
const PAGE: usize = 10_000;
/// Each part is measured so often; the best counts, for all alike.
const ROUNDS: usize = 3;

/// The history is read so often: new, unchanged, and with some alerts changed.
const READS: usize = 3;

/// How answers look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Variant {
    evidence: bool,
    gzip: bool,
}

impl Variant {
    const USUAL: Self = Self { evidence: true, gzip: true };
    const OTHERS: [Self; 3] = [
        Self { evidence: true, gzip: false },
        Self { evidence: false, gzip: true },
        Self { evidence: false, gzip: false },
    ];

    fn name(self) -> String {
        let evidence = if self.evidence { "with evidence" } else { "without evidence" };
        let coding = if self.gzip { "gzip" } else { "identity" };
        format!("{evidence}, {coding}")
    }
}

fn main() {
    let arguments = Arguments::of_process();
    let variant = Variant { evidence: !arguments.has("thin"), gzip: !arguments.has("identity") };
    match (arguments.word(0), arguments.word(1)) {
        (Some("serve"), _) => server::serve(variant),
        (Some("download"), Some(url)) => limits::download_and_split(url),
        (Some("insert"), Some(url)) => limits::insert(url, limits::Indexes { values: true, words: true }),
        (Some("insert-values"), Some(url)) => limits::insert(url, limits::Indexes { values: true, words: false }),
        (Some("insert-words"), Some(url)) => limits::insert(url, limits::Indexes { values: false, words: true }),
        (Some("insert-rows"), Some(url)) => limits::insert(url, limits::Indexes { values: false, words: false }),
        (Some("ours"), Some(url)) => ours::ingest(url),
        _ => {
            run(Variant::USUAL);
            if arguments.has("--all") || arguments.has("all") {
                Variant::OTHERS.into_iter().for_each(run);
            }
        }
    }
}

/// What a part printed: its seconds, how many rows, and its peak memory in MiB.
#[derive(Debug, Clone, Copy)]
struct Measured {
    seconds: f64,
    rows: f64,
    peak_mib: f64,
}

impl Measured {
    fn rate(self) -> f64 {
        self.rows / self.seconds
    }
}

fn run(variant: Variant) {
    println!("\ningest: {ALERTS} alerts {}, answers of {PAGE}, best of {ROUNDS}", variant.name());
    let (mut server, url) = start_server(variant);
    let best = |part: &str, line: usize| {
        let rounds = (0..ROUNDS).map(|_| measure(part, &url)[line]);
        rounds.min_by(|a, b| a.seconds.total_cmp(&b.seconds)).expect("at least one round")
    };
    let columns = ["answers", "s", "rows/s", "peak MiB", "x rows alone", "x its limit", "rows/s, x first read", "bar"];
    let table = Table::begin("ingest", "part", &columns);
    let row = |name: &str, part: Measured, ratios: [Cell; 4]| {
        let mut cells: Vec<Cell> = vec![variant.name().as_str().into()];
        cells.extend([number(part.seconds, 2), number(part.rate(), 0), number(part.peak_mib, 0)]);
        cells.extend(ratios);
        table.row(name, &cells);
    };
    let nothing = || [Cell::Nothing, Cell::Nothing, Cell::Nothing, Cell::Nothing];
    let download = best("download", 0);
    row("download and split alone (limit 1)", download, nothing());
    let alone = best("insert-rows", 0);
    row("SQLite insert alone, rows and their indexes", alone, nothing());
    let dearer =
        |part: Measured| [ratio(part.seconds, Some(alone.seconds)), Cell::Nothing, Cell::Nothing, Cell::Nothing];
    if variant == Variant::USUAL {
        for (name, part) in [("values", "insert-values"), ("words", "insert-words")] {
            let part = best(part, 0);
            row(&format!("… with the index of {name}"), part, dearer(part));
        }
    }
    let insert = best("insert", 0);
    row("… with both: all that is written (limit 2)", insert, dearer(insert));
    let rounds: Vec<Vec<Measured>> = (0..ROUNDS).map(|_| measure("ours", &url)).collect();
    let [first, again, changed] = [0, 1, 2].map(|line| {
        let lines = rounds.iter().map(|round| round[line]);
        lines.min_by(|a, b| a.seconds.total_cmp(&b.seconds)).expect("at least one round")
    });
    let larger = download.seconds.max(insert.seconds);
    let slower = first.seconds / larger;
    row("alertferry, first read", first, [Cell::Nothing, number(slower, 2), Cell::Nothing, at_most(slower, 1.5, "x")]);
    for (name, part, bar) in [("unchanged re-read", again, true), ("re-read, one in a hundred changed", changed, false)]
    {
        let faster = part.rate() / first.rate();
        let became = if bar { at_least(faster, 4.0, "x") } else { Cell::Nothing };
        let limit = number(part.seconds / download.seconds, 2);
        row(&format!("alertferry, {name}"), part, [Cell::Nothing, limit, number(faster, 1), became]);
    }
    let memory = at_most(changed.peak_mib, 64.0, "MiB");
    row("alertferry, all three reads", changed, [Cell::Nothing, Cell::Nothing, Cell::Nothing, memory]);
    server.kill().expect("the server ends");
    server.wait().expect("the server has ended");
}

fn start_server(variant: Variant) -> (Child, String) {
    let mut command = part();
    command.arg("serve");
    command.args(["thin"].iter().filter(|_| !variant.evidence)).args(["identity"].iter().filter(|_| !variant.gzip));
    let mut child = command.stdout(Stdio::piped()).spawn().expect("a server process");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its address");
    (child, line.trim().to_owned())
}

fn part() -> Command {
    Command::new(std::env::current_exe().expect("this program"))
}

/// Runs a part in a process of its own.
fn measure(name: &str, url: &str) -> Vec<Measured> {
    let output = part().args([name, url]).stderr(Stdio::inherit()).output().expect("a process");
    assert!(output.status.success(), "{name} failed");
    let text = String::from_utf8(output.stdout).expect("text");
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let line = |line: &str| {
        let mut numbers = line.split(' ').map(number);
        let mut next = || numbers.next().expect("three numbers a line");
        Measured { seconds: next(), rows: next(), peak_mib: next() }
    };
    text.lines().map(line).collect()
}

/// Prints what a part measured, for [`measure`].
fn report(seconds: f64, rows: usize) {
    println!("{seconds} {rows} {}", Spent::here().peak_mib());
}
