//! Owns the ticks that drive the daemon: a few global jobs, coalesced, counted and watched.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::Schedule;
use super::worker::{Body, TickerError, Worker};
use crate::clock::Clock;
use crate::stop::Stop;

/// How many jobs one ticker has at most: with thousands, the scheduler loses runs without a word. Tenants are not jobs.
pub const MAX_JOBS: usize = 10;

/// How many periods without a tick are borne before the scheduler is thought dead.
const SILENT_PERIODS: u32 = 3;

/// How late the scheduler may be on a good day: it looks at the clock twice a second.
const SLOPPINESS: Duration = Duration::from_secs(1);

/// How many coming instants are looked at to find a pattern's longest pause.
const INSTANTS_LOOKED_AT: usize = 32;

/// One global job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its name, given back with each tick.
    pub name: &'static str,
    /// When it ticks, in UTC.
    pub schedule: Schedule,
}

/// It is time for a job. Nothing else: what is to be done is decided from what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// The name of the job.
    pub job: &'static str,
    /// How many earlier ticks of this job this one stands for, because nobody took them in time.
    pub missed: u64,
}

/// What a ticker has seen so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Ticks that came.
    pub ticks: u64,
    /// Ticks that found the one before not yet taken.
    pub coalesced: u64,
    /// Panics in a tick.
    pub panics: u64,
    /// Times this process stood still (stopped, suspended or starved) for longer than a job's patience.
    pub stalls: u64,
    /// Times a scheduler went silent and was replaced.
    pub rebuilds: u64,
    /// Times it went silent and could not be replaced; it is tried again.
    pub failed_rebuilds: u64,
}

/// The source of ticks.
///
/// Ticks come in real time, from a thread of their own. A tick that finds the last one of its job not yet taken is
/// counted and not queued, so a slow taker never meets a backlog, and runs never overlap. A scheduler that goes silent
/// (a clock set back does that: it then waits for the old time) is replaced.
#[derive(Debug)]
pub struct Ticker {
    lines: Arc<[Line]>,
    shared: Arc<Shared>,
    stop: Stop,
    worker: Worker,
    retired: Vec<Worker>,
    turn: usize,
    stalls: u64,
    rebuilds: u64,
    failed_rebuilds: u64,
}

/// One job's ticks that wait to be taken.
#[derive(Debug)]
struct Line {
    job: Job,
    waiting: AtomicU64,
    last_sign: Mutex<Instant>,
    patience: Duration,
}

#[derive(Debug, Default)]
struct Shared {
    bell: Notify,
    ticks: AtomicU64,
    coalesced: AtomicU64,
    panics: Arc<AtomicU64>,
}

impl Ticker {
    /// Starts ticking; `stop` ends [`Ticker::next`].
    ///
    /// # Errors
    /// When there are more than [`MAX_JOBS`], or the scheduler does not start.
    pub async fn start(jobs: &[Job], stop: Stop) -> Result<Self, TickerError> {
        if jobs.len() > MAX_JOBS {
            return Err(TickerError::TooManyJobs(jobs.len()));
        }
        let lines: Arc<[Line]> = jobs.iter().map(Line::new).collect();
        let shared = Arc::new(Shared::default());
        let worker = start_worker(&lines, &shared).await?;
        Ok(Self {
            lines,
            shared,
            stop,
            worker,
            retired: Vec::new(),
            turn: 0,
            stalls: 0,
            rebuilds: 0,
            failed_rebuilds: 0,
        })
    }

    /// The next tick, as soon as there is one; `None` once everything is to stop.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Tick> {
        loop {
            if self.stop.is_stopped() {
                return None;
            }
            if let Some(tick) = self.take() {
                return Some(tick);
            }
            let Some(deadline) = self.lines.iter().map(Line::deadline).min() else {
                self.stop.stopped().await;
                return None;
            };
            let shared = Arc::clone(&self.shared);
            let ring = tokio::time::timeout_at(deadline.into(), shared.bell.notified());
            if self.stop.or(ring).await.ok()?.is_err() {
                self.look_after(deadline).await;
            }
        }
    }

    /// What was seen so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            ticks: self.shared.ticks.load(Ordering::Relaxed),
            coalesced: self.shared.coalesced.load(Ordering::Relaxed),
            panics: self.shared.panics.load(Ordering::Relaxed),
            stalls: self.stalls,
            rebuilds: self.rebuilds,
            failed_rebuilds: self.failed_rebuilds,
        }
    }

    /// Ends the scheduler and everything it spawned, and waits for that; `false` when some of it did not end in time.
    pub async fn shutdown(self) -> bool {
        let mut all = self.worker.end().await;
        for worker in self.retired {
            all &= worker.end().await;
        }
        all
    }

    /// A waiting tick. Jobs take turns, so that a fast one cannot starve a slow one.
    fn take(&mut self) -> Option<Tick> {
        let count = self.lines.len();
        let order = (0..count).map(|step| (self.turn + step) % count);
        for index in order {
            let line = &self.lines[index];
            let waiting = line.waiting.swap(0, Ordering::AcqRel);
            if waiting > 0 {
                self.turn = index + 1;
                return Some(Tick { job: line.job.name, missed: waiting - 1 });
            }
        }
        None
    }

    /// Replaces the scheduler when it went silent, but not when it was this process that stood still.
    async fn look_after(&mut self, deadline: Instant) {
        if self.lines.iter().any(|line| line.deadline() <= Instant::now()) {
            if deadline.elapsed() > SLOPPINESS {
                self.stalls += 1;
            } else {
                self.rebuild().await;
            }
            // Either way it gets its full time to show a sign of life.
            self.lines.iter().for_each(Line::sign);
        }
    }

    async fn rebuild(&mut self) {
        match start_worker(&self.lines, &self.shared).await {
            Ok(fresh) => {
                self.rebuilds += 1;
                let old = std::mem::replace(&mut self.worker, fresh);
                old.quit();
                self.retired.retain(|worker| !worker.has_ended());
                self.retired.push(old);
            }
            Err(_) => self.failed_rebuilds += 1,
        }
    }
}

