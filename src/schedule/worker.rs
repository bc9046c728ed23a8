//! Owns the thread on which tokio-cron-scheduler runs, and keeps what it does wrong away from everything else.
//!
//! The scheduler spawns tasks that outlive its own `shutdown`, and offers no way to wait for them. On a runtime of its
//! own all of them end with that runtime, which ends with the thread, which is joined. It also means that a busy daemon
//! cannot hold up the scheduler, nor the scheduler the daemon.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use super::Schedule;
use crate::stop::Stop;

/// How long a thread that was told to end may take; its work between two awaits is a few atomic operations.
const MAX_ENDING: Duration = Duration::from_secs(5);

/// Why ticks cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TickerError {
    /// More jobs than the scheduler is trusted with.
    #[error("{0} jobs are too many for one scheduler")]
    TooManyJobs(usize),
    /// The system gives no thread.
    #[error("cannot start the thread of the scheduler: {0}")]
    Thread(std::io::Error),
    /// The scheduler refused.
    #[error("the scheduler does not start: {0}")]
    Scheduler(JobSchedulerError),
    /// The thread ended before it said anything.
    #[error("the scheduler's thread ended while starting")]
    Ended,
}

/// What is done at each instant of a schedule.
pub(super) type Body = Arc<dyn Fn() + Send + Sync>;

/// A worker that is let go without [`Worker::end`] ends all the same.
#[derive(Debug)]
struct QuitOnDrop(Stop);

impl Drop for QuitOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// One scheduler on its own thread.
#[derive(Debug)]
pub(super) struct Worker {
    quit: QuitOnDrop,
    ended: oneshot::Receiver<()>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts a thread that calls each body at the instants of its schedule; panics of a body are counted.
    pub(super) async fn start(jobs: Vec<(Schedule, Body)>, panics: Arc<AtomicU64>) -> Result<Self, TickerError> {
        let quit = Stop::new();
        let heard = quit.clone();
        let (started_tx, started) = oneshot::channel();
        let (ended_tx, ended) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("ticks".to_owned())
            .spawn(move || {
                // Dropped at the very end, also by a panic: that is what says "ended".
                let _ended = ended_tx;
                run(jobs, &panics, started_tx, &heard);
            })
            .map_err(TickerError::Thread)?;
        match started.await {
            Ok(Ok(())) => Ok(Self { quit: QuitOnDrop(quit), ended, thread }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(TickerError::Ended),
        }
    }

    /// Tells the thread to end, without waiting for it.
    pub(super) fn quit(&self) {
        self.quit.0.stop();
    }

    /// Whether the thread has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Ends the thread and everything the scheduler spawned on it; `false` when it did not end in time.
    pub(super) async fn end(mut self) -> bool {
        self.quit.0.stop();
        let ended = tokio::time::timeout(MAX_ENDING, &mut self.ended).await.is_ok();
        // A thread that said "ended" has only its last instructions before it.
        ended && self.thread.join().is_ok()
    }
}

fn run(
    jobs: Vec<(Schedule, Body)>,
    panics: &Arc<AtomicU64>,
    started: oneshot::Sender<Result<(), TickerError>>,
    quit: &Stop,
) {
    // The scheduler logs each start at INFO and its own mishaps without a name. What matters of that is counted by the
    // ticker and said once, by the daemon.
    let _silence = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            drop(started.send(Err(TickerError::Thread(error))));
            return;
        }
    };
    runtime.block_on(async {
        match schedule(jobs, panics).await {
            Ok(mut scheduler) => {
                // When the start was given up, nobody is left who could say "quit".
                if started.send(Ok(())).is_ok() {
                    quit.stopped().await;
                }
                // It only lowers a flag; the tasks end with the runtime.
                drop(scheduler.shutdown().await);
            }
            Err(error) => drop(started.send(Err(TickerError::Scheduler(error)))),
        }
    });
}

async fn schedule(jobs: Vec<(Schedule, Body)>, panics: &Arc<AtomicU64>) -> Result<JobScheduler, JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    // One after the other: additions at the same time get lost.
    for (schedule, body) in jobs {
        let panics = Arc::clone(panics);
        // Cron only: a repeated job never fires again once it was late by more than its period. Async only: another job
        // runs on the very task that hands out the ticks. In UTC only: of any other zone it keeps a fixed offset.
        let job = Job::new_async(schedule.as_six_fields(), move |_, _| {
            // Outside the future nothing may panic: that would poison the job for ever.
            let (body, panics) = (Arc::clone(&body), Arc::clone(&panics));
            Box::pin(async move {
                if catch_unwind(AssertUnwindSafe(|| body())).is_err() {
                    panics.fetch_add(1, Ordering::Relaxed);
                }
            })
        })?;
        scheduler.add(job).await?;
    }
    scheduler.start().await?;
    Ok(scheduler)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_second() -> Schedule {
        Schedule::parse("* * * * * *").expect("a schedule")
    }

    async fn until(most: Duration, met: impl Fn() -> bool) -> bool {
        tokio::time::timeout(most, async {
            while !met() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .is_ok()
    }

    #[tokio::test]
    async fn a_panic_in_a_job_is_counted_and_the_job_goes_on() {
        let (runs, panics) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let counted = Arc::clone(&runs);
        let body: Body = Arc::new(move || {
            assert!(counted.fetch_add(1, Ordering::Relaxed) > 1, "the first two runs panic");
        });
        let worker = Worker::start(vec![(every_second(), body)], Arc::clone(&panics)).await.expect("started");
        assert!(until(Duration::from_secs(20), || runs.load(Ordering::Relaxed) >= 4).await);
        assert_eq!(panics.load(Ordering::Relaxed), 2);
        assert!(worker.end().await);
    }

    #[tokio::test]
    async fn a_worker_that_is_let_go_ends_too() {
        let held = Arc::new(());
        let captured = Arc::clone(&held);
        let body: Body = Arc::new(move || drop(Arc::clone(&captured)));
        drop(Worker::start(vec![(every_second(), body)], Arc::default()).await.expect("started"));
        assert!(until(Duration::from_secs(10), || Arc::strong_count(&held) == 1).await);
    }

    #[tokio::test]
    async fn a_start_that_is_given_up_leaves_no_thread() {
        let held = Arc::new(());
        let captured = Arc::clone(&held);
        let body: Body = Arc::new(move || drop(Arc::clone(&captured)));
        let mut start = Box::pin(Worker::start(vec![(every_second(), body)], Arc::default()));
        // One look begins the start; on a quick machine it may even end it, and then the worker is given up.
        drop(futures_util::poll!(&mut start));
        drop(start);
        assert!(until(Duration::from_secs(10), || Arc::strong_count(&held) == 1).await);
    }

    #[tokio::test]
    async fn the_end_waits_for_everything_the_scheduler_spawned() {
        let held = Arc::new(());
        let captured = Arc::clone(&held);
        let body: Body = Arc::new(move || drop(Arc::clone(&captured)));
        let worker = Worker::start(vec![(every_second(), body)], Arc::default()).await.expect("started");
        assert!(!worker.has_ended() && Arc::strong_count(&held) > 1);
        assert!(worker.end().await);
        assert_eq!(Arc::strong_count(&held), 1, "a task of the scheduler lives on");
    }
}
