//! Owns the running daemon: builds its parts, connects them, and stops them in order.
//!
//! Order of stopping: no further tick, passes end at their next await point, the outbox writes what they left, the
//! writer commits its last transaction. All of it fits well into the unit's stop timeout; where it does not, or at a
//! second signal, the process ends without (see `grace`), which loses nothing either.

mod control;
mod credentials;
mod grace;
mod opening;
mod standing;
mod watched;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

use control::{Control, Signals};
use watched::Watched;

use crate::admin::AdminError;
use crate::clock::Clock;
use crate::defender::{Defender, Rates};
use crate::entra::Entra;
use crate::event::{self, Event};
use crate::fleet::{Fleet, Plan};
use crate::http::{Http, HttpError};
use crate::logging::LogHandle;
use crate::metrics::Metrics;
use crate::schedule::{Job, Schedule, Ticker, TickerError};
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
        let lock = StoreLock::claim(&settings.store.path)?;
        Self::open(lock, settings, clock).await
    }

    /// Does what [`Works::build`] does with a store that is claimed.
    async fn open(lock: StoreLock, settings: &Settings, clock: Clock) -> Result<Self, DaemonError> {
        let path = &settings.store.path;
        let (store, writer) = opening::open(path, &clock).await?;
        let store = Arc::new(store);
        tell_opened(path, &store);
        let http = Http::through(&crate::http::Options { loopback_only: settings.loopback_only }, &settings.network)?;
        let entra = Entra::new(http.clone(), clock.clone(), settings.apps.clone());
        let defender = Defender::new(http.clone(), settings.poll.request_timeout, Rates::default(), clock.clone());
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
    let lock = StoreLock::claim(&settings.store.path)?;
    let (stop, outbox_stop) = (Stop::new(), Stop::new());
    let watched = Watched::default();
    // Nobody is read before it is known that all there is to open can be opened.
    let mut admin_task = watched.serve(&settings.admin, &metrics, &stop).await?;
    notify::status("opening the store");
    let works = Works::open(lock, &settings, Clock::System).await?;
    works.counted_by(&metrics);
    Event::DaemonStarted {
        version: env!("CARGO_PKG_VERSION"),
        pid: std::process::id(),
        store: &settings.store.path.display().to_string(),
        tenants: settings.tenants.len() as u64,
    }
    .emit();
    watched.begin(&works.store);
    let ticker = Ticker::start(&[sweep()?], stop.clone()).await?;
    let changed = Arc::clone(&watched.credentials);
    let mut fleet_task = JoinSet::new();
    fleet_task.spawn(drive(Arc::clone(&works.fleet), watched, ticker, stop.clone()));
    let mut outbox_task = JoinSet::new();
    let (store, history, until) = (Arc::clone(&works.store), settings.log.history, outbox_stop.clone());
    outbox_task.spawn({
        let log = log.clone();
        async move { outbox::run(&store, &log, history, &until).await }
    });
    notify::ready();
    Event::DaemonReady {}.emit();
    let mut control =
        Control { config: config.to_owned(), settings, works: &works, log: &log, credentials: &changed, asked };
    let ended = tokio::select! {
        name = control.until_stopped(&mut signals) => Ok(name),
        Some(done) = fleet_task.join_next() => Err(done),
        Some(done) = outbox_task.join_next() => Err(done),
    };
    if let Err(Ok(Err(error))) = &ended {
        control::tell_store_failure(error);
    }
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

/// Ticks and fleet until the stop signal, and what is told of them meanwhile.
async fn drive(fleet: Arc<Fleet>, watched: Watched, mut ticker: Ticker, stop: Stop) -> Result<(), StoreError> {
    let tick = Notify::new();
    let (outcome, (), (), ()) = tokio::join!(
        fleet.run(&tick, &stop),
        watched.beat(&fleet, &mut ticker, &tick),
        credentials::watch(&fleet, &watched.ends, &watched.credentials, &stop),
        standing::show(&fleet, &stop),
    );
    ticker.shutdown().await;
    outcome
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
