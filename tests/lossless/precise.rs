//! A service that compares the unrounded time: the row on which an answer ends is asked for again, and so are those
//! that share its time.

use std::sync::Arc;
use std::time::Duration;

use alertferry::clock::{Clock, ManualClock};
use alertferry::pass::Options;
use alertferry_simulator::{NewAlert, Simulator, World};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::support::{self, Rig, assert_equals_truth, guid};

/// Fifty alerts of their own times, then twenty that share one whose printed form is later than the time itself.
fn fill(world: &mut World) {
    let mut rng = StdRng::seed_from_u64(1);
    let mut add = |world: &mut World| drop(world.new_alert(&guid(1), &mut rng, &NewAlert::default()).expect("added"));
    for _ in 0..50 {
        world.advance(Duration::from_secs(1));
        add(world);
    }
    world.set_now(alertferry_simulator::Ticks::parse("2026-11-20T12:30:00.6666667Z").expect("a time"));
    for _ in 0..20 {
        add(world);
    }
}

#[tokio::test]
async fn an_answer_that_ends_among_alerts_of_one_time_loses_none_of_them() {
    for page_size in [51, 55, 69] {
        for history in [true, false] {
            let mut world = support::world();
            world.options.stored_precision = true;
            world.add_tenant(&guid(1));
            if history {
                fill(&mut world);
            }
            let sim = Simulator::start(world).await.expect("a simulator");
            let clock = ManualClock::at(support::ticks(support::START));
            let options = Options { page_size, sweep: Duration::ZERO, ..Options::default() };
            let dir = Arc::new(tempfile::tempdir().expect("a directory"));
            let rig = Rig::in_dir(dir, options, vec![support::app()], Clock::Manual(clock.clone()));
            let tenant = support::tenant(&sim, &guid(1));
            rig.enrol(std::slice::from_ref(&tenant)).await;
            if !history {
                rig.pass(&tenant).await;
                sim.world().with(fill);
            }
            // Further on than any poll looks back.
            let outage = Duration::from_secs(4 * 3_600);
            sim.world().with(|world| world.advance(outage));
            clock.advance(outage);
            rig.pass_until_read(&tenant).await;
            assert_equals_truth(&rig.path, &sim, &guid(1));
        }
    }
}
