//! Owns the database: all SQL is here.
//!
//! One thread writes, in transactions that hold rows, changes and coverage together; a few read-only connections
//! answer the rest. Callers get values of the domain and never see a statement. Commands that take something out beside
//! a daemon have a second writing connection, in `care`.

mod alert_row;
mod alerts;
mod anchor;
mod backup;
mod care;
mod changes;
mod connection;
mod coverage;
mod error;
mod export;
mod export_cursor;
mod filter;
mod finding;
mod gauges;
mod health;
mod hunting;
mod index;
mod list;
#[cfg(test)]
mod list_tests;
mod lock;
mod log;
mod matching;
mod migrate;
mod owner;
mod passes;
#[cfg(test)]
mod plan_tests;
mod progress;
mod prune;
mod prune_rules;
mod purge;
mod quarantine;
mod query;
mod readers;
mod reading;
mod removal;
mod report;
mod rows;
mod stats;
mod tally;
mod tenants;
mod time;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::Notify;

pub use alerts::{Batch, Counts, SetAside};
pub use backup::{BackedUp, BackupError, back_up};
pub use care::{Care, Room};
pub use changes::Change;
pub use coverage::{Coverage, CoverageMove, GapEdit, NewGap};
pub use error::StoreError;
pub use export::{Exported, Extent, Page};
pub use export_cursor::{ExportCursors, MOST_CURSOR_CHARS};
pub use filter::{AlertFilter, TenantFilter};
pub use finding::Sought;
pub use gauges::{Gauges, TenantGauge};
pub use health::{Health, Wholeness, free_bytes, look_over};
pub use hunting::{Hunt, HuntRows, Hunted};
pub use list::AlertSort;
pub use lock::StoreLock;
pub(crate) use lock::directory_of;
pub use migrate::Migrated;
pub use passes::{PassEnd, PassRecord};
pub use progress::{Marks, Progress};
pub use prune::{PruneWalk, Pruned, Went};
pub use prune_rules::PruneRules;
pub use purge::{Holding, PurgeError, copies_holding};
pub use query::{MOST_QUERY_BYTES, QueryLimits, query};
pub use reading::Reading;
pub use removal::TakenOut;
pub use report::{Report, TenantReport};
pub use rows::{ReadError, Sent, Sink, Value};
pub use stats::{COUNTED, Days, Figures, TenantFigures};
pub use tenants::{Due, Lane, Roster, Standing};

use crate::clock::Clock;
use crate::domain::{AlertId, Tenant, TenantId, Ticks, Window};
use alerts::Observation;

/// A tenant's row in this store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantKey(i64);

#[cfg(test)]
impl TenantKey {
    /// Any row, for tests that never look at one.
    pub(crate) const fn for_tests(key: i64) -> Self {
        Self(key)
    }
}

/// The open store of the process that writes it.
#[derive(Debug)]
pub struct Store {
    writer: writer::Writer,
    readers: Arc<readers::Readers>,
    clock: Clock,
    migrated: Migrated,
}

/// What became of rows that were handed to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landed {
    /// How many were new, changed, known, or set aside.
    pub counts: Counts,
    /// What was set aside for the first time, and why.
    pub quarantined: Vec<SetAside>,
    /// The coverage that is committed now.
    pub coverage: Coverage,
}

/// What is left to wait for after the [`Store`] was dropped: the writer's last transaction.
#[derive(Debug)]
pub struct WriterThread(JoinHandle<()>);

impl WriterThread {
    /// Waits until all that was handed to the writer is in the file.
    ///
    /// # Errors
    /// [`StoreError::Closed`] when the writer had broken down.
    pub fn join(self) -> Result<(), StoreError> {
        self.0.join().map_err(|_| StoreError::Closed)
    }
}

/// A file that may be written to: ours, whole, and of this program's schema.
struct Opened {
    conn: rusqlite::Connection,
    migrated: Migrated,
    anchor: Arc<anchor::Anchor>,
}

