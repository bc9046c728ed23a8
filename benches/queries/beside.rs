//! Owns what readers and the writer cost each other: the same alerts are landed alone, beside eight readers, and beside
//! eight readers of another file, which take the same share of the machine but touch nothing of the writer's.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use alertferry::clock::Clock;
use alertferry::domain::{Alert, TenantId};
use alertferry::store::{Batch, CoverageMove, Store};

use crate::asked::{self, Subjects};
use crate::build::{self, Built, Size};
use crate::names;
use crate::support::{Cell, Table, at_most, count, number, pause, ratio};
use crate::texts::{Fleet, Which};
use crate::timing;

/// The store that alerts are landed in; it is copied for each run.
const SIZE: Size = Size { alerts: 100_000, tenants: 200 };
/// Alerts that are landed in a run.
const LANDED: u64 = 20_000;
/// Alerts of a piece.
const PIECE: usize = 500;
/// Readers, each a process of its own.
const READERS: usize = 8;
/// Runs of each kind, in turn; the best of each counts.
const ROUNDS: usize = 3;
/// Questions a second of a reader that does not ask as fast as it can.
const PACE: u32 = 5;

/// What is done beside landing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beside {
    Nothing,
    /// Eight readers of the same file, at a pace or as fast as they can.
    Readers {
        paced: bool,
    },
    /// Eight readers of a copy of it.
    Strangers {
        paced: bool,
    },
}

/// What a run gave.
#[derive(Clone, Copy, Default)]
struct Run {
    rows_a_second: f64,
    questions: u64,
    log_mib: u64,
}

/// Prints the table.
pub(crate) fn print(path: &Path) {
    let base = build::store(&path.with_file_name("beside.db"), SIZE);
    let kinds = [
        ("nothing", Beside::Nothing),
        ("8 readers, 5 questions a second each", Beside::Readers { paced: true }),
        ("8 readers of a copy, 5 questions a second each", Beside::Strangers { paced: true }),
        ("8 readers, as fast as they can", Beside::Readers { paced: false }),
        ("8 readers of a copy, as fast as they can", Beside::Strangers { paced: false }),
    ];
    let mut best = [Run::default(); 5];
    for _ in 0..ROUNDS {
        for (best, (_, beside)) in best.iter_mut().zip(kinds) {
            let run = run(&base, beside);
            if run.rows_a_second > best.rows_a_second {
                *best = run;
            }
        }
    }
    println!("\nlanding {LANDED} alerts in a store of {}, best of {ROUNDS}", SIZE.alerts);
    let columns = ["rows/s", "of alone", "questions answered a second", "largest log, MiB"];
    let table = Table::begin("queries", "beside it", &columns);
    for ((name, _), run) in kinds.iter().zip(best) {
        let part = ratio(run.rows_a_second, Some(best[0].rows_a_second));
        table.row(name, &[number(run.rows_a_second, 0), part, count(run.questions), count(run.log_mib)]);
    }
    let lost = |with: usize, without: usize| 100.0 * (1.0 - best[with].rows_a_second / best[without].rows_a_second);
    let table = Table::begin("queries", "lost, in %", &["measured", "bar"]);
    let row = |what: &str, lost: f64, became: Cell| table.row(what, &[number(lost, 0), became]);
    row("8 readers at a pace, against nothing", lost(1, 0), at_most(lost(1, 0), 20.0, "%"));
    row("8 busy readers, against 8 busy readers of a copy", lost(3, 4), at_most(lost(3, 4), 20.0, "%"));
    row("8 busy readers, against nothing", lost(3, 0), Cell::Nothing);
}

/// Lands the alerts in a copy of the store.
fn run(base: &Built, beside: Beside) -> Run {
    let dir = tempfile::tempdir_in(base.path.parent().expect("a directory")).expect("a directory");
    let (path, other) = (dir.path().join("alerts.db"), dir.path().join("other.db"));
    std::fs::copy(&base.path, &path).expect("a copy");
    let readers = match beside {
        Beside::Nothing => Vec::new(),
        Beside::Readers { paced } => start(&path, paced),
        Beside::Strangers { paced } => {
            std::fs::copy(&base.path, &other).expect("a copy");
            start(&other, paced)
        }
    };
    let (seconds, log_mib) = land(&path, base.fleet);
    let questions: u64 = readers.into_iter().map(Reader::end).sum();
    let rows = LANDED.to_string().parse::<f64>().expect("a number");
    Run { rows_a_second: rows / seconds, questions, log_mib }
}

