//! Owns `alertferry alerts tail`.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::command::output::runtime;
use crate::command::rows::{RowWriter, Shape, show, unless_unread};
use crate::command::{Exit, Problem, number, select};
use crate::store::{ReadError, Reading, Sink, Value};

/// The command line of `alerts tail`.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Arguments {
    /// Go on with the changes that come, until interrupted.
    #[arg(long, short)]
    follow: bool,
    /// Begin with so many of the newest changes.
    #[arg(long, short = 'n', default_value_t = 20, value_parser = number::parse::<u32>, allow_negative_numbers = true, value_name = "CHANGES")]
    lines: u32,
    /// Begin with the change after this number instead.
    #[arg(long, value_parser = number::parse::<i64>, allow_negative_numbers = true, value_name = "SEQ", conflicts_with = "lines")]
    since_seq: Option<i64>,
    #[command(flatten)]
    shape: Shape,
}

/// What a table has room for; the other formats have every column.
const BRIEF: [&str; 8] =
    ["seq", "observed_at", "kind", "tenant_name", "severity", "status", "computer_dns_name", "title"];

/// So long after a look at the store comes the next one.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);
/// So many changes are read at once. They are written when the store is let go: a pager that waits must not hold it.
const AT_ONCE: u64 = 500;

pub(super) fn run(config: &Path, arguments: &Arguments) -> Result<Exit, Problem> {
    let store = Reading::open(&select::store(config)?)?;
    let seq = match arguments.since_seq {
        Some(seq) => seq,
        None => store.before_newest(arguments.lines)?,
    };
    if arguments.follow {
        let writer = RowWriter::endless(arguments.shape, &BRIEF)?;
        return runtime()?.block_on(follow(&store, Follower { writer, seq, begun: false, rows: Vec::new() }));
    }
    show(arguments.shape, &BRIEF, |sink| store.changes(seq, 0, sink))?;
    Ok(Exit::Done)
}

/// Shows changes as they come, until interrupted or until nobody reads them any more.
async fn follow(store: &Reading, mut follower: Follower) -> Result<Exit, Problem> {
    let deaf = |error: io::Error| Problem::new(Exit::Internal, format!("cannot listen for signals: {error}"));
    let mut interrupted = signal(SignalKind::interrupt()).map_err(deaf)?;
    let mut seen = None;
    loop {
        // Asked before the changes are: what is written in between is met at the next look.
        let version = store.data_version()?;
        let mut pause = BETWEEN_LOOKS;
        if seen != Some(version) {
            let sent = store.changes(follower.seq, AT_ONCE, &mut follower)?;
            if unless_unread(follower.write_out().map_err(ReadError::Output))?.is_none() {
                return Ok(Exit::Done);
            }
            (seen, pause) = if sent.cut { (None, Duration::ZERO) } else { (Some(version), pause) };
        }
        tokio::select! {
            _ = interrupted.recv() => return Ok(Exit::Done),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// A writer that remembers how far it has come.
struct Follower {
    writer: RowWriter,
    seq: i64,
    begun: bool,
    /// What is read and not yet written.
    rows: Vec<Vec<Value>>,
}

impl Follower {
    fn write_out(&mut self) -> io::Result<()> {
        for row in std::mem::take(&mut self.rows) {
            self.writer.row(row)?;
        }
        self.writer.flush()
    }
}

impl Sink for Follower {
    fn columns(&mut self, names: &[String]) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) { Ok(()) } else { self.writer.columns(names) }
    }

    fn row(&mut self, values: Vec<Value>) -> io::Result<()> {
        if let Some(Value::Integer(seq)) = values.first() {
            self.seq = *seq;
        }
        self.rows.push(values);
        Ok(())
    }
}
