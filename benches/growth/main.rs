//! What an alert and an unchanged poll cost as the store grows: everything doubles, step by step, in one run.
//!
//! `cargo bench --bench growth` goes up to 80,000 alerts of 160 tenants, in a minute or so;
//! `cargo bench --bench growth -- --alerts 5000000 --tenants 10000` goes as far as is asked for (4.4 GiB a million).
//! The store lies below `target/growth` and is deleted at the end. What counts are the ratios to the first step of the
//! same run, which are printed as it goes.
//!
//! `--page-size 10000` reads one history with the daemon instead, with answers that double up to that many rows.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

#[path = "../queries/dice.rs"]
mod dice;
#[path = "../queries/names.rs"]
mod names;
mod pages;
#[path = "../support/mod.rs"]
mod support;
#[path = "../queries/texts.rs"]
mod texts;

use std::path::Path;
use std::time::Instant;

use alertferry::clock::Clock;
use alertferry::domain::{Alert, Region, Tenant, TenantId, TenantState, Ticks};
use alertferry::store::{Batch, Counts, CoverageMove, PassRecord, Store, TenantKey};

use support::{Arguments, Spent, Table, count, number, ratio};
use texts::{Fleet, Which};

/// Alerts of the first step; each further one has twice as many.
const FIRST_STEP: u64 = 20_000;
/// Alerts of a piece of an answer, as the daemon cuts them.
const PIECE: usize = 500;
/// So many alerts at the end of each step are measured; those before them fill.
const MEASURED: u64 = 10_000;
/// Alerts that an unchanged poll meets again, as in the hour that is looked at twice.
const MET_AGAIN: u64 = 20;
/// Polls that are measured after a step.
const POLLS: u64 = 2_000;

/// Room that a million alerts need at most, in GiB: the file, and its log while it is folded back.
const GIB_A_MILLION: u64 = 5;

fn main() {
    let arguments = Arguments::of_process();
    if let Some(most) = arguments.number("--page-size") {
        return pages::double(most);
    }
    let (alerts, tenants) =
        (arguments.number("--alerts").unwrap_or(4 * FIRST_STEP), arguments.number("--tenants").unwrap_or(160));
    assert!(alerts >= FIRST_STEP && tenants > 0 && alerts / tenants >= MET_AGAIN, "more alerts, or fewer tenants");
    let directory = support::target().join("growth");
    std::fs::create_dir_all(&directory).expect("a directory");
    let (needed, free) = (alerts * GIB_A_MILLION / 1_000_000 + 1, free_gib(&directory));
    assert!(free >= needed, "{alerts} alerts need up to {needed} GiB, and there are {free} free");
    let store = tempfile::tempdir_in(&directory).expect("a directory");
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime").block_on(grow(
        &store.path().join("alerts.db"),
        alerts,
        alerts / tenants,
    ));
}

fn free_gib(directory: &Path) -> u64 {
    let system = rustix::fs::statvfs(directory).expect("a file system");
    system.f_bavail * system.f_frsize / 1_073_741_824
}

/// What was measured when the store had grown by a step.
struct Step {
    alerts: u64,
    tenants: u64,
    mib: u64,
    /// Since the step before.
    seconds: f64,
    /// Of each alert at the end of the step, and of each poll after it.
    alert: Cost,
    poll: Cost,
}

/// What one thing of many cost.
#[derive(Debug, Clone, Copy)]
struct Cost {
    cpu_us: f64,
    kib: f64,
}

impl Cost {
    fn of(spent: Spent, count: usize) -> Self {
        Self { cpu_us: spent.cpu_us_each(count), kib: spent.kib_each(count) }
    }
}

