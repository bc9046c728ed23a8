//! Owns the promise that looking at a tenant in which nothing happens costs one request and writes no alert.

mod support;

use std::sync::Arc;
use std::time::Duration;

use alertferry::clock::{Clock, ManualClock};
use alertferry::pass::Options;
use alertferry_simulator::{Route, Simulator, Template};
use support::{Rig, assert_equals_truth, guid, query_all, tenant};

/// A poll every five minutes, for a day.
const POLLS: usize = 288;
const BETWEEN: Duration = Duration::from_secs(300);
const ALERTS: usize = 40;

#[tokio::test]
async fn a_day_of_polls_of_a_quiet_tenant_writes_no_alert_and_asks_once_each() {
    for n in 1..=3 {
        let (sim, id) = filled(n).await;
        let clock = ManualClock::at(support::ticks(support::START));
        let dir = Arc::new(tempfile::tempdir().expect("a directory"));
        let rig = Rig::in_dir(dir, Options::default(), vec![support::app()], Clock::Manual(clock.clone()));
        let customer = tenant(&sim, &id);
        rig.enrol(std::slice::from_ref(&customer)).await;
        assert_eq!(rig.pass_until_read(&customer).await.counts.created, ALERTS as u64);
        let (rows, passes) = (alert_rows(&rig), pass_rows(&rig));
        let mut extra = Vec::new();
        let mut covered = covered_until(&rig);
        for poll in 0..POLLS {
            sim.world().with(|world| world.advance(BETWEEN));
            clock.advance(BETWEEN);
            let asked = sim.stats().requests(&id, Route::Alerts);
            let record = rig.pass(&customer).await;
            let requests = sim.stats().requests(&id, Route::Alerts) - asked;
            assert_eq!(u64::from(record.requests), requests, "poll {poll}: what is told against what was sent");
            let counts = record.counts;
            assert_eq!((counts.created, counts.updated, counts.quarantined), (0, 0, 0), "poll {poll}");
            assert_eq!(record.outcome, "read", "poll {poll}");
            assert_eq!(alert_rows(&rig), rows, "poll {poll} touched alerts or their changes");
            if requests > 1 {
                extra.push((poll, requests, rig.query::<String>("SELECT last_sweep_at FROM tenant")));
            }
            let now = covered_until(&rig);
            assert!(now > covered, "poll {poll}: {covered} was covered, and now {now}");
            covered = now;
        }
        // In a day one poll, at the tenant's own time of day, takes the second look at the last seven days.
        assert_eq!(extra.len(), 1, "{extra:?}");
        assert_eq!(extra[0].1, 2, "its own request and one for the second look");
        // That poll alone opened and closed a gap, and so has a row of its own.
        assert_eq!(pass_rows(&rig), passes + 1);
        assert_eq!(sim.stats().requests(&id, Route::Alert), 0);
        assert_equals_truth(&rig.path, &sim, &id);
    }
}

#[tokio::test]
async fn without_the_daily_second_look_every_poll_is_one_request() {
    let (sim, id) = filled(9).await;
    let clock = ManualClock::at(support::ticks(support::START));
    let dir = Arc::new(tempfile::tempdir().expect("a directory"));
    let options = Options { sweep: Duration::ZERO, ..Options::default() };
    let rig = Rig::in_dir(dir, options, vec![support::app()], Clock::Manual(clock.clone()));
    let customer = tenant(&sim, &id);
    rig.enrol(std::slice::from_ref(&customer)).await;
    rig.pass_until_read(&customer).await;
    let (asked, passes) = (sim.stats().requests(&id, Route::Alerts), pass_rows(&rig));
    for _ in 0..POLLS {
        sim.world().with(|world| world.advance(BETWEEN));
        clock.advance(BETWEEN);
        rig.pass(&customer).await;
    }
    assert_eq!(sim.stats().requests(&id, Route::Alerts) - asked, POLLS as u64);
    assert_eq!(pass_rows(&rig), passes, "an uneventful pass has no row");
    // Tokens last about an hour, so a day takes some two dozen.
    let logins = sim.stats().requests(&id, Route::Login);
    assert!((15..=36).contains(&logins), "{logins} logins in a day");
}

/// A tenant whose newest alerts lie within the hour that each poll looks back at first.
async fn filled(n: u64) -> (Simulator, String) {
    let id = guid(n);
    let mut world = support::world();
    let from = world.now() - Duration::from_secs(ALERTS as u64 / 2 * 3_600);
    let template = Template {
        evidence: 1,
        bytes: 1_200,
        from: Some(from),
        step: Duration::from_secs(3_600),
        tie_group: 2,
        ..Template::default()
    };
    world.add_tenant(&id);
    world.fill(&id, ALERTS, &template);
    (Simulator::start(world).await.expect("a simulator"), id)
}

/// Everything that is stored of alerts and their changes.
fn alert_rows(rig: &Rig) -> Vec<Vec<String>> {
    let mut all = query_all(&rig.path, "SELECT *, rowid FROM alert ORDER BY alert_key");
    all.extend(query_all(&rig.path, "SELECT * FROM alert_change ORDER BY seq"));
    all.extend(query_all(&rig.path, "SELECT name, seq FROM sqlite_sequence WHERE name = 'alert_change'"));
    all.extend(query_all(&rig.path, "SELECT alert_count FROM tenant"));
    all
}

fn pass_rows(rig: &Rig) -> i64 {
    rig.query("SELECT count(*) FROM pass")
}

fn covered_until(rig: &Rig) -> String {
    rig.query("SELECT covered_until FROM tenants")
}
