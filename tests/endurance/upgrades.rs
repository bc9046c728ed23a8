//! P5: the stores of all released programs are taken over whole and read on from where they stood, and those of a newer one
//! are left alone. What becomes of each table is told by tests/upgrade.

use std::path::PathBuf;

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::released::{RELEASED, Released};
use crate::rig::campaign::{Row, times};
use crate::support::{on_threads, settle, told};

/// A backup that was taken before a migration.
fn backup_of(released: &Released) -> PathBuf {
    let line =
        released.house.all_lines().into_iter().find(|line| line["event"] == "store.migrated").expect("a migration");
    PathBuf::from(line["backup"].as_str().expect("a backup"))
}

#[test]
fn p5_each_released_store_is_read_on_from_where_it_stood() {
    on_threads(async {
        let row = Row::begin("P5");
        let rounds = times(1, 10);
        let mut rng = StdRng::seed_from_u64(row.seed);
        let mut migrated = 0;
        for _ in 0..rounds {
            for (version, dump) in RELEASED {
                let released = Released::of(dump).await;
                released.sim.world().with(|world| drop(world.live(&mut rng, 30)));
                let daemon = released.house.start();
                released.house.wait_until_read().await;
                settle(&released.sim);
                released.house.wait_until_read().await;
                released.house.wait_until_read().await;
                daemon.stop().await;
                released.house.assert_equals_truth(&released.sim, &released.tenants);
                // Each change since has its line, and none of before has another.
                let changes: std::collections::BTreeSet<i64> =
                    released.house.changes().into_iter().filter(|seq| *seq > released.told).collect();
                assert_eq!(told(&released.house.all_lines()), changes, "lines against changes");

                // Back to the program of that time: its store stands beside, as it was, and can be taken over again.
                let newest = released.schema();
                assert!(newest > version, "there is something to migrate");
                released.replace(&backup_of(&released));
                assert_eq!(released.schema(), version, "the backup is of before");
                let said = released.house.run(&["sync"]);
                assert_eq!(said.code, Some(0), "{said:?}");
                assert_eq!(released.schema(), newest);
                released.house.assert_equals_truth(&released.sim, &released.tenants);
                migrated += 2;
            }
        }
        row.held(migrated, format!("stores of {} released schemas migrated and read on", RELEASED.len()));
    });
}

#[test]
fn p5_a_store_of_a_newer_program_is_left_alone() {
    on_threads(async {
        let row = Row::begin("P5");
        let released = Released::of(RELEASED[0].1).await;
        assert_eq!(released.house.run(&["sync"]).code, Some(0));
        let conn = rusqlite::Connection::open(released.house.store()).expect("a store");
        conn.execute_batch(
            "INSERT INTO refinery_schema_history
             SELECT 99, 'future', applied_on, checksum FROM refinery_schema_history LIMIT 1;
             PRAGMA wal_checkpoint(TRUNCATE);",
        )
        .expect("from the future");
        drop(conn);
        let before = std::fs::read(released.house.store()).expect("a store");
        let asked = released.sim.stats().total(alertferry_simulator::Route::Any);
        let commands: [&[&str]; 5] = [&["run"], &["sync"], &["status"], &["alerts", "list"], &["backup", "copy.db"]];
        for command in commands {
            let said = released.house.run(command);
            assert_eq!(said.code, Some(65), "{command:?}: {said:?}");
            assert!(said.stderr.contains("99") || said.stderr.contains("newer"), "{command:?}: {said:?}");
        }
        assert_eq!(std::fs::read(released.house.store()).expect("a store"), before, "it was written into");
        assert_eq!(released.sim.stats().total(alertferry_simulator::Route::Any), asked, "somebody was read");
        row.held(commands.len() as u64, "commands refuse a newer store with 65, and not a byte of it is changed");
    });
}
