//! N15: tenants of which there is nothing to read, nothing new for a month, or so much that it is interrupted.

use std::time::Duration;

use alertferry_simulator::{Route, Simulator, Template};

use crate::field::Field;
use crate::rig::campaign::{Row, times};
use crate::rig::guid;
use crate::support::{on_threads, real_time_world, wait_until};

const MONTH: Duration = Duration::from_secs(30 * 86_400);

#[test]
fn n15_what_is_covered_moves_on_where_nothing_happens() {
    on_threads(async {
        let row = Row::begin("N15");
        let polls = times(4, 60);
        let mut world = real_time_world();
        world.add_tenant(&guid(1));
        world.add_tenant(&guid(2));
        // The last alert of the second tenant is more than a month old.
        let from = Some(world.now() - MONTH - Duration::from_secs(3_600));
        world.fill(&guid(2), 50, &Template { from, evidence: 1, bytes: 1_200, seed: row.seed, ..Template::default() });
        let field = Field::around(&row, Simulator::start(world).await.expect("a simulator"), |_| {});
        let daemon = field.house.start();
        field.house.wait_until_read().await;
        for tenant in [guid(1), guid(2)] {
            let calls = field.sim.stats().requests(&tenant, Route::Alerts);
            for _ in 0..polls {
                let before = field.of(&tenant, "covered_until");
                wait_until("what is covered to move", || field.of(&tenant, "covered_until") > before).await;
            }
            assert!(field.sim.stats().requests(&tenant, Route::Alerts) >= calls + polls, "one call a poll");
            assert_eq!(field.failures(&tenant), 0);
        }
        assert_eq!(field.house.number(&format!("SELECT count(*) FROM alerts WHERE tenant_id = '{}'", guid(1))), 0);
        field.healed(daemon).await;
        row.held(polls, "polls of an empty tenant, and of one without news for 30 days");
    });
}

#[test]
fn n15_a_first_backfill_that_is_interrupted_goes_on_where_it_stood() {
    on_threads(async {
        let row = Row::begin("N15");
        let (alerts, kills) = (times(3_000, 10_000), times(2, 8));
        let count = usize::try_from(alerts).expect("small");
        let field = Field::new(&row, 1, count, |config| config.poll = "page_size = 300".to_owned()).await;
        let stored =
            || if field.house.store_is_there() { field.house.number("SELECT count(*) FROM alerts") } else { 0 };
        let mut daemon = field.house.start();
        for kill in 1..=kills {
            let goal = i64::try_from(alerts * kill / (kills + 2)).expect("small");
            wait_until("a part of the history", || stored() >= goal).await;
            daemon.kill();
            assert!(field.house.number("SELECT count(*) FROM gaps") > 0, "it was not interrupted");
            daemon = field.house.start();
        }
        let rows = |field: &Field| field.sim.stats().counts(&guid(1), Route::Alerts).rows;
        let field = field.healed(daemon).await;
        let served = rows(&field);
        // What a kill can cost: the page under way, and the hour that each start looks back.
        assert!(served <= alerts + (kills + 2) * 600 + 100, "{served} rows for {alerts} alerts: it began anew");
        row.held(kills, format!("kills; {served} rows were read for {alerts} alerts"));
    });
}
