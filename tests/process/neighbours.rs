//! A tenant that hangs, is throttled, has no consent or a refused app costs its neighbours nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use alertferry_simulator::{Fault, FaultRule, RequestRecord, RetryAfter, Route, Simulator};

use crate::rig::guid;
use crate::support::{Config, House, on_threads, simulator, wait_until};

const HEALTHY: std::ops::RangeInclusive<u64> = 1..=30;
const HANGING: u64 = 31;
const THROTTLED: u64 = 32;
const UNCONSENTED: u64 = 33;
/// Tenants of an app whose secret is wrong.
const REFUSED: std::ops::RangeInclusive<u64> = 34..=41;
/// How long each of the two runs that are compared lasts.
const RUN: Duration = Duration::from_secs(20);

/// How the healthy tenants fared: polls in all, and the longest time between two polls of one of them.
#[derive(Debug)]
struct Fared {
    polls: usize,
    longest_gap: Duration,
}

/// Lets a daemon that has started run on, and looks at the polls of the healthy tenants meanwhile.
async fn fare(sim: &Simulator) -> Fared {
    let begun = sim.world().with(|world| world.now());
    tokio::time::sleep(RUN).await;
    let mut times: BTreeMap<String, Vec<_>> = HEALTHY.map(|n| (guid(n), Vec::new())).collect();
    let polls = |request: &RequestRecord| request.route == Route::Alerts && request.at >= begun;
    for request in sim.stats().log().into_iter().filter(polls) {
        if let Some(times) = times.get_mut(&request.tenant) {
            times.push(request.at);
        }
    }
    let between = |pair: &[alertferry_simulator::Ticks]| {
        Duration::from_nanos(u64::try_from(pair[1].unix_ticks() - pair[0].unix_ticks()).expect("ascending") * 100)
    };
    let longest_gap = times.values().flat_map(|times| times.windows(2).map(between)).max();
    Fared { polls: times.values().map(Vec::len).sum(), longest_gap: longest_gap.expect("polls") }
}

fn trouble(sim: &Simulator) {
    sim.faults().add(FaultRule::new(Fault::Hang).tenant(&guid(HANGING)));
    let retry_after = RetryAfter::Seconds(3_600);
    sim.faults().add(FaultRule::new(Fault::Throttle { retry_after }).tenant(&guid(THROTTLED)));
    sim.world().with(|world| world.set_state(&guid(UNCONSENTED), |state| state.consented = false));
}

#[test]
fn trouble_of_some_is_not_felt_by_others() {
    on_threads(async {
        let sim = simulator(*REFUSED.end(), 10).await;
        let mut config = Config::of(&sim);
        config.schedule = "*/2 * * * * *";
        config.poll = "request_timeout = \"4s\"".to_owned();
        config.apps.push(("second", "{ file = \"wrong\" }".to_owned()));
        for customer in config.customers.iter_mut().filter(|customer| REFUSED.map(guid).any(|id| id == customer.id)) {
            customer.app = "second";
        }
        let healthy = |customer: &crate::support::Customer| HEALTHY.map(guid).any(|id| id == customer.id);
        let mut alone = config.clone();
        alone.customers.retain(healthy);

        let house = House::with(&alone);
        let daemon = house.start();
        house.wait_until_read().await;
        let undisturbed = fare(&sim).await;
        daemon.stop().await;

        trouble(&sim);
        sim.stats().reset();
        let house = House::with(&config);
        house.write_private("wrong", "not the secret");
        let daemon = house.start();
        let read = format!("SELECT count(*) FROM tenants WHERE state = 'ok' AND tenant_id <= '{}'", guid(30));
        wait_until("the healthy tenants", || house.store_is_there() && house.number(&read) == 30).await;
        let disturbed = fare(&sim).await;
        println!("undisturbed {undisturbed:?}, disturbed {disturbed:?}");
        assert!(disturbed.polls * 10 >= undisturbed.polls * 8, "{undisturbed:?} {disturbed:?}");
        assert!(disturbed.longest_gap <= undisturbed.longest_gap * 2 + Duration::from_secs(1), "{disturbed:?}");

        assert_told(&house);
        assert_no_storm(&sim);
        let wait = house.query(&format!("SELECT next_attempt_at FROM tenants WHERE tenant_id = '{}'", guid(THROTTLED)));
        daemon.stop().await;
        assert_throttle_survives(&sim, &house, &wait).await;
    });
}

/// Each failing tenant has a state, a reason and a remedy, where waiting is not all that helps.
fn assert_told(house: &House) {
    let expected = [(HANGING, "unreachable", "no answer within the time limit", "")]
        .into_iter()
        .chain([(THROTTLED, "throttled", "429", ""), (UNCONSENTED, "unauthorized", "AADSTS700016", "adminconsent")])
        .chain(REFUSED.map(|n| (n, "unauthorized", "AADSTS7000215", "new client secret")));
    for (n, state, reason, remedy) in expected {
        let standing = house.standing(&guid(n));
        let degraded = n == HANGING && standing[0] == "degraded";
        assert!(standing[0] == state || degraded, "{n}: {standing:?}");
        assert!(standing[1].contains(reason) && standing[2].contains(remedy), "{n}: {standing:?}");
    }
    let lines = house.all_lines();
    for event in ["app.refused", "token.failed", "tenant.state_changed"] {
        assert!(lines.iter().any(|line| line["event"] == event), "no {event}");
    }
    assert_eq!(lines.iter().filter(|line| line["event"] == "app.refused").count(), 1, "said once");
}

/// Those who cannot sign in did so a handful of times, and whoever was told to wait waited.
fn assert_no_storm(sim: &Simulator) {
    let logins = |n: u64| sim.stats().requests(&guid(n), Route::Login);
    let refused: u64 = REFUSED.map(logins).sum();
    let unconsented = logins(UNCONSENTED);
    println!("sign-ins: {refused} for {} tenants of a refused app, {unconsented} without consent", REFUSED.count());
    assert!((1..=8).contains(&refused), "a storm: {refused}");
    // Once more when the app turned out to be accepted.
    assert!((1..=2).contains(&unconsented), "a storm: {unconsented}");
    assert_eq!(sim.stats().requests(&guid(THROTTLED), Route::Alerts), 1);
}

/// The throttled tenant is left alone until its time, by the next process too.
async fn assert_throttle_survives(sim: &Simulator, house: &House, wait: &[Vec<String>]) {
    sim.stats().reset();
    let daemon = house.start();
    wait_until("polls of the others", || HEALTHY.clone().all(|n| sim.stats().requests(&guid(n), Route::Alerts) > 3))
        .await;
    assert_eq!(sim.stats().requests(&guid(THROTTLED), Route::Alerts), 0, "called before its time after a restart");
    daemon.signal("USR1");
    daemon.signal("HUP");
    let polls = sim.stats().requests(&guid(1), Route::Alerts);
    wait_until("further polls", || sim.stats().requests(&guid(1), Route::Alerts) > polls + 3).await;
    assert_eq!(sim.stats().requests(&guid(THROTTLED), Route::Alerts), 0, "called before its time by a signal");
    let now = house.query(&format!("SELECT next_attempt_at FROM tenants WHERE tenant_id = '{}'", guid(THROTTLED)));
    assert_eq!(now, wait, "the wait was changed");
    daemon.stop().await;
}
