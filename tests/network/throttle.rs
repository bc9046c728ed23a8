//! N8: "too many requests", in every form that says when to come back, or does not.

use std::time::Duration;

use alertferry_simulator::{Fault, FaultRule, RequestRecord, RetryAfter, Route, Ticks};

use crate::field::Field;
use crate::rig::campaign::{Row, times};
use crate::rig::guid;
use crate::support::{Daemon, on_threads};

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

/// Each throttled tenant's calls to the service that throttles lie far enough apart; how many there were.
fn assert_never_early(field: &Field) -> usize {
    let mut calls = 0;
    for n in 1..=20 {
        let (told, least) = throttled(n);
        let route = if n <= 10 { Route::Alerts } else { Route::Login };
        let refused = |request: &RequestRecord| request.status == Some(429);
        let log = field.sim.stats().log_of(&guid(n), route);
        for pair in log.windows(2).filter(|pair| refused(&pair[0])) {
            let apart = Duration::from_nanos(100)
                * u32::try_from(pair[1].at.unix_ticks() - pair[0].at.unix_ticks()).expect("ascending and near");
            assert!(apart >= least, "tenant {n}, told {told:?}: called again after {apart:?}");
        }
        assert!(log.iter().any(refused), "tenant {n} was not throttled");
        calls += log.len();
    }
    calls
}

/// What is stored as the time of the next try is not before the time that was told.
fn assert_remembered(field: &Field) {
    for n in (1..=20).filter(|n| throttled(*n).1 >= Duration::from_secs(60)) {
        let route = if n <= 10 { Route::Alerts } else { Route::Login };
        let refused = field.sim.stats().log_of(&guid(n), route).pop().expect("a call").at;
        let next = Ticks::parse(&field.of(&guid(n), "next_attempt_at")).expect("a time");
        assert!(next >= refused + throttled(n).1, "tenant {n}: {next} after {refused}, told {:?}", throttled(n));
        assert_eq!(field.of(&guid(n), "state"), "throttled", "tenant {n}");
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

#[test]
#[ignore = "its clock wants a quiet machine: part of the campaign"]
fn n8_whoever_is_told_to_wait_waits_whatever_the_form_and_over_a_restart() {
    on_threads(async {
        let row = Row::begin("N8");
        let rounds = times(1, 8);
        let mut field = Field::new(&row, *WELL.end(), 10, |_| {}).await;
        for n in 1..=20 {
            let rule = FaultRule::new(Fault::Throttle { retry_after: throttled(n).0 }).tenant(&guid(n));
            field.sim.faults().add(rule.on(if n <= 10 { Route::Alerts } else { Route::Login }));
        }
        let mut daemon = field.house.start();
        crate::support::wait_until("the first calls", || {
            field.house.store_is_there() && (1..=20).all(|n| field.of(&guid(n), "state") == "throttled")
        })
        .await;
        for _ in 0..rounds {
            field.live(6);
            flow(&field, &daemon, 5).await;
            assert_remembered(&field);
            daemon.kill();
            daemon = field.house.start();
            flow(&field, &daemon, 5).await;
            daemon.stop().await;
            daemon = field.house.start();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let calls = assert_never_early(&field);
        assert_remembered(&field);
        // An hour later, as the stored times have it.
        daemon.stop().await;
        field.sim.faults().clear();
        field.time_passes();
        let daemon = field.house.start();
        field.healed(daemon).await;
        row.held(
            rounds,
            format!(
                "{} forms at two services, {} restarts, {calls} calls of throttled tenants",
                FORMS.len(),
                2 * rounds
            ),
        );
    });
}
