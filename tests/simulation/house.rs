//! Owns the process that is simulated: the real store, fleet and clients in one thread, whose time moves when nothing else
//! can; how it starts, is told of a new configuration, and dies.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alertferry::clock::Clock;
use alertferry::defender::{Defender, Rates};
use alertferry::domain::Tenant;
use alertferry::entra::Entra;
use alertferry::fleet::{Fleet, Plan};
use alertferry::http::{Http, Options as HttpOptions};
use alertferry::pass::{Context, Options};
use alertferry::schedule::Schedule;
use alertferry::stop::Stop;
use alertferry::store::{Store, StoreError, StoreLock};
use alertferry_simulator::Simulator;
use tokio::sync::Notify;

use crate::support;
use crate::worlds::life::Life;

/// After so many rounds of the runtime in which nothing was asked, answered or committed, an answer that is held back is
/// all there is to wait for: a round carries what one side has sent to the other.
const ROUNDS: u32 = 24;
/// The same where no answer is held back, and something else must wait for time.
const MANY_ROUNDS: u32 = 1_000_000;
/// An exchange lasts no longer: each has its limit.
const LONGEST_EXCHANGE: Duration = Duration::from_secs(3_600);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// All times there are: the world's, the machine's wall clock, and the runtime's. They move together.
#[derive(Clone)]
pub struct Times {
    pub sim: Arc<Simulator>,
    pub life: Arc<Mutex<Life>>,
}

impl Times {
    pub async fn advance(&self, by: Duration) {
        self.sleep(by);
        tokio::time::advance(by).await;
    }

    /// Moves on all but the runtime's time, which stands still while the machine sleeps.
    pub fn sleep(&self, by: Duration) {
        self.sim.world().with(|world| lock(&self.life).advance(world, by));
    }
}

/// What is counted of a process, and when it dies.
#[derive(Default)]
pub struct Meters {
    /// Requests, answers and commits.
    activity: AtomicU64,
    fuse: Mutex<Option<Fuse>>,
    struck: AtomicBool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fuse {
    pub at: Moment,
    pub left: u32,
    pub copied: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Commit,
    Request,
}

impl Meters {
    pub fn saw(&self, moment: Moment) {
        self.activity.fetch_add(1, Ordering::Relaxed);
        let mut fuse = lock(&self.fuse);
        if let Some(fuse) = fuse.as_mut().filter(|fuse| fuse.at == moment) {
            if fuse.left == 0 {
                self.struck.store(true, Ordering::Relaxed);
            }
            fuse.left = fuse.left.saturating_sub(1);
        }
    }

    pub fn arm(&self, fuse: Fuse) {
        *lock(&self.fuse) = Some(fuse);
    }

    /// The fuse, if there is one; it is used up.
    pub fn disarm(&self) -> Option<Fuse> {
        self.struck.store(false, Ordering::Relaxed);
        lock(&self.fuse).take()
    }

    fn activity(&self) -> u64 {
        self.activity.load(Ordering::Relaxed)
    }

    fn has_struck(&self) -> bool {
        self.struck.load(Ordering::Relaxed)
    }
}

/// What is configured.
#[derive(Clone)]
pub struct Config {
    pub tenants: Vec<Tenant>,
    pub options: Options,
    pub at_once: usize,
}

/// A running process.
pub struct House {
    pub dir: tempfile::TempDir,
    fleet: Arc<Fleet>,
    store: Arc<Store>,
    run: Pin<Box<dyn Future<Output = Result<(), StoreError>>>>,
    tick: Arc<Notify>,
    stop: Stop,
    meters: Arc<Meters>,
    _lock: StoreLock,
}

/// What became of a time in which the process was left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It waits for the next tick.
    Idle,
    /// The fuse has struck.
    Struck,
}

impl House {
    pub async fn start(dir: tempfile::TempDir, config: &Config, clock: Clock, meters: &Arc<Meters>) -> Self {
        let path = dir.path().join("alerts.db");
        let lock = StoreLock::claim(&path).expect("nobody else has it");
        let store = Arc::new(Store::open_here(&path, clock.clone()).expect("a store"));
        let http = Http::new(&HttpOptions { loopback_only: true }).expect("a client");
        let (commits, answers) = (Arc::clone(meters), Arc::clone(meters));
        store.watch(move |_, failed| {
            assert!(failed.is_none(), "a transaction failed: {failed:?}");
            commits.saw(Moment::Commit);
        });
        http.watch(move |_| {
            answers.activity.fetch_add(1, Ordering::Relaxed);
        });
        let ctx = Context {
            store: Arc::clone(&store),
            entra: Entra::new(http.clone(), clock.clone(), vec![support::app()]),
            defender: Defender::new(http, REQUEST_TIMEOUT, Rates::default(), clock.clone()),
            clock,
            options: config.options.clone(),
        };
        let fleet = Arc::new(Fleet::new(plan(ctx, config)));
        fleet.enrol().await.expect("enrolled");
        let (tick, stop) = (Arc::new(Notify::new()), Stop::new());
        let run = Box::pin({
            let (fleet, tick, stop) = (Arc::clone(&fleet), Arc::clone(&tick), stop.clone());
            async move { fleet.run(&tick, &stop).await }
        });
        Self { dir, fleet, store, run, tick, stop, meters: Arc::clone(meters), _lock: lock }
    }

