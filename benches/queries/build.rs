//! Owns making the big store: made-up alerts go through the daemon's own code, first the history of each tenant, then
//! rounds of polls with new alerts and changes of older ones.

use std::path::{Path, PathBuf};
use std::time::Instant;

use alertferry::clock::Clock;
use alertferry::domain::{Alert, Region, Tenant, TenantId};
use alertferry::store::{Batch, CoverageMove, Store, TenantKey};
use futures_util::StreamExt;

use crate::names;
use crate::support::Spent;
use crate::texts::{Fleet, Which};

/// The seed of every store that is measured.
const SEED: u64 = 7;
/// A store is built anew when its newest alert is older than a day: the views look back from now.
const FRESH_SECONDS: i64 = 24 * 3_600;
/// Alerts of a piece of an answer while history is read, as the daemon cuts them.
const PIECE: usize = 500;
/// So many pieces are on their way at once, as when several tenants are read.
const AT_ONCE: usize = 4;
/// Rounds of polls that bring new alerts; those after them bring changes alone.
const ROUNDS: u64 = 10;
/// Rounds until the longest history is whole.
const ALL_ROUNDS: u64 = ROUNDS + 50;
/// A line is printed every so many rows.
const TELL: usize = 50_000;

/// How big a store is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub alerts: u64,
    pub tenants: u64,
}

/// A store that was built, and what it was built from.
pub(crate) struct Built {
    pub path: PathBuf,
    pub size: Size,
    pub fleet: Fleet,
}

impl Size {
    /// How many alerts each tenant has: a few have many, most have few.
    fn shares(self) -> Vec<u64> {
        let weight = |number: u64| 1_000_000_000 / (number + 10);
        let all: u64 = (1..=self.tenants).map(weight).sum();
        let mut shares: Vec<u64> =
            (1..=self.tenants).map(|number| (self.alerts * weight(number) / all).max(1)).collect();
        let missing = self.alerts.saturating_sub(shares.iter().sum());
        shares[0] += missing;
        shares
    }
}

/// The store of this size at `path`; made if it is not there, is another one, or is too old.
pub(crate) fn store(path: &Path, size: Size) -> Built {
    let now = Clock::System.now().unix_seconds();
    let note = path.with_extension("made-of");
    let made_of = |end: i64| format!("alerts {}, tenants {}, seed {SEED}, end {end}\n", size.alerts, size.tenants);
    let found = std::fs::read_to_string(&note).unwrap_or_default();
    let end = found.trim().rsplit(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0);
    if found == made_of(end) && now - end < FRESH_SECONDS {
        return Built { path: path.to_owned(), size, fleet: Fleet { seed: SEED, end } };
    }
    let fleet = Fleet { seed: SEED, end: now };
    for file in alertferry::store::files(path).into_iter().chain([note.clone()]) {
        drop(std::fs::remove_file(file));
    }
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(fill(path, size, fleet));
    std::fs::write(note, made_of(now)).expect("written");
    Built { path: path.to_owned(), size, fleet }
}

async fn fill(path: &Path, size: Size, fleet: Fleet) {
    println!("building {} alerts over {} tenants at {}", size.alerts, size.tenants, path.display());
    let (store, writer) = Store::open(path, Clock::System).expect("a store");
    let tenants = (1..=size.tenants).map(tenant).collect::<Vec<_>>();
    store.enrol(tenants.clone()).await.expect("enrolled");
    let mut fleet_of = Vec::new();
    for (tenant, share) in tenants.iter().zip(size.shares()) {
        fleet_of.push((store.standing(tenant.id).await.expect("readable").expect("enrolled").key, share));
    }
    let mut progress = Progress::new(path);
    land(&store, fleet, histories(&fleet_of), true, &mut progress).await;
    for round in 0..ALL_ROUNDS {
        land(&store, fleet, polls(fleet, &fleet_of, round), false, &mut progress).await;
    }
    progress.tell("done");
    drop(store);
    writer.join().expect("all is written");
}

/// What one answer brings: versions of alerts of one tenant.
struct Piece {
    key: TenantKey,
    rows: Vec<(Which, u64)>,
}

