//! What an alert and an unchanged poll cost as the store grows: everything doubles, step by step, in one run.
//!
//! `cargo bench --bench growth` goes up to 80,000 alerts of 160 tenants, in a minute or so;
//! `cargo bench --bench growth -- --alerts 5000000 --tenants 10000` goes as far as is asked for (about 5 GB a million).
//! The store lies below `target/growth` and is deleted at the end. A line for each step goes to `target/growth/results.csv`,
//! too. What counts are the ratios to the first step of the same run.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

mod cost;
#[path = "../queries/dice.rs"]
mod dice;
#[path = "../queries/names.rs"]
mod names;
#[path = "../queries/texts.rs"]
mod texts;

use std::io::Write;
use std::path::{Path, PathBuf};

use alertferry::clock::Clock;
use alertferry::domain::{Alert, Region, Tenant, TenantId, TenantState, Ticks};
use alertferry::store::{Batch, Counts, CoverageMove, PassRecord, Store, TenantKey};

use cost::{Cost, Spent};
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

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |name: &str, usual: u64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.map_or(usual, |at| {
            arguments.get(at + 1).and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{name} NUMBER"))
        })
    };
    let (alerts, tenants) = (number("--alerts", 4 * FIRST_STEP), number("--tenants", 160));
    assert!(alerts >= FIRST_STEP && tenants > 0 && alerts / tenants >= MET_AGAIN, "more alerts, or fewer tenants");
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/growth");
    std::fs::create_dir_all(&directory).expect("a directory");
    let store = tempfile::tempdir_in(&directory).expect("a directory");
    let steps = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime").block_on(grow(
        &store.path().join("alerts.db"),
        alerts,
        alerts / tenants,
    ));
    note(&directory.join("results.csv"), &steps);
}

/// What was measured when the store had grown by a step.
struct Step {
    alerts: u64,
    tenants: u64,
    mib: u64,
    alert: Cost,
    poll: Cost,
}

/// Lands histories, tenant by tenant, and measures the end of each step.
async fn grow(path: &Path, alerts: u64, each: u64) -> Vec<Step> {
    println!(
        "| alerts | tenants | MiB | CPU µs an alert | KiB written an alert | CPU µs a poll | KiB written a poll |"
    );
    println!("|---|---|---|---|---|---|---|");
    let (store, writer) = Store::open(path, Clock::System).expect("a store");
    let fleet = Fleet { seed: 7, end: Clock::System.now().unix_seconds() };
    let mut steps: Vec<Step> = Vec::new();
    let (mut landed, mut tenants, mut end) = (0, 0, FIRST_STEP);
    while end <= alerts {
        let (mut spent, mut measured) = (Spent::default(), 0);
        while landed < end {
            tenants += 1;
            let key = enrol(&store, tenants).await;
            let known: Vec<u64> = (0..each).collect();
            for numbers in known.chunks(PIECE) {
                let batch = batch(fleet, tenants, numbers, each);
                let before = Spent::now();
                store.land(key, batch, CoverageMove::default()).await.expect("landed");
                if landed + MEASURED >= end {
                    spent += Spent::now() - before;
                    measured += numbers.len();
                }
            }
            landed += each;
        }
        let alert = spent.each(measured);
        let step =
            Step { alerts: landed, tenants, mib: mib(path), alert, poll: polls(&store, fleet, tenants, each).await };
        tell(&step, steps.first());
        steps.push(step);
        end *= 2;
    }
    drop(store);
    writer.join().expect("all is written");
    steps
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
        let before = Spent::now();
        let counts = store.land(key, batch, covered).await.expect("landed").counts;
        store.finish_pass(key, quiet_pass(now, counts)).await.expect("noted");
        spent += Spent::now() - before;
        assert_eq!((counts.unchanged, counts.created, counts.updated), (MET_AGAIN, 0, 0), "nothing new");
    }
    spent.each(usize::try_from(POLLS).expect("small"))
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
fn tell(step: &Step, first: Option<&Step>) {
    let with_ratio = |cost: f64, first: Option<f64>| {
        let ratio = first.map(|first| format!(" ({:.2} x)", cost / first)).unwrap_or_default();
        format!("{cost:.1}{ratio}")
    };
    println!(
        "| {} | {} | {} | {} | {} | {} | {} |",
        step.alerts,
        step.tenants,
        step.mib,
        with_ratio(step.alert.cpu_us, first.map(|first| first.alert.cpu_us)),
        with_ratio(step.alert.kib, first.map(|first| first.alert.kib)),
        with_ratio(step.poll.cpu_us, first.map(|first| first.poll.cpu_us)),
        with_ratio(step.poll.kib, first.map(|first| first.poll.kib)),
    );
}

/// Adds a line for each step to the file of results.
fn note(path: &Path, steps: &[Step]) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).expect("a file");
    let at = Clock::System.now();
    for Step { alerts, tenants, mib, alert, poll } in steps {
        writeln!(
            file,
            "{at},{alerts},{tenants},{mib},{:.1},{:.2},{:.1},{:.2}",
            alert.cpu_us, alert.kib, poll.cpu_us, poll.kib
        )
        .expect("written");
    }
}