    /// A connection of somebody who reads.
    pub fn reader(&self) -> rusqlite::Connection {
        support::open(&self.dir.path().join("alerts.db"))
    }

    /// Does what the daemon does at SIGHUP.
    pub async fn reload(&self, config: &Config) {
        let ctx = Context { options: config.options.clone(), ..self.fleet.plan().ctx.clone() };
        ctx.entra.replace_apps(vec![support::app()]);
        self.fleet.replace(plan(ctx, config));
        let roster = self.fleet.enrol().await.expect("enrolled");
        for id in roster.removed {
            self.fleet.plan().ctx.entra.forget(id);
        }
    }

    /// Does what the daemon does at SIGUSR1.
    pub async fn poll_now(&self) {
        self.store.retry_all().await.expect("written");
    }

    /// Gives a tick and lets all happen that follows from it; time passes only when somebody waits for it.
    pub async fn tick(&mut self, times: &Times) -> Settled {
        self.tick.notify_one();
        self.settle(times).await
    }

    async fn settle(&mut self, times: &Times) -> Settled {
        let (mut seen, mut quiet, mut waited) = (self.meters.activity(), 0, Duration::ZERO);
        let mut step = Duration::from_millis(1);
        let (stats, ticks) = (times.sim.stats(), self.fleet.ticks());
        loop {
            tokio::select! {
                biased;
                ended = &mut self.run => panic!("the fleet ended: {ended:?}"),
                () = tokio::task::yield_now() => {}
            }
            if self.meters.has_struck() {
                return Settled::Struck;
            }
            if self.fleet.ticks() > ticks && self.fleet.under_way() == 0 && stats.in_flight() == 0 {
                return Settled::Idle;
            }
            let now = self.meters.activity();
            if now != seen {
                (seen, quiet, step) = (now, 0, Duration::from_millis(1));
                continue;
            }
            quiet += 1;
            // What was sent takes a moment to arrive, even on one machine; only what is held back waits for time.
            if quiet < ROUNDS || (stats.held() == 0 && quiet < MANY_ROUNDS) {
                continue;
            }
            assert!(waited < LONGEST_EXCHANGE, "somebody waits for ever");
            times.advance(step).await;
            waited += step;
            step = (step * 2).min(Duration::from_secs(2));
            quiet = ROUNDS / 2;
        }
    }

    /// Stops it as SIGTERM does.
    pub async fn stop(mut self, times: &Times) -> tempfile::TempDir {
        self.stop.stop();
        (&mut self.run).await.expect("stopped well");
        self.gone(times).await
    }

    /// Ends it where it stands; with `copied`, the files are then what they were at this moment.
    pub async fn die(self, copied: bool, times: &Times) -> tempfile::TempDir {
        let copy = copied.then(|| {
            let copy = directory();
            for file in ["alerts.db", "alerts.db-wal"] {
                std::fs::copy(self.dir.path().join(file), copy.path().join(file)).expect("copied");
            }
            copy
        });
        let left = self.gone(times).await;
        copy.unwrap_or(left)
    }

    async fn gone(self, times: &Times) -> tempfile::TempDir {
        let Self { dir, fleet, store, run, .. } = self;
        drop((run, fleet));
        // Passes that were dropped are gone when the runtime has looked at them, and their requests when the service has.
        for _ in 0..MANY_ROUNDS {
            if Arc::strong_count(&store) == 1 && times.sim.stats().in_flight() == 0 {
                return dir;
            }
            tokio::task::yield_now().await;
        }
        panic!("somebody still holds the store");
    }
}

/// A directory for a store, in memory where there is one.
pub fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory")
}

fn plan(ctx: Context, config: &Config) -> Plan {
    let schedule = Schedule::parse("0 */5 * * * *").expect("a schedule");
    Plan::new(ctx, config.tenants.clone(), schedule, config.at_once)
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
