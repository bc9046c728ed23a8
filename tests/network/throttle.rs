//! N8: "too many requests", in every form that says when to come back, or does not.

use std::collections::BTreeSet;
use std::time::Duration;

use alertferry_simulator::{Fault, FaultRule, RequestRecord, RetryAfter, Route, Ticks};

use crate::field::Field;
use crate::rig::campaign::{Row, times};
use crate::rig::guid;
use crate::support::{Config, Daemon, on_threads, wait_until};

/// What is told, and the least time that nobody may call before. What says nothing means a minute; whoever asks for longer
/// than six hours (the API) or one (the login service) is asked again then.
const FORMS: [(RetryAfter, u64); 10] = [
    (RetryAfter::Seconds(4), 4),
    (RetryAfter::HttpDate(5), 5),
    (RetryAfter::Absent, 60),
    (RetryAfter::Seconds(0), 1),
    (RetryAfter::Seconds(3_600), 3_600),
    (RetryAfter::HttpDate(3_600), 3_600),
    (RetryAfter::Raw("soon, perhaps"), 60),
    (RetryAfter::Raw("-5"), 60),
    (RetryAfter::Raw("18446744073709551616000"), 3_600),
    (RetryAfter::Raw("4.5"), 60),
];
/// Tenants that nobody throttles.
const WELL: std::ops::RangeInclusive<u64> = 21..=23;

fn throttled(n: u64) -> (RetryAfter, Duration) {
    let (told, least) = FORMS[usize::try_from((n - 1) % 10).expect("small")];
    (told, Duration::from_secs(least))
}

/// Where the tenant is throttled.
fn route(n: u64) -> Route {
    if n <= 10 { Route::Alerts } else { Route::Login }
}

/// The calls whose answers a daemon that has ended never came to store, by tenant: it cannot know what it was told.
fn lost(field: &Field) -> BTreeSet<(u64, Ticks)> {
    let last = |n: u64| {
        let stored = Ticks::parse(&field.of(&guid(n), "last_attempt_at")).expect("a time");
        let call = field.sim.stats().log_of(&guid(n), route(n)).pop().expect("a call").at;
        (call > stored).then_some((n, call))
    };
    (1..=20).filter_map(last).collect()
}

/// Each throttled tenant's calls to the service that throttles lie far enough apart; how many there were.
fn assert_never_early(field: &Field, lost: &BTreeSet<(u64, Ticks)>) -> usize {
    let mut calls = 0;
    for n in 1..=20 {
        let (told, least) = throttled(n);
        let refused = |request: &RequestRecord| request.status == Some(429);
        let log = field.sim.stats().log_of(&guid(n), route(n));
        for pair in log.windows(2).filter(|pair| refused(&pair[0]) && !lost.contains(&(n, pair[0].at))) {
            let apart = Duration::from_nanos(100)
                * u32::try_from(pair[1].at.unix_ticks() - pair[0].at.unix_ticks()).expect("ascending and near");
            assert!(apart >= least, "tenant {n}, told {told:?}: called again after {apart:?}");
        }
        assert!(log.iter().any(refused), "tenant {n} was not throttled");
        calls += log.len();
    }
    calls
}

/// What is stored as the time of the next try is not before the time that was told; a call under way may take its time.
async fn wait_until_remembered(field: &Field) {
    for n in (1..=20).filter(|n| throttled(*n).1 >= Duration::from_secs(60)) {
        wait_until(&format!("tenant {n} to keep what it was told, {:?}", throttled(n)), || {
            let refused = field.sim.stats().log_of(&guid(n), route(n)).pop().expect("a call").at;
            let next = Ticks::parse(&field.of(&guid(n), "next_attempt_at")).expect("a time");
            next >= refused + throttled(n).1 && field.of(&guid(n), "state") == "throttled"
        })
        .await;
    }
}

/// Those who are well are read for a while, and whoever is throttled is left alone although polls are asked for.
async fn flow(field: &Field, daemon: &Daemon, polls: u64) {
    let count = |n| field.sim.stats().requests(&guid(n), Route::Alerts);
    let before: Vec<u64> = WELL.map(count).collect();
    field
        .wait_asking(daemon, &["USR1"], "polls of the others", || {
            WELL.map(count).zip(&before).all(|(now, before)| now >= before + polls)
        })
        .await;
}