async fn start_worker(lines: &Arc<[Line]>, shared: &Arc<Shared>) -> Result<Worker, TickerError> {
    let jobs = lines.iter().enumerate().map(|(index, line)| {
        let (lines, shared) = (Arc::clone(lines), Arc::clone(shared));
        let body: Body = Arc::new(move || lines[index].tick(&shared));
        (line.job.schedule.clone(), body)
    });
    Worker::start(jobs.collect(), Arc::clone(&shared.panics)).await
}

impl Line {
    fn new(job: &Job) -> Self {
        let now = Clock::System.now();
        let instants = job.schedule.upcoming(now, INSTANTS_LOOKED_AT);
        let first = instants.first().map(|first| first.since(now));
        let pauses = instants.windows(2).map(|pair| pair[1].since(pair[0]));
        let longest = pauses.chain(first).max().unwrap_or_default();
        Self {
            job: job.clone(),
            waiting: AtomicU64::new(0),
            last_sign: Mutex::new(Instant::now()),
            patience: longest.saturating_mul(SILENT_PERIODS).saturating_add(SLOPPINESS),
        }
    }

    fn tick(&self, shared: &Shared) {
        self.sign();
        shared.ticks.fetch_add(1, Ordering::Relaxed);
        if self.waiting.fetch_add(1, Ordering::AcqRel) > 0 {
            shared.coalesced.fetch_add(1, Ordering::Relaxed);
        }
        // Remembered when nobody waits, so a tick between two looks is not slept through.
        shared.bell.notify_one();
    }

    /// Notes a sign of life.
    fn sign(&self) {
        *self.last_sign.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// When its silence has lasted too long.
    fn deadline(&self) -> Instant {
        // A pattern with years between its instants is watched for one year at a time.
        const MOST: Duration = Duration::from_secs(365 * 86_400);
        *self.last_sign.lock().unwrap_or_else(PoisonError::into_inner) + self.patience.min(MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(name: &'static str, pattern: &str) -> Job {
        Job { name, schedule: Schedule::parse(pattern).expect("a schedule") }
    }

    async fn seconds(stop: &Stop) -> Ticker {
        Ticker::start(&[job("sweep", "* * * * * *")], stop.clone()).await.expect("started")
    }

    #[tokio::test]
    async fn a_scheduler_that_died_is_replaced() {
        let mut ticker = seconds(&Stop::new()).await;
        assert!(ticker.next().await.is_some());
        ticker.worker.quit();
        let before = ticker.stats();
        let tick = tokio::time::timeout(Duration::from_secs(20), ticker.next()).await.expect("a tick");
        assert_eq!(tick.map(|tick| tick.job), Some("sweep"));
        let after = ticker.stats();
        assert!(after.rebuilds == 1 || after.ticks > before.ticks, "{after:?}");
        while ticker.stats().rebuilds == 0 {
            ticker.next().await;
        }
        assert!(ticker.next().await.is_some());
        assert!(ticker.shutdown().await);
    }

    #[tokio::test]
    async fn a_process_that_stood_still_is_no_dead_scheduler() {
        let mut ticker = seconds(&Stop::new()).await;
        let long_ago = Instant::now().checked_sub(Duration::from_secs(60)).expect("the machine runs for a minute");
        *ticker.lines[0].last_sign.lock().expect("sound") = long_ago;
        let deadline = ticker.lines[0].deadline();
        ticker.look_after(deadline).await;
        assert_eq!((ticker.stats().stalls, ticker.stats().rebuilds), (1, 0));
        assert!(ticker.next().await.is_some());
        assert!(ticker.shutdown().await);
    }

    #[tokio::test]
    async fn a_fast_job_does_not_starve_a_slow_one() {
        let jobs = [job("fast", "* * * * * *"), job("slow", "0 0 0 1 1 *")];
        let mut ticker = Ticker::start(&jobs, Stop::new()).await.expect("started");
        ticker.lines.iter().for_each(|line| line.tick(&ticker.shared));
        ticker.lines[0].tick(&ticker.shared);
        assert_eq!(ticker.next().await, Some(Tick { job: "fast", missed: 1 }));
        ticker.lines[0].tick(&ticker.shared);
        assert_eq!(ticker.next().await.map(|tick| tick.job), Some("slow"));
        assert!(ticker.shutdown().await);
    }

    #[test]
    fn patience_follows_the_longest_pause() {
        assert_eq!(Line::new(&job("x", "* * * * * *")).patience, Duration::from_secs(4));
        let workdays = Line::new(&job("x", "0 0 9 * * MON-FRI")).patience;
        assert_eq!(workdays, Duration::from_secs(3 * 3 * 86_400 + 1));
    }
}
