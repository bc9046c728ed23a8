//! `kill -9` at any moment loses nothing and doubles nothing, while the world goes on.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::rig::campaign::{self, Row};
use crate::support::{Config, House, on_threads, settle, simulator, told};

const TENANTS: u64 = 20;
/// A killed daemon lived no longer than this: long enough to read all tenants, short enough to be busy when it dies.
const LONGEST_LIFE: Duration = Duration::from_millis(900);

#[test]
fn d1_kills_lose_no_alert_and_no_line() {
    on_threads(async {
        let row = Row::begin("D1");
        let mut rng = StdRng::seed_from_u64(row.seed);
        let kills = campaign::times(50, 1_000);
        let sim = simulator(TENANTS, 150).await;
        let tenants = sim.world().with(|world| world.tenant_ids());
        let mut config = Config::of(&sim);
        config.poll = "page_size = 100".to_owned();
        let house = House::with(&config);
        let mut changes_at_kills = BTreeSet::new();
        for kill in 0..kills {
            let daemon = house.start();
            let moment = Instant::now() + LONGEST_LIFE.mul_f64(rng.random());
            // Every third dies at once when it has written a line, when the cursor behind the line may not have moved.
            let at_a_line = kill % 3 == 0;
            while Instant::now() < moment && !(at_a_line && daemon.spoken().contains("\"seq\":")) {
                sim.world().with(|world| drop(world.live(&mut rng, 2)));
                tokio::time::sleep(Duration::from_millis(rng.random_range(1..40))).await;
            }
            daemon.kill();
            sim.world().with(|world| drop(world.live(&mut rng, 10)));
            if house.store_is_there() {
                changes_at_kills.insert(house.number("SELECT coalesce(max(seq), 0) FROM alert_changes"));
            }
        }
        settle(&sim);
        let daemon = house.start();
        house.wait_until_read().await;
        daemon.stop().await;

        house.assert_equals_truth(&sim, &tenants);
        let lines = house.all_lines();
        let changes = house.query("SELECT seq, tenant_id, alert_id, kind FROM alert_changes");
        let seqs: BTreeSet<i64> = changes.iter().map(|row| row[0].parse().expect("a number")).collect();
        let untold: Vec<_> = seqs.difference(&told(&lines)).copied().collect();
        assert!(untold.is_empty(), "changes without a line: {untold:?}");
        let field = |line: &serde_json::Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let announced: BTreeSet<_> = lines
            .iter()
            .filter(|line| line["event"] == "alert.created")
            .map(|line| (field(line, "tenant"), field(line, "alert")))
            .collect();
        let stored = house.query("SELECT tenant_id, alert_id FROM alerts");
        for row in &stored {
            assert!(announced.contains(&(row[0].clone(), row[1].clone())), "no line for {row:?}");
        }
        let distinct: BTreeSet<_> = stored.iter().collect();
        assert_eq!(distinct.len(), stored.len(), "an alert is in the store twice");
        let alert_lines = lines.iter().filter(|line| line["seq"].is_i64()).count();
        assert!(changes_at_kills.len() > 5, "the kills met no work: {changes_at_kills:?}");
        let seen = format!(
            "{} alerts, {} changes ({} stages seen), {alert_lines} lines of which {} again",
            stored.len(),
            seqs.len(),
            changes_at_kills.len(),
            alert_lines - seqs.len()
        );
        row.held(kills, seen);
    });
}