/// A timer that runs `sync` again and again is no way around what the service asked for.
#[test]
fn n8_sync_keeps_what_an_earlier_run_was_told() {
    on_threads(async {
        let row = Row::begin("N8");
        let field = Field::new(&row, 2, 10, |_| {}).await;
        let calls = |n| field.sim.stats().requests(&guid(n), Route::Any);
        // For longer than `sync` has patience, and for less.
        let told = |n, seconds| {
            let retry_after = RetryAfter::Seconds(seconds);
            field.sim.faults().add(FaultRule::new(Fault::Throttle { retry_after }).tenant(&guid(n)).once());
        };
        told(1, 3_600);
        assert_eq!(field.house.run(&["sync"]).code, Some(75));
        assert_eq!(
            (field.of(&guid(1), "state"), field.of(&guid(2), "state")),
            ("throttled".to_owned(), "ok".to_owned())
        );
        let before = (calls(1), calls(2));
        let again = field.house.run(&["sync"]);
        assert!(again.code == Some(75) && again.stdout.contains("not to be asked before"), "{again:?}");
        assert_eq!(calls(1), before.0, "called before the time");
        assert!(calls(2) > before.1, "the other was read");
        // What is left of a short wait is waited for.
        let conn = rusqlite::Connection::open(field.house.store()).expect("a store");
        let soon = "UPDATE tenant SET next_attempt_at = strftime('%Y-%m-%dT%H:%M:%f0000Z', 'now', '+2 seconds')
                    WHERE tenant_id = ?1 RETURNING next_attempt_at";
        let until: String = conn.query_row(soon, [guid(1)], |row| row.get(0)).expect("changed");
        drop(conn);
        assert_eq!(field.house.run(&["sync"]).code, Some(0));
        let log = field.sim.stats().log_of(&guid(1), Route::Any);
        let since = log.get(usize::try_from(before.0).expect("small")).map(|call| call.at);
        assert!(since >= Ticks::parse(&until), "called at {since:?}, before {until}");
        field.house.assert_equals_truth(&field.sim, &[guid(1), guid(2)]);
        row.held(1, "a wait of an hour and one of seconds");
    });
}

#[test]
fn n8_whoever_is_told_to_wait_waits_whatever_the_form_and_over_a_restart() {
    on_threads(async {
        let row = Row::begin("N8");
        let rounds = times(1, 8);
        // A busy machine may take its time to answer; who gave up by then would not know what he was told.
        let patient = |config: &mut Config| config.poll = "request_timeout = \"60s\"".to_owned();
        let mut field = Field::new(&row, *WELL.end(), 10, patient).await;
        for n in 1..=20 {
            let rule = FaultRule::new(Fault::Throttle { retry_after: throttled(n).0 }).tenant(&guid(n));
            field.sim.faults().add(rule.on(route(n)));
        }
        let mut daemon = field.house.start();
        wait_until("the first calls", || {
            field.house.store_is_there() && (1..=20).all(|n| field.of(&guid(n), "state") == "throttled")
        })
        .await;
        let mut unknown = BTreeSet::new();
        for _ in 0..rounds {
            field.live(6);
            flow(&field, &daemon, 5).await;
            wait_until_remembered(&field).await;
            daemon.kill();
            unknown.append(&mut lost(&field));
            daemon = field.house.start();
            flow(&field, &daemon, 5).await;
            daemon.stop().await;
            unknown.append(&mut lost(&field));
            daemon = field.house.start();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let calls = assert_never_early(&field, &unknown);
        wait_until_remembered(&field).await;
        // An hour later, as the stored times have it.
        daemon.stop().await;
        field.sim.faults().clear();
        field.house.time_passes();
        let daemon = field.house.start();
        field.healed(daemon).await;
        row.held(
            rounds,
            format!(
                "{} forms at two services, {} restarts, {calls} calls of throttled tenants, {} answers lost in an end",
                FORMS.len(),
                2 * rounds,
                unknown.len()
            ),
        );
    });
}
