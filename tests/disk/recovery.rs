//! Row D5: the disk fails while the store is being recovered from a kill.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::rig::campaign::{self, Row};
use crate::shim::{self, CLASSES, EIO, ENOSPC, Plan};
use crate::stand;
use crate::support::{Config, House, on_threads, simulator, wait_until};

/// A recovery does its work in the first so many calls of a class.
const EARLY: u64 = 40;

#[test]
fn d5_a_disk_that_fails_during_recovery_costs_nothing() {
    on_threads(async {
        let row = Row::begin("D5");
        let mut rng = StdRng::seed_from_u64(row.seed);
        let kills = campaign::times(3, 60);
        let (mut ends, mut failed) = (BTreeMap::<i32, u32>::new(), 0);
        for _ in 0..kills {
            let sim = simulator(3, 80).await;
            let mut config = Config::of(&sim);
            config.poll = "page_size = 20".to_owned();
            let house = House::with(&config);
            let daemon = house.start();
            wait_until("rows in the log", || house.store_is_there() && house.number("SELECT count(*) FROM alerts") > 0)
                .await;
            tokio::time::sleep(Duration::from_millis(rng.random_range(0..200))).await;
            daemon.kill();
            for _ in 0..4 {
                let class = *CLASSES.choose(&mut rng).expect("a class");
                let nth = rng.random_range(1..=if class == "read" || class == "write" { EARLY } else { 4 });
                let errno = if rng.random_bool(0.8) || class == "read" { EIO } else { ENOSPC };
                let plan = Plan { class, nth, errno, how: if rng.random() { "once" } else { "ever" } };
                let mut command = house.command(&["sync"]);
                shim::load(&mut command, &house.store(), Some(plan));
                let said = stand::run(command);
                let counts = shim::counts(&house.store());
                stand::assert_tells(plan, &said);
                assert!(said.code == Some(0) || counts.failed > 0, "{plan:?} {counts:?} {said:?}");
                failed += u64::from(counts.failed > 0);
                *ends.entry(said.code.expect("a code")).or_default() += 1;
            }
            stand::assert_heals(&house, &sim, "after a kill and a bad disk");
        }
        assert!(failed > 0, "no fault was met");
        row.held(failed, format!("{kills} kills, then {failed} faults, ends by exit code {ends:?}"));
    });
}
