//! How fast pages of alerts with evidence become rows, against the two limits that no program can beat: downloading
//! and splitting the same pages, and inserting the same rows into SQLite, each alone in the same run.
//!
//! `cargo bench --bench ingest` prints the table. Every measured part is a process of its own, so that its peak memory
//! is its own; the pages come from one more process, ready-made and compressed.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

mod limits;
mod ours;
mod pages;
mod server;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Alerts in the simulated tenant.
const ALERTS: usize = 50_000;
/// Rows of a full answer.
const PAGE: usize = 10_000;
/// Each part is measured so often; the best counts, for all alike.
const ROUNDS: usize = 3;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("serve"), _) => server::serve(),
        (Some("download"), Some(url)) => limits::download_and_split(&url),
        (Some("insert"), Some(url)) => limits::insert(&url, limits::Indexes { values: true, words: true }),
        (Some("insert-values"), Some(url)) => limits::insert(&url, limits::Indexes { values: true, words: false }),
        (Some("insert-words"), Some(url)) => limits::insert(&url, limits::Indexes { values: false, words: true }),
        (Some("insert-rows"), Some(url)) => limits::insert(&url, limits::Indexes { values: false, words: false }),
        (Some("ours"), Some(url)) => ours::ingest(&url),
        _ => run(),
    }
}

/// What a part printed: its seconds, how many rows, and its peak memory in MiB.
#[derive(Debug, Clone, Copy)]
struct Measured {
    seconds: f64,
    rows: f64,
    peak_mib: f64,
}

fn run() {
    println!("ingest: {ALERTS} alerts with evidence, answers of {PAGE}, best of {ROUNDS}\n");
    let (mut server, url) = start_server();
    let best = |part: &str, line: usize| {
        let rounds = (0..ROUNDS).map(|_| measure(part, &url)[line]);
        rounds.min_by(|a, b| a.seconds.total_cmp(&b.seconds)).expect("at least one round")
    };
    let (download, insert) = (best("download", 0), best("insert", 0));
    let parts = ["insert-rows", "insert-values", "insert-words"].map(|part| best(part, 0));
    let (first, again) = (best("ours", 0), best("ours", 1));
    let limit = download.seconds.max(insert.seconds);
    println!("| part | s | rows/s | peak MiB | ratio |");
    println!("|---|---|---|---|---|");
    let row = |name: &str, part: Measured, ratio: &str| {
        let rate = part.rows / part.seconds;
        println!("| {name} | {:.2} | {rate:.0} | {:.0} | {ratio} |", part.seconds, part.peak_mib);
    };
    row("download and split alone (limit 1)", download, "");
    row("SQLite insert alone, rows and their indexes", parts[0], "");
    let dearer = |part: Measured| format!("{:.2} x rows alone", part.seconds / parts[0].seconds);
    row("… with the index of values", parts[1], &dearer(parts[1]));
    row("… with the index of words", parts[2], &dearer(parts[2]));
    row("… with both: all that is written (limit 2)", insert, &dearer(insert));
    row("alertferry, first read", first, &format!("{:.2} x the larger limit", first.seconds / limit));
    let speedup = (again.rows / again.seconds) / (first.rows / first.seconds);
    row("alertferry, unchanged re-read", again, &format!("{speedup:.1} x the first read's rows/s"));
    server.kill().expect("the server ends");
    server.wait().expect("the server has ended");
}

fn start_server() -> (Child, String) {
    let mut child = part().arg("serve").stdout(Stdio::piped()).spawn().expect("a server process");
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
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("peak memory");
    let kib: f64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    println!("{seconds} {rows} {}", kib / 1024.0);
}
