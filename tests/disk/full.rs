//! Row D4: the disk is full for a while. Nothing is lost, and nobody has to do anything but make room.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::client::{asked, get, scrape};
use crate::rig::campaign::{self, Row};
use crate::shim;
use crate::stand::assert_no_crash;
use crate::support::{Config, House, Said, on_threads, settle, simulator, told, wait_until};

#[test]
fn d4_a_full_disk_pauses_the_daemon_and_room_lets_it_go_on() {
    on_threads(async {
        let row = Row::begin("D4");
        let mut rng = StdRng::seed_from_u64(row.seed);
        let sim = simulator(3, 60).await;
        let config = Config::of(&sim);
        let house = House::with(&config);
        house.write_private("main.toml", &asked(&config, ""));
        let mut command = house.command(&["run"]);
        shim::load_full(&mut command, &house.store());
        let mut daemon = house.start_by(command);
        let address = daemon.hear("admin.listening").await["address"].as_str().expect("an address").to_owned();
        house.wait_until_read_once().await;
        let (rounds, mut refused) = (campaign::times(2, 25), 0.0);
        let count = |event: &str| house.all_lines().iter().filter(|line| line["event"] == event).count();
        for round in 1..=rounds {
            shim::give_room(&house.store(), Some(shim::used(&house.store()) + rng.random_range(0..60_000)));
            let times = usize::try_from(round).expect("few");
            let live = || {
                let changes = sim.world().with(|world| world.live(&mut StdRng::seed_from_u64(rand::random()), 20));
                drop(changes);
            };
            wait_until("a full disk", || {
                live();
                count("store.failed") >= times
            })
            .await;
            // It is told as what it is, and the daemon is alive.
            let failed =
                |address: &str| scrape(address).value("alertferry_store_errors_total", &[("kind", "disk_full")]);
            assert!(failed(&address) > refused, "nobody counts it");
            refused = failed(&address);
            assert_eq!(get(&address, "/healthz").status, 200);
            assert!(daemon.is_alive(), "{}", daemon.spoken());
            tokio::time::sleep(Duration::from_millis(rng.random_range(0..1_500))).await;
            shim::give_room(&house.store(), None);
            wait_until("a recovery", || count("store.recovered") >= times).await;
        }
        settle(&sim);
        house.wait_until_read().await;
        let lines = daemon.lines();
        let reason = |line: &&serde_json::Value| line["event"] == "store.failed";
        assert!(
            lines.iter().filter(reason).all(|line| line["reason"] == "the disk with the store is full"),
            "{lines:?}"
        );
        let spoken = daemon.spoken();
        daemon.stop().await;
        assert_no_crash(&Said { code: Some(0), stdout: spoken, stderr: String::new() });
        house.assert_equals_truth(&sim, &sim.world().with(|world| world.tenant_ids()));
        assert!(told(&house.all_lines()).is_superset(&house.changes()), "changes without a line");
        let writes = shim::counts(&house.store()).failed;
        row.held(
            rounds,
            format!("{writes} writes refused, {} alerts, 0 lost", house.number("SELECT count(*) FROM alerts")),
        );
    });
}