impl Opened {
    fn at(path: &Path, progress: &Progress) -> Result<Self, StoreError> {
        let mut conn = connection::writer(path)?;
        let schema = migrate::recognise(&conn, path)?;
        // This has a time limit of its own, and the one place for a handler.
        health::assert_whole(&mut conn)?;
        progress.begin(&mut conn)?;
        let migrated = migrate::migrate(&mut conn, path, schema)?;
        Progress::end(&mut conn)?;
        let anchor = Arc::new(anchor::Anchor::of(&conn, path)?);
        Ok(Self { conn, migrated, anchor })
    }
}

impl Store {
    /// Opens the store at `path` for writing, creates or migrates it, and starts the writer.
    ///
    /// Whoever calls this holds the [`StoreLock`].
    ///
    /// # Errors
    /// When the file cannot be used, is not ours, is newer than this program, or is damaged.
    pub fn open(path: &Path, clock: Clock) -> Result<(Self, WriterThread), StoreError> {
        Self::open_marking(path, clock, &Progress::of(path))
    }

    /// Does what [`Store::open`] does, and leaves marks of how it gets on.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_marking(path: &Path, clock: Clock, progress: &Progress) -> Result<(Self, WriterThread), StoreError> {
        let Opened { conn, migrated, anchor } = Opened::at(path, progress)?;
        let (writer, thread) = writer::Writer::start(conn, log::Log::of(path), Arc::clone(&anchor))?;
        let readers = Arc::new(readers::Readers::new(path, anchor, false));
        Ok((Self { writer, readers, clock, migrated }, WriterThread(thread)))
    }

    /// Does what [`Store::open`] does, but starts no thread: all work is done where it is asked for, before the call
    /// returns. It is for simulations, in which the same steps have to follow each other every time.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_here(path: &Path, clock: Clock) -> Result<Self, StoreError> {
        let Opened { conn, migrated, anchor } = Opened::at(path, &Progress::of(path))?;
        let writer = writer::Writer::start_here(conn, log::Log::of(path), Arc::clone(&anchor));
        let readers = Arc::new(readers::Readers::new(path, anchor, true));
        Ok(Self { writer, readers, clock, migrated })
    }

    /// What opening it involved.
    #[must_use]
    pub const fn migrated(&self) -> &Migrated {
        &self.migrated
    }

    /// Wakes whoever waits for new changes after each commit.
    #[must_use]
    pub fn committed(&self) -> Arc<Notify> {
        self.writer.committed()
    }

    /// Makes the tenants of the store match the configuration.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn enrol(&self, tenants: Vec<Tenant>) -> Result<Roster, StoreError> {
        let now = self.clock.now();
        self.writer.run(tenants.len(), move |tx| tenants::enrol(tx, &tenants, now)).await
    }

    /// Makes tenants that waited for somebody to act due at once: all, or those that waited for one app registration.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn retry_refused(&self, app: Option<String>) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.writer.run(1, move |tx| tenants::retry_refused(tx, app.as_deref(), now)).await
    }

    /// Makes healthy tenants due no later than these times.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn bring_forward(&self, times: Vec<(TenantId, Ticks)>) -> Result<(), StoreError> {
        self.writer.run(times.len(), move |tx| tenants::bring_forward(tx, &times)).await
    }

    /// Makes every active tenant due at once, but for those whose service asked to wait.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn retry_all(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.writer.run(1, move |tx| tenants::retry_all(tx, now)).await
    }

    /// The tenants of a lane that are due now, most stale first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn due(&self, lane: Lane, limit: usize) -> Result<Vec<Due>, StoreError> {
        let now = self.clock.now();
        self.readers.run(move |conn| tenants::due(conn, lane, now, limit)).await
    }

    /// How it stands with a tenant; `None` when it was never enrolled.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn standing(&self, tenant: TenantId) -> Result<Option<Standing>, StoreError> {
        self.readers.run(move |conn| tenants::standing(conn, tenant)).await
    }

    /// What has been read of a tenant and what is known to be unread.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn coverage(&self, tenant: TenantKey) -> Result<Coverage, StoreError> {
        self.readers.run(move |conn| coverage::load(conn, tenant)).await
    }

    /// Alerts of a tenant that were last updated in `window` and last read without evidence, at most `limit` of them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn thin_alerts(
        &self,
        tenant: TenantKey,
        window: Window,
        limit: usize,
    ) -> Result<Vec<AlertId>, StoreError> {
        self.readers.run(move |conn| alert_row::thin(conn, tenant, window, limit)).await
    }

    /// Stores rows of an answer, together with what the answer proves about coverage once its end has been seen (an
    /// empty change until then). The new coverage is all that the next request may be computed from.
    ///
    /// # Errors
    /// When the store fails; then neither rows nor coverage of this call are kept.
    pub async fn land(&self, tenant: TenantKey, batch: Batch, change: CoverageMove) -> Result<Landed, StoreError> {
        let seen = Observation { at: self.clock.now(), history: batch.history };
        let Batch { alerts, unusable, .. } = batch;
        // Comparing with what is stored, reading columns and finding differences happen beside the writer, which is
        // left with the rows that really change.
        let (known, decided) = self.readers.run(move |conn| alerts::decide_all(conn, tenant, alerts)).await?;
        if decided.is_empty() && unusable.is_empty() && change == CoverageMove::default() {
            let counts = Counts { unchanged: known, ..Counts::default() };
            let coverage = self.coverage(tenant).await?;
            return Ok(Landed { counts, quarantined: Vec::new(), coverage });
        }
        let weight = decided.len() + unusable.len();
        self.writer
            .run(weight, move |tx| {
                let (mut counts, quarantined) = alerts::carry_out_all(tx, tenant, decided, unusable, seen)?;
                counts.unchanged += known;
                if change != CoverageMove::default() {
                    coverage::apply(tx, tenant, &change, seen.at)?;
                }
                Ok(Landed { counts, quarantined, coverage: coverage::load(tx, tenant)? })
            })
            .await
    }

    /// Writes how a pass ended; returns how it stands with the tenant's coverage.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn finish_pass(&self, tenant: TenantKey, pass: PassRecord) -> Result<PassEnd, StoreError> {
        self.writer.run(1, move |tx| passes::finish(tx, tenant, &pass)).await
    }

    /// The changes after `seq`, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn changes_after(&self, seq: i64, limit: usize) -> Result<Vec<Change>, StoreError> {
        self.readers.run(move |conn| changes::after(conn, seq, limit)).await
    }

    /// Where the follower called `name` stands.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn cursor(&self, name: &'static str) -> Result<i64, StoreError> {
        self.readers.run(move |conn| changes::cursor(conn, name)).await
    }

    /// Moves the follower called `name` on to `seq`; it never moves back.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn move_cursor(&self, name: &'static str, seq: i64) -> Result<(), StoreError> {
        self.writer.run(1, move |tx| changes::move_cursor(tx, name, seq)).await
    }

    /// How it stands with every tenant.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn report(&self) -> Result<Report, StoreError> {
        self.readers.run(report::load).await
    }

    /// How it stands with the fleet and the file, in numbers.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn gauges(&self) -> Result<Gauges, StoreError> {
        let path = self.readers.path().to_owned();
        self.readers.run(move |conn| gauges::load(conn, &path)).await
    }

    /// Whether the writer has been at one transaction for longer than it can take, with the wait for locks, the flush to
    /// the disk, and folding back a log as long as it is now.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        let log = lock::beside(self.readers.path(), "-wal");
        self.writer.is_stuck(|| std::fs::metadata(log).map_or(0, |file| file.len()))
    }

    /// Tells `watcher` of each transaction from now on: how long it took, and why it came to nothing. A second watcher
    /// is not heard.
    pub fn watch(&self, watcher: impl Fn(Duration, Option<&StoreError>) + Send + Sync + 'static) {
        self.writer.watch(Box::new(watcher));
    }

    /// The local time, by the clock the store stamps its rows with.
    #[must_use]
    pub fn now(&self) -> Ticks {
        self.clock.now()
    }
}

/// Reads how it stands with every tenant from a store that another process may be writing.
///
/// # Errors
/// When the file cannot be read, is not ours, or has another schema than this program.
pub fn read_report(path: &Path) -> Result<Report, StoreError> {
    let conn = connection::reader(path)?;
    migrate::check(&conn, path)?;
    report::load(&conn)
}

/// The database file, its write-ahead log and the log's index: what a backup of a stopped daemon must hold.
#[must_use]
pub fn files(path: &Path) -> [PathBuf; 3] {
    [path.to_owned(), lock::beside(path, "-wal"), lock::beside(path, "-shm")]
}
