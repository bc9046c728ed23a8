//! Owns the running daemon: builds its parts, connects them, and stops them in order.
//!
//! Order of stopping: no further tick, passes end at their next await point, the outbox writes what they left, the
//! writer commits its last transaction. All of it fits well into the unit's stop timeout; where it does not, or at a
//! second signal, the process ends without (see `grace`), which loses nothing either.

mod control;
mod credentials;
mod grace;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

use control::{Control, Signals};

use crate::admin::{Admin, AdminError, Pulse, View};
use crate::clock::Clock;
use crate::defender::{Defender, Rates};
use crate::entra::Entra;
use crate::event::{self, Event};
use crate::fleet::{Fleet, Plan};
use crate::http::{Http, HttpError};
use crate::logging::LogHandle;
use crate::metrics::Metrics;
use crate::schedule::{Job, Schedule, Tick, Ticker, TickerError};
use crate::settings::Settings;
use crate::stop::Stop;
use crate::store::{Store, StoreError, StoreLock, WriterThread};
use crate::{notify, outbox, pass};

/// How often it is looked who is due.
const SWEEP: &str = "* * * * * *";
/// How long the writer may take for its last transaction.
const LAST_WRITE: Duration = Duration::from_secs(4);

/// Why the daemon could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The store cannot be used, or no longer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The network client cannot be built.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The schedule cannot be started.
    #[error("cannot start the schedule: {0}")]
    Schedule(#[from] TickerError),
    /// Nothing can be served where monitoring systems are to ask.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// Signals cannot be heard.
    #[error("cannot listen for signals: {0}")]
    Signals(#[source] std::io::Error),
    /// A part of the daemon broke down.
    #[error("a part of the daemon broke down: {0}")]
    Defect(String),
}

/// Everything between the settings and the fleet, for the daemon and for commands that read tenants themselves.
pub struct Works {
    /// All tenants.
    pub fleet: Arc<Fleet>,
    /// The store; the fleet holds it too.
    pub store: Arc<Store>,
    http: Http,
    writer: WriterThread,
    _lock: StoreLock,
}

impl Works {
    /// Claims and opens the store, builds the client, and makes the tenants known.
    ///
    /// # Errors
    /// When the store is in use or unusable, or the client cannot be built.
    pub async fn build(settings: &Settings, clock: Clock) -> Result<Self, DaemonError> {
        let path = &settings.store.path;
        let lock = StoreLock::claim(path)?;
        let (store, writer) = Store::open(path, clock.clone())?;
        let store = Arc::new(store);
        tell_opened(path, &store);
        let http = Http::through(&crate::http::Options { loopback_only: settings.loopback_only }, &settings.network)?;
        let entra = Entra::new(http.clone(), clock.clone(), settings.apps.clone());
        let defender = Defender::new(http.clone(), settings.poll.request_timeout, Rates::default());
        let ctx =
            pass::Context { store: Arc::clone(&store), entra, defender, clock, options: pass::Options::default() };
        let fleet = Arc::new(Fleet::new(plan(ctx, settings)));
        fleet.enrol().await?;
        Ok(Self { fleet, store, http, writer, _lock: lock })
    }

    /// Has `metrics` count what goes over the network and into the file.
    fn counted_by(&self, metrics: &Arc<Metrics>) {
        let [exchanges, transactions] = [Arc::clone(metrics), Arc::clone(metrics)];
        self.http.watch(move |exchange| exchanges.exchanged(exchange));
        self.store.watch(move |took, trouble| transactions.committed(took, trouble));
    }

    /// Waits until all that was handed to the store is in the file.
    ///
    /// # Errors
    /// When the writer has broken down, or does not come to an end.
    pub async fn close(self) -> Result<(), DaemonError> {
        let Self { fleet, store, http, writer, _lock } = self;
        drop((fleet, store, http));
        let joined = tokio::task::spawn_blocking(move || writer.join());
        match tokio::time::timeout(LAST_WRITE, joined).await {
            Ok(Ok(result)) => Ok(result?),
            Ok(Err(error)) => Err(DaemonError::Defect(error.to_string())),
            Err(_) => Err(DaemonError::Defect("the writer did not come to an end".to_owned())),
        }
    }
}

/// Counts every event of this process from now on.
fn count(clock: &Clock) -> Arc<Metrics> {
    let metrics = Arc::new(Metrics::new(clock.clone()));
    let counting = Arc::clone(&metrics);
    event::listen(move |event| counting.hear(event));
    metrics
}

/// The place where monitoring systems ask, if one is configured.
async fn open_admin(
    settings: &Settings,
    works: &Works,
    metrics: Arc<Metrics>,
    pulse: Arc<Pulse>,
) -> Result<Option<Admin>, DaemonError> {
    let tenant_series_limit = settings.admin.tenant_series_limit;
    let view = View { store: Arc::clone(&works.store), metrics, pulse, tenant_series_limit };
    let admin = Admin::open(&settings.admin, view).await?;
    if let Some(admin) = &admin {
        Event::AdminListening { address: &admin.address() }.emit();
    }
    Ok(admin)
}

/// The fleet's plan under these settings; everything that is shared stays what it is.
fn plan(ctx: pass::Context, settings: &Settings) -> Plan {
    let poll = &settings.poll;
    let options =
        pass::Options { overlap: poll.overlap, backfill: poll.backfill, sweep: poll.sweep, page_size: poll.page_size };
    let defender = ctx.defender.with_timeout(poll.request_timeout);
    let ctx = pass::Context { options, defender, ..ctx };
    Plan::new(ctx, settings.tenants.clone(), poll.schedule.clone(), poll.max_concurrent_tenants)
}

/// Runs until a stop signal, until `asked` is stopped, or until the store can no longer be trusted.
///
/// # Errors
/// When it cannot start, or had to give up.
pub async fn run(config: &Path, settings: Settings, log: LogHandle, asked: &Stop) -> Result<(), DaemonError> {
    grace::keep().map_err(DaemonError::Signals)?;
    let mut signals = Signals::listen().map_err(DaemonError::Signals)?;
    let metrics = count(&Clock::System);
    let works = Works::build(&settings, Clock::System).await?;
    works.counted_by(&metrics);
    Event::DaemonStarted {
        version: env!("CARGO_PKG_VERSION"),
        pid: std::process::id(),
        store: &settings.store.path.display().to_string(),
        tenants: settings.tenants.len() as u64,
    }
    .emit();
    let (stop, outbox_stop) = (Stop::new(), Stop::new());
    let pulse = Arc::<Pulse>::default();
    // Nobody is read before it is known that all there is to open can be opened.
    let admin = open_admin(&settings, &works, metrics, Arc::clone(&pulse)).await?;
    let ticker = Ticker::start(&[sweep()?], stop.clone()).await?;
    let mut fleet_task = JoinSet::new();
    fleet_task.spawn(drive(Arc::clone(&works.fleet), pulse, ticker, stop.clone()));
    let mut admin_task = JoinSet::new();
    if let Some(admin) = admin {
        let until = stop.clone();
        admin_task.spawn(async move { admin.serve(&until).await });
    }
    let mut outbox_task = JoinSet::new();
    let (store, history, until) = (Arc::clone(&works.store), settings.log.history, outbox_stop.clone());
    outbox_task.spawn({
        let log = log.clone();
        async move { outbox::run(&store, &log, history, &until).await }
    });
    notify::ready();
    Event::DaemonReady {}.emit();
    let mut control = Control { config: config.to_owned(), settings, works: &works, log: &log, asked };
    let ended = tokio::select! {
        name = control.until_stopped(&mut signals) => Ok(name),
        Some(done) = fleet_task.join_next() => Err(done),
        Some(done) = outbox_task.join_next() => Err(done),
    };
    let begun = Instant::now();
    notify::stopping();
    Event::DaemonStopping { signal: ended.as_ref().copied().unwrap_or("failure") }.emit();
    stop.stop();
    let mut outcome = ended.map_or_else(|done| outcome_of(Some(done)), |_| Ok(()));
    outcome = first_error(outcome_of(fleet_task.join_next().await), outcome);
    outbox_stop.stop();
    outcome = first_error(outcome_of(outbox_task.join_next().await), outcome);
    while admin_task.join_next().await.is_some() {}
    outcome = first_error(outcome, works.close().await);
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Event::DaemonStopped { ms }.emit();
    outcome
}

/// Ticks and fleet until the stop signal.
async fn drive(fleet: Arc<Fleet>, pulse: Arc<Pulse>, mut ticker: Ticker, stop: Stop) -> Result<(), StoreError> {
    let tick = Notify::new();
    let expiries = credentials::watch(&fleet, &stop);
    let (outcome, (), ()) = tokio::join!(fleet.run(&tick, &stop), beat(&fleet, &pulse, &mut ticker, &tick), expiries);
    ticker.shutdown().await;
    outcome
}

/// Passes ticks on, tells of stalls, and feeds the watchdog as long as the fleet deals with its ticks.
async fn beat(fleet: &Fleet, pulse: &Pulse, ticker: &mut Ticker, tick: &Notify) {
    let watchdog = notify::watchdog_interval().map(|interval| interval / 3);
    let mut told = 0;
    let (mut last, mut fed) = (Instant::now(), Instant::now());
    while let Some(Tick { missed, .. }) = ticker.next().await {
        tick.notify_one();
        if missed > 0 {
            Event::ScheduleOverrun { missed }.emit();
        }
        let stalls = ticker.stats().stalls + ticker.stats().rebuilds;
        if stalls > told {
            told = stalls;
            Event::ScheduleStalled { seconds: last.elapsed().as_secs() }.emit();
        }
        last = Instant::now();
        pulse.feel(fleet.ticks(), fleet.plan().ctx.clock.now());
        if watchdog.is_some_and(|interval| fed.elapsed() >= interval) && pulse.is_alive() {
            fed = Instant::now();
            notify::alive();
        }
    }
}

fn sweep() -> Result<Job, DaemonError> {
    let schedule = Schedule::parse(SWEEP).map_err(|error| DaemonError::Defect(error.to_string()))?;
    Ok(Job { name: "sweep", schedule })
}

type Task = Result<Result<(), StoreError>, tokio::task::JoinError>;

fn outcome_of(done: Option<Task>) -> Result<(), DaemonError> {
    match done {
        None => Ok(()),
        Some(Ok(result)) => Ok(result?),
        Some(Err(error)) => Err(DaemonError::Defect(error.to_string())),
    }
}

fn first_error(one: Result<(), DaemonError>, other: Result<(), DaemonError>) -> Result<(), DaemonError> {
    one.and(other)
}

fn tell_opened(path: &Path, store: &Store) {
    let migrated = store.migrated();
    let schema = |version: i64| u32::try_from(version).unwrap_or(0);
    let path = path.display().to_string();
    if migrated.from > 0 && migrated.from < migrated.to {
        let backup = migrated.backup.as_ref().map(|path| path.display().to_string());
        let (from, to) = (schema(migrated.from), schema(migrated.to));
        Event::StoreMigrated { from, to, backup: backup.as_deref() }.emit();
    }
    Event::StoreOpened { path: &path, schema_version: schema(migrated.to) }.emit();
}
