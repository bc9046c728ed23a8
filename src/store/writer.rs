//! Owns the one thread that writes, and the grouping of what waits into one transaction. Where every run must go the same
//! way there is no thread, and whoever hands over work carries it out.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Savepoint, Transaction, TransactionBehavior};
use tokio::sync::{Notify, mpsc, oneshot};

use super::StoreError;
use super::anchor::Anchor;
use super::log::Log;

/// So many jobs may wait; further callers wait for a place, which slows reading down to the speed of the disk.
const QUEUE: usize = 64;
/// A transaction takes no further job once it holds this weight (rows): more makes the log longer, not the disk faster.
const GROUP_WEIGHT: usize = 1_000;

/// A transaction that lasts so long is stuck: it waits five seconds for locks of others, and as long for readers of a log
/// that has become long.
const PATIENCE: Duration = Duration::from_secs(30);
/// Folding the log back may be part of it. The slowest disk does so many bytes of that in a second, and a process that
/// is ended in the middle begins anew.
const FOLDED_A_SECOND: u64 = 20 * 1024 * 1024;

/// The planner's statistics are looked at so often: those of a store that was small mislead it when it has grown.
const BETWEEN_STATISTICS: Duration = Duration::from_secs(3_600);
/// Takes those statistics anew that are out of date, from a sample, so that the writer is not held up.
const TAKE_STATISTICS: &str = "PRAGMA analysis_limit = 400; PRAGMA optimize;";

/// Work inside a transaction, or the reason why there is none: the reply that tells the caller how the commit went, or
/// the error that the caller was told already.
type Work = Box<dyn FnOnce(Result<&Savepoint<'_>, StoreError>) -> Result<Reply, StoreError> + Send>;
type Reply = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

struct Job {
    weight: usize,
    work: Work,
}

/// Who is told of each transaction: how long it took, and why it came to nothing.
pub(super) type Watcher = Box<dyn Fn(Duration, Option<&StoreError>) + Send + Sync>;

/// Since when the writer has been at one transaction, with what belongs to it; none while it waits for work.
#[derive(Debug, Default)]
struct Round(Mutex<Option<Instant>>);

impl Round {
    fn set(&self, begun: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = begun;
    }

    fn lasts(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).map_or(Duration::ZERO, |begun| begun.elapsed())
    }
}

/// Hands work to the writer.
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    /// The writer itself, where there is no thread for it.
    here: Option<Mutex<Desk>>,
    committed: Arc<Notify>,
    watcher: Arc<OnceLock<Watcher>>,
    round: Arc<Round>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("jobs", &self.jobs).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Job({})", self.weight)
    }
}

impl Writer {
    /// Starts the thread. It ends when the `Writer` is dropped and all that waited is done.
    pub(super) fn start(conn: Connection, log: Log, anchor: Arc<Anchor>) -> Result<(Self, JoinHandle<()>), StoreError> {
        let (writer, mut desk) = Self::with_desk(conn, log, anchor);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                while let Some(first) = desk.waiting.blocking_recv() {
                    desk.turn(first);
                }
            })
            .map_err(|e| StoreError::Io(format!("starting the writer: {e}")))?;
        Ok((writer, thread))
    }

    /// Starts no thread: whoever hands over a job does it.
    pub(super) fn start_here(conn: Connection, log: Log, anchor: Arc<Anchor>) -> Self {
        let (writer, desk) = Self::with_desk(conn, log, anchor);
        Self { here: Some(Mutex::new(desk)), ..writer }
    }

    fn with_desk(conn: Connection, log: Log, anchor: Arc<Anchor>) -> (Self, Desk) {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let writer =
            Self { jobs, here: None, committed: Arc::default(), watcher: Arc::default(), round: Arc::default() };
        let desk = Desk {
            conn,
            log,
            anchor,
            waiting,
            committed: Arc::clone(&writer.committed),
            watcher: Arc::clone(&writer.watcher),
            round: Arc::clone(&writer.round),
            looked_at: Instant::now(),
            broken: None,
        };
        (writer, desk)
    }

    /// Wakes whoever waits for new changes after each commit.
    pub(super) fn committed(&self) -> Arc<Notify> {
        Arc::clone(&self.committed)
    }

    /// Whether the writer has been at one transaction for longer than it can take with a log of `log_bytes`.
    pub(super) fn is_stuck(&self, log_bytes: impl FnOnce() -> u64) -> bool {
        let lasts = self.round.lasts();
        lasts >= PATIENCE && lasts >= patience(log_bytes())
    }

    /// Tells `watcher` of each transaction from now on. A second watcher is not heard.
    pub(super) fn watch(&self, watcher: Watcher) {
        drop(self.watcher.set(watcher));
    }

    /// Runs `work` in a transaction, together with what else is waiting, and returns its result once it is durable.
    ///
    /// If `work` fails, nothing of it is kept, and its neighbours in the transaction are not affected.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        weight: usize,
        work: impl FnOnce(&Savepoint<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |savepoint| match savepoint.and_then(work) {
            // A caller that is gone by now does not undo its work.
            Ok(value) => Ok(Box::new(move |commit| drop(answer.send(commit.map(|()| value))))),
            Err(error) => {
                drop(answer.send(Err(error.clone())));
                Err(error)
            }
        });
        self.jobs.send(Job { weight, work }).await.map_err(|_| StoreError::Closed)?;
        if let Some(desk) = &self.here {
            desk.lock().unwrap_or_else(PoisonError::into_inner).work_off();
        }
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