/// Lands pieces, some at once.
async fn land(store: &Store, fleet: Fleet, pieces: Vec<Piece>, history: bool, progress: &mut Progress) {
    let landing = futures_util::stream::iter(pieces).map(|piece| {
        let alerts = piece.rows.iter().map(|(which, version)| {
            // History is what has become of an alert, whatever it went through.
            let version = if history { fleet.changes(*which) } else { *version };
            Alert::scan(fleet.text(*which, version).into_bytes(), false).expect("an alert")
        });
        let batch = Batch { alerts: alerts.collect(), unusable: Vec::new(), history };
        let rows = piece.rows.len();
        async move {
            store.land(piece.key, batch, CoverageMove::default()).await.expect("landed");
            rows
        }
    });
    let mut landed = landing.buffered(AT_ONCE);
    while let Some(rows) = landed.next().await {
        progress.add(rows, if history { "history" } else { "polls" });
    }
}

/// The first four fifths of each tenant's alerts.
fn histories(tenants: &[(TenantKey, u64)]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for ((key, of), tenant) in tenants.iter().zip(1..) {
        let numbers: Vec<u64> = (0..of * 8 / 10).collect();
        pieces.extend(numbers.chunks(PIECE).map(|numbers| {
            let rows = numbers.iter().map(|number| (Which { tenant, number: *number, of: *of }, 0));
            Piece { key: *key, rows: rows.collect() }
        }));
    }
    pieces
}

/// What a round of polls finds: alerts that are new in it, and the next change of each that came in an earlier one.
fn polls(fleet: Fleet, tenants: &[(TenantKey, u64)], round: u64) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for ((key, of), tenant) in tenants.iter().zip(1..) {
        let (first, live) = (of * 8 / 10, of - of * 8 / 10);
        let rows = (0..live).filter_map(|at| {
            let version = round.checked_sub(at * ROUNDS / live)?;
            let which = Which { tenant, number: first + at, of: *of };
            (version <= fleet.changes(which)).then_some((which, version))
        });
        let rows: Vec<_> = rows.collect();
        pieces.extend(rows.chunks(PIECE).map(|rows| Piece { key: *key, rows: rows.to_vec() }));
    }
    pieces
}

fn tenant(number: u64) -> Tenant {
    Tenant {
        id: TenantId::parse(&names::tenant(number)).expect("a GUID"),
        name: format!("Customer {number:05}"),
        app: "main".to_owned(),
        region: Region::Global,
        login_url: "https://login.example".to_owned(),
        api_url: "https://api.example".to_owned(),
        tags: vec![["gold", "silver", "bronze"][usize::try_from(number % 3).expect("small")].to_owned()],
        enabled: true,
    }
}

/// Says now and then how far it is, how fast it goes, and what that costs.
struct Progress {
    path: PathBuf,
    begun: Instant,
    rows: usize,
    told: Told,
}

/// What had been done when a line was printed.
struct Told {
    rows: usize,
    at: Instant,
    written: u64,
}

impl Progress {
    fn new(path: &Path) -> Self {
        let told = Told { rows: 0, at: Instant::now(), written: Spent::time_and_bytes_here().bytes };
        Self { path: path.to_owned(), begun: Instant::now(), rows: 0, told }
    }

    fn add(&mut self, rows: usize, what: &str) {
        self.rows += rows;
        if self.rows - self.told.rows >= TELL {
            self.tell(what);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "rates are for people")]
    fn tell(&mut self, what: &str) {
        let now = Told { rows: self.rows, at: Instant::now(), written: Spent::time_and_bytes_here().bytes };
        let rows = (now.rows - self.told.rows).max(1) as f64;
        let rate = rows / self.told.at.elapsed().as_secs_f64();
        let kib = (now.written - self.told.written) as f64 / 1_024.0 / rows;
        let mib = std::fs::metadata(&self.path).map_or(0, |file| file.len() / 1_048_576);
        let seconds = self.begun.elapsed().as_secs();
        println!(
            "{seconds:>5} s {:>9} rows, {rate:>6.0} rows/s, {kib:>5.1} KiB written a row, {mib:>5} MiB ({what})",
            self.rows
        );
        self.told = now;
    }
}