/// Lands histories, tenant by tenant, and measures the end of each step.
async fn grow(path: &Path, alerts: u64, each: u64) {
    let columns = [
        "tenants",
        "MiB",
        "s",
        "CPU µs an alert",
        "CPU µs an alert, x first",
        "KiB written an alert",
        "KiB written an alert, x first",
        "CPU µs a poll",
        "CPU µs a poll, x first",
        "KiB written a poll",
        "KiB written a poll, x first",
    ];
    let table = Table::begin("growth", "alerts", &columns);
    let (store, writer) = Store::open(path, Clock::System).expect("a store");
    let fleet = Fleet { seed: 7, end: Clock::System.now().unix_seconds() };
    let mut first: Option<Step> = None;
    let (mut landed, mut tenants, mut end) = (0, 0, FIRST_STEP);
    // The last step ends where it was asked to end, whether or not that is twice as much.
    while landed < alerts {
        let begun = Instant::now();
        let (mut spent, mut measured) = (Spent::default(), 0);
        while landed < end {
            tenants += 1;
            let key = enrol(&store, tenants).await;
            let known: Vec<u64> = (0..each).collect();
            for numbers in known.chunks(PIECE) {
                let batch = batch(fleet, tenants, numbers, each);
                let before = Spent::time_and_bytes_here();
                store.land(key, batch, CoverageMove::default()).await.expect("landed");
                if landed + MEASURED >= end {
                    spent += Spent::time_and_bytes_here() - before;
                    measured += numbers.len();
                }
            }
            landed += each;
        }
        let seconds = begun.elapsed().as_secs_f64();
        let poll = polls(&store, fleet, tenants, each).await;
        let step = Step { alerts: landed, tenants, mib: mib(path), seconds, alert: Cost::of(spent, measured), poll };
        tell(&table, &step, first.as_ref());
        first.get_or_insert(step);
        end = (end * 2).min(alerts);
    }
    drop(store);
    writer.join().expect("all is written");
}

/// What a poll costs that finds nothing new, of tenants all over the store: it compares, and moves the tenant's row twice.
async fn polls(store: &Store, fleet: Fleet, tenants: u64, each: u64) -> Cost {
    let mut spent = Spent::default();
    let newest: Vec<u64> = (each - MET_AGAIN..each).collect();
    for poll in 0..POLLS {
        let tenant = 1 + poll * 7_919 % tenants;
        let key = enrol(store, tenant).await;
        let batch = batch(fleet, tenant, &newest, each);
        let now = Clock::System.now();
        let covered = CoverageMove { covered_until: Some(now), ..CoverageMove::default() };
        let before = Spent::time_and_bytes_here();
        let counts = store.land(key, batch, covered).await.expect("landed").counts;
        store.finish_pass(key, quiet_pass(now, counts)).await.expect("noted");
        spent += Spent::time_and_bytes_here() - before;
        assert_eq!((counts.unchanged, counts.created, counts.updated), (MET_AGAIN, 0, 0), "nothing new");
    }
    Cost::of(spent, usize::try_from(POLLS).expect("small"))
}

/// How a pass ends that found nothing new.
fn quiet_pass(at: Ticks, counts: Counts) -> PassRecord {
    PassRecord {
        started_at: at,
        finished_at: at,
        outcome: "read",
        eventful: false,
        requests: 1,
        rows: counts.unchanged,
        counts,
        bytes: 50_000,
        ms: 100,
        failure: None,
        state: TenantState::Ok,
        reason: None,
        remedy: None,
        consecutive_failures: 0,
        next_attempt_at: at,
        calls_spent: 1,
        clock_skew_ms: None,
    }
}

fn batch(fleet: Fleet, tenant: u64, numbers: &[u64], of: u64) -> Batch {
    let alert = |number: &u64| {
        let which = Which { tenant, number: *number, of };
        Alert::scan(fleet.text(which, fleet.changes(which)).into_bytes(), false).expect("an alert")
    };
    Batch { alerts: numbers.iter().map(alert).collect(), unusable: Vec::new(), history: true }
}

/// The key of a tenant, which is enrolled if it is not.
async fn enrol(store: &Store, number: u64) -> TenantKey {
    let id = TenantId::parse(&names::tenant(number)).expect("a GUID");
    if let Some(standing) = store.standing(id).await.expect("readable") {
        return standing.key;
    }
    let tenant = Tenant {
        id,
        name: format!("Customer {number:05}"),
        app: "main".to_owned(),
        region: Region::Global,
        login_url: "https://login.example".to_owned(),
        api_url: "https://api.example".to_owned(),
        tags: Vec::new(),
        enabled: true,
    };
    store.enrol(vec![tenant]).await.expect("enrolled");
    store.standing(id).await.expect("readable").expect("enrolled").key
}

fn mib(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len() / 1_048_576)
}

/// Prints a step, with the ratios to the first one.
fn tell(table: &Table, step: &Step, first: Option<&Step>) {
    let mut cells = vec![count(step.tenants), count(step.mib), number(step.seconds, 1)];
    let figures: [fn(&Step) -> f64; 4] =
        [|step| step.alert.cpu_us, |step| step.alert.kib, |step| step.poll.cpu_us, |step| step.poll.kib];
    for figure in figures {
        cells.extend([number(figure(step), 1), ratio(figure(step), first.map(figure))]);
    }
    table.row(&step.alerts.to_string(), &cells);
}
