//! Row D6: bits of the database or of its log are not what was written. It is noticed, or does no harm; what is reported
//! as read is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use alertferry_simulator::Simulator;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::rig::campaign::{self, Row};
use crate::stand;
use crate::support::{Config, House, on_threads, settle, simulator, wait_until};

const PAGE: usize = 16 * 1024;
const FILES: [&str; 3] = ["", "-wal", "-shm"];

/// The files of a store that has more to read: one that was stopped, with all in the database, and the same store killed
/// later, with much in the log.
async fn left(sim: &Simulator, rng: &mut StdRng) -> [[Vec<u8>; 3]; 2] {
    let house = House::with(&Config::of(sim));
    let files = || FILES.map(|ending| fs::read(house.path(&format!("alerts.db{ending}"))).expect("a file"));
    let daemon = house.start();
    house.wait_until_read_once().await;
    daemon.stop().await;
    let stopped = files();
    let daemon = house.start();
    let changes = || house.number("SELECT count(*) FROM alert_changes");
    let read = changes();
    wait_until("more in the log", || {
        sim.world().with(|world| drop(world.live(rng, 5)));
        changes() > read + 40
    })
    .await;
    daemon.kill();
    sim.world().with(|world| drop(world.live(rng, 60)));
    settle(sim);
    [stopped, files()]
}

/// Damages one file; what was done to it.
fn damage(bytes: &mut Vec<u8>, rng: &mut StdRng) -> &'static str {
    const KINDS: [&str; 6] =
        ["a bit", "a bit at a page's head", "a page of zeros", "a misplaced page", "cut off", "noise"];
    let pages = bytes.len() / PAGE;
    let kind = *KINDS.choose(rng).expect("a kind");
    let (one, other) = (rng.random_range(0..pages), rng.random_range(0..pages));
    match kind {
        "a bit" => {
            let at = rng.random_range(0..bytes.len());
            bytes[at] ^= 1 << rng.random_range(0..8);
        }
        "a bit at a page's head" => {
            let at = one * PAGE + rng.random_range(0..100);
            bytes[at] ^= 1 << rng.random_range(0..8);
        }
        "a page of zeros" => bytes[one * PAGE..(one + 1) * PAGE].fill(0),
        "a misplaced page" => bytes.copy_within(one * PAGE..(one + 1) * PAGE, other * PAGE),
        "cut off" => bytes.truncate(rng.random_range(0..bytes.len())),
        _ => {
            let at = rng.random_range(0..bytes.len() - 512);
            rng.fill(&mut bytes[at..at + 512]);
        }
    }
    kind
}

/// What became of a damaged store when it was used.
fn verdict(house: &House, sim: &Simulator, tried: &str) -> &'static str {
    let said = stand::run(house.command(&["sync"]));
    if said.code != Some(0) {
        assert_eq!(said.code, Some(65), "{tried}: {said:?}");
        let tells = ["is damaged", "restore a backup"].iter().all(|word| said.stderr.contains(word));
        assert!(tells || said.stderr.contains("not an alertferry store"), "{tried}: {said:?}");
        return "refused with 65";
    }
    let tenants = sim.world().with(|world| world.tenant_ids());
    if catch_unwind(AssertUnwindSafe(|| house.assert_equals_truth(sim, &tenants))).is_ok() {
        return "no harm";
    }
    if house.run(&["check", "--offline"]).code == Some(65) {
        return "told by check";
    }
    // No look at the structure of a file can tell a wrong letter of a title from a right one, but nothing is missing.
    for tenant in tenants {
        let stored = crate::rig::stored(&house.store(), &tenant);
        let truth = crate::rig::truth(sim, &tenant);
        let missing: BTreeSet<_> = truth.keys().filter(|id| !stored.contains_key(*id)).collect();
        assert!(missing.is_empty(), "{tried}: reported as read, and not there: {missing:?}");
    }
    "a wrong letter in a column"
}

fn put(house: &House, files: &[Vec<u8>; 3]) {
    for (ending, bytes) in FILES.iter().zip(files) {
        fs::write(Path::new(&format!("{}{ending}", house.store().display())), bytes).expect("written");
    }
}

#[test]
fn d6_damage_is_noticed_or_does_no_harm() {
    on_threads(async {
        let row = Row::begin("D6");
        let mut rng = StdRng::seed_from_u64(row.seed);
        let sim = simulator(2, 150).await;
        let left = left(&sim, &mut rng).await;
        let config = Config::of(&sim);
        for whole in &left {
            let unharmed = House::with(&config);
            put(&unharmed, whole);
            assert_eq!(verdict(&unharmed, &sim, "no damage at all"), "no harm");
        }
        let (times, mut seen) = (campaign::times(25, 1_000), BTreeMap::<String, u32>::new());
        let mut failures = Vec::new();
        for n in 0..times {
            let house = House::with(&config);
            let killed = rng.random_bool(0.4);
            let mut files = left[usize::from(killed)].clone();
            let at = usize::from(killed && rng.random_bool(0.8));
            let how = if killed { "killed" } else { "stopped" };
            let tried = format!("{n}: {how}, {} of alerts.db{}", damage(&mut files[at], &mut rng), FILES[at]);
            put(&house, &files);
            match catch_unwind(AssertUnwindSafe(|| verdict(&house, &sim, &tried))) {
                Ok(verdict) => *seen.entry(format!("{how}, alerts.db{}: {verdict}", FILES[at])).or_default() += 1,
                Err(_) => failures.push(tried),
            }
        }
        println!("{seen:#?}");
        assert!(failures.is_empty(), "{failures:#?}");
        row.held(times, format!("{seen:?}"));
    });
}