/// Lands the alerts; how long it took, and how long the log became.
fn land(path: &Path, fleet: Fleet) -> (f64, u64) {
    let fleet = Fleet { seed: fleet.seed + 1, ..fleet };
    let pieces: Vec<(u64, Vec<Alert>)> = (0..LANDED)
        .collect::<Vec<_>>()
        .chunks(PIECE)
        .zip(1..)
        .map(|(numbers, tenant)| {
            let which = |number: &u64| Which { tenant, number: *number, of: LANDED };
            let text = |number: &u64| fleet.text(which(number), fleet.changes(which(number)));
            let scan = |number: &u64| Alert::scan(text(number).into_bytes(), false).expect("an alert");
            (tenant, numbers.iter().map(scan).collect())
        })
        .collect();
    let (store, writer) = Store::open(path, Clock::System).expect("a store");
    let (done, largest) = (AtomicBool::new(false), AtomicU64::new(0));
    let [_, log, _] = alertferry::store::files(path);
    let seconds = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let length = std::fs::metadata(&log).map_or(0, |file| file.len());
                largest.fetch_max(length / 1_048_576, Ordering::Relaxed);
                pause(Duration::from_millis(5));
            }
        });
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let begun = Instant::now();
        runtime.block_on(async {
            for (tenant, alerts) in pieces {
                let id = TenantId::parse(&names::tenant(tenant)).expect("a GUID");
                let key = store.standing(id).await.expect("readable").expect("enrolled").key;
                let batch = Batch { alerts, history: true, ..Batch::default() };
                store.land(key, batch, CoverageMove::default()).await.expect("landed");
            }
        });
        done.store(true, Ordering::Relaxed);
        begun.elapsed().as_secs_f64()
    });
    drop(store);
    writer.join().expect("all is written");
    (seconds, largest.into_inner())
}

/// A reader, a process of its own.
struct Reader {
    child: Child,
    begun: Instant,
}

fn start(path: &Path, paced: bool) -> Vec<Reader> {
    let one = |_| {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.arg("reader").arg(path).arg(if paced { "paced" } else { "fast" });
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a reader");
        Reader { child, begun: Instant::now() }
    };
    let mut readers: Vec<Reader> = (0..READERS).map(one).collect();
    for reader in &mut readers {
        // It says when it has found what it will ask about.
        let mut ready = [0; 1];
        reader.child.stdout.as_mut().expect("its output").read_exact(&mut ready).expect("it is ready");
        reader.begun = Instant::now();
    }
    readers
}

impl Reader {
    /// Ends it; the questions a second that it asked. It fails if any of them failed.
    fn end(mut self) -> u64 {
        drop(self.child.stdin.take());
        let mut text = String::new();
        self.child.stdout.take().expect("its output").read_to_string(&mut text).expect("text");
        assert!(self.child.wait().expect("it ended").success(), "a reader failed");
        let asked: u64 = text.trim().parse().expect("a number");
        asked / self.begun.elapsed().as_secs().max(1)
    }
}

/// A reader's own part: asks the questions of every day in turn until its input ends.
pub(crate) fn reader(path: &Path, paced: bool) {
    let conn = timing::connect(path);
    let questions = asked::daily(&Subjects::of(&conn));
    print!("!");
    std::io::Write::flush(&mut std::io::stdout()).expect("written");
    let over = AtomicBool::new(false);
    let mut asked: u64 = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            drop(std::io::stdin().read_to_end(&mut Vec::new()));
            over.store(true, Ordering::Relaxed);
        });
        for question in questions.iter().cycle() {
            if over.load(Ordering::Relaxed) {
                break;
            }
            timing::run(&conn, &question.sql).expect(&question.name);
            asked += 1;
            if paced {
                pause(Duration::from_secs(1) / PACE);
            }
        }
    });
    println!("{asked}");
}