fn patience(log_bytes: u64) -> Duration {
    PATIENCE + Duration::from_secs(log_bytes / FOLDED_A_SECOND)
}

/// What the writer works with, and what it has seen so far.
struct Desk {
    conn: Connection,
    log: Log,
    anchor: Arc<Anchor>,
    waiting: mpsc::Receiver<Job>,
    committed: Arc<Notify>,
    watcher: Arc<OnceLock<Watcher>>,
    round: Arc<Round>,
    looked_at: Instant,
    broken: Option<StoreError>,
}

impl Desk {
    /// Carries out the first job, with what else waits.
    fn turn(&mut self, first: Job) {
        let begun = Instant::now();
        self.round.set(Some(begun));
        let outcome = match &self.broken {
            None => write_group(&mut self.conn, &self.anchor, first, &mut self.waiting),
            Some(error) => refuse(first, StoreError::clone(error)),
        };
        if let Some(tell) = self.watcher.get() {
            tell(begun.elapsed(), outcome.as_ref().err());
        }
        self.committed.notify_waiters();
        // Once the disk has failed, what it says of later writes is worth nothing.
        let failed = outcome.err().filter(StoreError::is_fatal);
        self.broken = self.broken.take().or(failed).or_else(|| self.log.keep_short(&self.conn).err());
        if self.broken.is_none() && self.looked_at.elapsed() > BETWEEN_STATISTICS {
            self.looked_at = Instant::now();
            // Statistics make plans better and are no part of any promise.
            drop(self.conn.execute_batch(TAKE_STATISTICS));
        }
        self.round.set(None);
    }

    /// Carries out all that waits.
    fn work_off(&mut self) {
        while let Ok(first) = self.waiting.try_recv() {
            self.turn(first);
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // What is in the log is durable already; folding it into the file only makes the next start quicker, so it waits
        // for nobody who is reading.
        drop(self.conn.execute_batch(TAKE_STATISTICS));
        drop(self.conn.execute_batch("PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE);"));
    }
}

/// One transaction: the first job and what else waits, up to the group's weight.
fn write_group(
    conn: &mut Connection,
    anchor: &Anchor,
    first: Job,
    waiting: &mut mpsc::Receiver<Job>,
) -> Result<(), StoreError> {
    let begun = anchor.holds().and_then(|()| Ok(conn.transaction_with_behavior(TransactionBehavior::Immediate)?));
    let mut transaction = match begun {
        Ok(transaction) => transaction,
        Err(error) => return refuse(first, error),
    };
    let mut replies = Vec::new();
    let mut weight = 0;
    let mut next = Some(first);
    let mut undone = None;
    while let Some(job) = next.take() {
        weight += job.weight.max(1);
        match in_savepoint(&mut transaction, job.work) {
            Ok(reply) => replies.push(reply),
            // A full disk or a failed write undoes the jobs before, too. Another one would begin a transaction of its own.
            Err(error) if transaction.is_autocommit() => undone = Some(error),
            Err(_) => {}
        }
        if undone.is_none() && weight < GROUP_WEIGHT {
            next = waiting.try_recv().ok();
        }
    }
    let outcome = undone.map_or_else(|| transaction.commit().map_err(StoreError::from), Err);
    // What went to a file that was taken away meanwhile is not kept.
    let outcome = outcome.and_then(|()| anchor.holds());
    for reply in replies {
        reply(outcome.clone());
    }
    outcome
}

/// Tells a job why it has no transaction.
fn refuse(job: Job, error: StoreError) -> Result<(), StoreError> {
    drop((job.work)(Err(error.clone())));
    Err(error)
}

/// Runs one job so that its failure undoes it alone.
fn in_savepoint(transaction: &mut Transaction<'_>, work: Work) -> Result<Reply, StoreError> {
    let savepoint = match transaction.savepoint() {
        Ok(savepoint) => savepoint,
        Err(error) => return work(Err(error.into())),
    };
    let reply = work(Ok(&savepoint))?;
    match savepoint.commit() {
        Ok(()) => Ok(reply),
        Err(error) => {
            let error = StoreError::from(error);
            reply(Err(error.clone()));
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_is_given_the_time_to_be_folded_back() {
        assert_eq!(patience(0), PATIENCE);
        assert_eq!(patience(64 * 1024 * 1024), PATIENCE + Duration::from_secs(3));
        assert_eq!(patience(10 * 1024 * 1024 * 1024), PATIENCE + Duration::from_secs(512));
    }
}
