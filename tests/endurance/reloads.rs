//! P2: the configuration is read again all the time, good or bad, with tenants that come and go, while everybody is polled.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use alertferry_simulator::{Fault, FaultRule, Route};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::field::{Field, is_failure};
use crate::rig::campaign::{Row, times};
use crate::support::{on_threads, wait_until};

const TENANTS: u64 = 12;
/// What is wrong with a configuration.
const WRONG: [(&str, &str); 4] = [
    ("[poll]", "[pol]"),
    ("app = \"main\"", "app = \"none\""),
    ("schedule = \"*/3", "schedule = \"61"),
    ("id = \"", "id = "),
];

#[test]
fn p2_reloads_under_load_drop_no_pass_and_bad_ones_change_nothing() {
    on_threads(async {
        let row = Row::begin("P2");
        let lasts = Duration::from_secs(times(5, 90));
        let mut rng = StdRng::seed_from_u64(row.seed);
        let mut field = Field::new(&row, TENANTS, 30, |config| config.schedule = "*/3 * * * * *").await;
        let everybody = field.config.customers.clone();
        let slow = Fault::Latency(Duration::from_millis(300));
        field.sim.faults().add(FaultRule::new(slow).on(Route::Alerts).with_probability(0.5));
        let daemon = field.house.start();
        field.house.wait_until_read_once().await;
        let said = |event: &str| daemon.lines().iter().filter(|line| line["event"] == event).count();
        let (mut good, mut bad) = (0, 0);
        let begun = Instant::now();
        while begun.elapsed() < lasts || good < 3 || bad < 3 {
            field.live(4);
            field.config.customers = everybody.iter().filter(|_| rng.random_bool(0.8)).cloned().collect();
            field.config.poll = format!("max_concurrent_tenants = {}", rng.random_range(1..40));
            let text = field.config.text();
            if rng.random_bool(0.4) || field.config.customers.is_empty() {
                let (right, wrong) = WRONG.choose(&mut rng).expect("one");
                let before = active(&field);
                field.house.write_private("main.toml", &text.replacen(right, wrong, 1));
                daemon.signal("HUP");
                bad += 1;
                wait_until("a rejection", || said("config.rejected") >= bad).await;
                assert_eq!(active(&field), before, "a bad configuration changed who is polled");
            } else {
                field.house.write_private("main.toml", &text);
                daemon.signal("HUP");
                good += 1;
                wait_until("a reload", || said("config.reloaded") >= good).await;
                let wanted: BTreeSet<String> = field.config.customers.iter().map(|each| each.id.clone()).collect();
                assert_eq!(active(&field), wanted, "who is polled after a reload");
            }
            tokio::time::sleep(Duration::from_millis(rng.random_range(0..200))).await;
        }
        field.config.customers = everybody;
        field.config.poll = String::new();
        field.house.configure(&field.config);
        daemon.signal("HUP");
        wait_until("the last reload", || said("config.reloaded") > good).await;
        field.sim.faults().clear();
        // A request that is being answered has no status yet; one that was cut off never gets one.
        let cut = |field: &Field| field.sim.stats().log().iter().filter(|request| request.status.is_none()).count();
        wait_until("an answer to each request", || cut(&field) == 0).await;
        let passes = field.sim.stats().total(Route::Alerts);
        let failed: Vec<_> = daemon.lines().into_iter().filter(is_failure).collect();
        assert!(failed.is_empty(), "{failed:?}");
        field.healed(daemon).await;
        row.held(
            (good + bad) as u64,
            format!("reloads, {bad} of them rejected; {passes} requests, none cut off, no pass failed"),
        );
    });
}

/// The tenants that are polled.
fn active(field: &Field) -> BTreeSet<String> {
    let rows = field.house.query("SELECT tenant_id FROM tenants WHERE state <> 'disabled'");
    rows.into_iter().map(|mut row| row.pop().expect("an id")).collect()
}
