//! Row D3: each call that reads, writes, flushes, cuts, opens, renames or removes a file of the store fails, one after the
//! other, while tenants are read for the first time.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use alertferry_simulator::Simulator;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::rig::campaign::{self, Row};
use crate::shim::{self, CLASSES, EIO, ENOSPC, Plan};
use crate::stand;
use crate::support::{Config, House, on_threads, simulator};

/// The calls of one whole ingest, from no file to the end.
fn calls(house: &House) -> [u64; 7] {
    let mut command = house.command(&["sync"]);
    shim::load(&mut command, &house.store(), None);
    let said = stand::run(command);
    assert_eq!(said.code, Some(0), "{said:?}");
    shim::counts(&house.store()).calls
}

/// Every way in which one of these calls can fail.
fn plans(calls: [u64; 7]) -> Vec<Plan> {
    let mut plans = Vec::new();
    for (class, calls) in CLASSES.into_iter().zip(calls) {
        for nth in 1..=calls {
            // A disk that is full can be read.
            for errno in [EIO, ENOSPC].into_iter().filter(|errno| class != "read" || *errno == EIO) {
                let short = (class == "write").then_some("short");
                plans.extend(["once", "ever"].into_iter().chain(short).map(|how| Plan { class, nth, errno, how }));
            }
        }
    }
    plans
}

/// How a run with a fault went.
struct Seen {
    code: i32,
    /// The file that failed, as its name goes on after the database's.
    file: String,
    failed: bool,
}

/// One ingest with a fault, and the next without.
fn try_one(config: &Config, sim: &Simulator, plan: Plan) -> Seen {
    let house = House::with(config);
    let mut command = house.command(&["sync"]);
    shim::load(&mut command, &house.store(), Some(plan));
    let said = stand::run(command);
    let counts = shim::counts(&house.store());
    let code = said.code.expect("an exit code");
    let tried = format!("{plan:?} at {} ended with {code}, {}", counts.file, said.stderr);
    stand::assert_tells(plan, &said);
    assert!(code == 0 || counts.failed > 0, "nothing failed: {tried}");
    stand::assert_heals(&house, sim, &tried);
    let file = counts.file.rsplit("alerts.db").next().unwrap_or_default().to_owned();
    Seen { code, file, failed: counts.failed > 0 }
}

#[test]
fn d3_every_call_of_an_ingest_fails_and_nothing_is_damaged_or_lost() {
    on_threads(async {
        let row = Row::begin("D3");
        let sim = simulator(2, 60).await;
        let mut config = Config::of(&sim);
        config.poll = "page_size = 25".to_owned();
        let calls = calls(&House::with(&config));
        let mut plans = plans(calls);
        let all = plans.len() as u64;
        plans.shuffle(&mut StdRng::seed_from_u64(row.seed));
        plans.truncate(usize::try_from(campaign::times(40, all)).expect("few"));
        let (mut ends, mut harmless) = (BTreeMap::<i32, u32>::new(), BTreeMap::<String, u32>::new());
        let (mut reached, mut failures) = (0, Vec::new());
        for plan in &plans {
            let tried = AssertUnwindSafe(|| try_one(&config, &sim, *plan));
            let Ok(seen) = catch_unwind(tried) else {
                failures.push(*plan);
                continue;
            };
            reached += u64::from(seen.failed);
            if seen.failed {
                *ends.entry(seen.code).or_default() += 1;
                if seen.code == 0 {
                    *harmless.entry(format!("{} {} of {:?}", plan.class, plan.how, seen.file)).or_default() += 1;
                }
            }
        }
        println!("calls {CLASSES:?} {calls:?}: {} of {all} ways tried, harmless {harmless:#?}", plans.len());
        assert!(failures.is_empty(), "{} of them failed: {failures:#?}", failures.len());
        assert!(reached * 10 >= plans.len() as u64 * 8, "only {reached} of {} were reached", plans.len());
        row.held(reached, format!("{reached} faults reached, ends by exit code {ends:?}, harmless {harmless:?}"));
    });
}
