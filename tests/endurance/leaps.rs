//! T1: the machine's clock jumps, is set right, repeats a second, or wakes after a long sleep. Windows are computed from the
//! service's clock alone, so nothing of it may be seen but a poll that comes a little earlier or later.

use std::time::{Duration, Instant};

use alertferry_simulator::{Fault, FaultRule, NewAlert, RetryAfter, Route, Ticks};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::clock::ShiftedClock;
use crate::field::{Field, is_failure};
use crate::rig::campaign::{Row, is_large, times};
use crate::rig::guid;
use crate::support::{Daemon, on_threads, wait_until};

const HOUR: i64 = 3_600;
const YEAR: i64 = 365 * 24 * HOUR;
const TENANTS: u64 = 3;
/// A zone whose clocks are set an hour on and back, as the system's library reads it.
const ZONE: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

/// What happens to a clock.
#[derive(Debug, Clone, Copy)]
enum Leap {
    /// It is set so many seconds on.
    Jump(i64),
    /// It is set to two seconds before summer time begins, or ends, in [`ZONE`].
    Change(i64),
    /// A second is repeated.
    Repeat,
    /// The machine sleeps for so long, and life goes on meanwhile.
    Sleep(i64),
    /// It is set right.
    Right,
}

/// All of them; whatever is set back costs seconds, in which the scheduler is found silent and replaced.
const LEAPS: [Leap; 9] = [
    Leap::Jump(-HOUR),
    Leap::Jump(HOUR),
    Leap::Jump(-YEAR),
    Leap::Jump(YEAR),
    // 2027-03-28 and 2027-10-31, at one o'clock in UTC.
    Leap::Change(1_806_195_600),
    Leap::Change(1_824_944_400),
    Leap::Repeat,
    Leap::Sleep(8 * HOUR),
    Leap::Right,
];

fn leap(field: &mut Field, clock: &mut ShiftedClock, daemon: &Daemon, leap: Leap) {
    match leap {
        Leap::Jump(seconds) => clock.jump(seconds),
        Leap::Change(at) => clock.set(at - 2),
        Leap::Repeat => clock.jump(-1),
        Leap::Right => clock.set_right(field.sim.world().with(|world| world.now())),
        Leap::Sleep(seconds) => {
            daemon.signal("STOP");
            clock.sleep(seconds);
            field.sim.world().with(|world| world.advance(Duration::from_secs(seconds.unsigned_abs())));
            field.live(6);
            daemon.signal("CONT");
        }
    }
}

/// A new alert of each tenant, and each tenant polled after it, by the daemon itself.
async fn polled(field: &Field, rng: &mut StdRng, what: &str) {
    let news = field.sim.world().with(|world| {
        (1..=TENANTS)
            .map(|n| world.new_alert(&guid(n), rng, &NewAlert::default()).expect("an alert"))
            .collect::<Vec<_>>()
    });
    let listed = news.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(",");
    let stored = format!("SELECT count(*) FROM alerts WHERE alert_id IN ({listed})");
    wait_until(what, || field.house.number(&stored) == i64::try_from(news.len()).expect("few")).await;
}

/// What is covered is told by the service's clock and by no other.
fn assert_covered_by_the_services_clock(field: &Field, what: &str) {
    let now = field.sim.world().with(|world| world.now());
    for n in 1..=TENANTS {
        let covered = Ticks::parse(&field.of(&guid(n), "covered_until")).expect("a time");
        assert!(covered <= now, "{what}: covered until {covered}, and it is {now}");
    }
}

#[test]
fn t1_a_clock_that_jumps_costs_no_poll_no_alert_and_no_storm() {
    on_threads(async {
        let row = Row::begin("T1");
        // No seed of the world's own: two that draw the same numbers make two alerts with one id.
        let mut rng = StdRng::seed_from_u64(!row.seed);
        let mut field = Field::new(&row, TENANTS, 20, |_| {}).await;
        let (mut clock, mut command) = ShiftedClock::of(&field.house);
        command.env("TZ", ZONE);
        // The first contact comes under a clock that is a year behind: a machine without a battery.
        clock.jump(-YEAR);
        let daemon = field.house.start_by(command);
        field.house.wait_until_read_once().await;
        let begun = Instant::now();
        let rounds = times(1, 12);
        let (mut leaps, mut longest) = (0, Duration::ZERO);
        for _ in 0..rounds {
            let mut order = LEAPS;
            if is_large() {
                order.shuffle(&mut rng);
            }
            for each in order {
                field.live(3);
                let since = Instant::now();
                leap(&mut field, &mut clock, &daemon, each);
                polled(&field, &mut rng, &format!("a poll after {each:?}")).await;
                longest = longest.max(since.elapsed());
                assert_covered_by_the_services_clock(&field, &format!("{each:?}"));
                leaps += 1;
            }
        }
        let seconds = begun.elapsed().as_secs();
        let asked = field.sim.stats().total(Route::Alerts);
        let signed_in = field.sim.stats().total(Route::Login);
        // One poll a second, a few at once where a clock was set back, and what the first contact took.
        assert!(asked <= TENANTS * (seconds + 4 * leaps + 30), "a hot loop: {asked} requests in {seconds} s");
        assert!(signed_in <= TENANTS * (leaps + 1), "a hot loop of {signed_in} sign-ins after {leaps} leaps");
        // A machine that sleeps after its clock was set back knows of the sleep by the time since its start alone, which the
        // program does not ask the C library for; whoever is refused then renews the token once.
        let unseen = if is_large() { TENANTS * rounds } else { 0 };
        let refused = field.sim.stats().total_status(Route::Alerts, 401);
        assert!(refused <= unseen, "{refused} times a token was used after its end");
        assert!(!daemon.lines().iter().any(is_failure), "a pass failed");
        let lines = daemon.lines().iter().filter(|line| line["seq"].is_null()).count() as u64;
        assert!(lines <= 2 * asked + 20 * leaps, "{lines} lines");
        daemon.stop().await;
        // A daemon by the right clock goes on from what was stamped by wrong ones.
        let daemon = field.house.start();
        let ahead = "SELECT count(*) FROM tenants WHERE last_success_at > strftime('%Y-%m-%dT%H:%M:%f', 'now')";
        wait_until("polls by the right clock", || field.house.number(ahead) == 0).await;
        field.healed(daemon).await;
        row.held(
            leaps,
            format!(
                "{asked} requests in {seconds} s, {signed_in} sign-ins, {lines} lines, next poll within {longest:.1?}"
            ),
        );
    });
}

#[test]
fn t1_a_wait_that_a_service_asked_for_is_kept_whatever_the_clock_does() {
    on_threads(async {
        let row = Row::begin("T1");
        let rounds = times(1, 9);
        let wait = Duration::from_secs(6);
        let mut field = Field::new(&row, TENANTS, 10, |_| {}).await;
        let retry_after = RetryAfter::Seconds(wait.as_secs());
        for (n, route) in [(1, Route::Alerts), (2, Route::Login)] {
            field.sim.faults().add(FaultRule::new(Fault::Throttle { retry_after }).tenant(&guid(n)).on(route));
        }
        let (mut clock, command) = ShiftedClock::of(&field.house);
        let daemon = field.house.start_by(command);
        let throttled = "SELECT count(*) FROM tenants WHERE state = 'throttled'";
        wait_until("both told to wait", || field.house.store_is_there() && field.house.number(throttled) == 2).await;
        for _ in 0..rounds {
            for seconds in [-HOUR, HOUR] {
                clock.jump(seconds);
                let polls = field.sim.stats().requests(&guid(3), Route::Alerts);
                field.live(2);
                wait_until("polls of the neighbour", || {
                    field.sim.stats().requests(&guid(3), Route::Alerts) > polls + 1
                })
                .await;
            }
        }
        let mut calls = 0;
        for (n, route) in [(1, Route::Alerts), (2, Route::Login)] {
            let log = field.sim.stats().log_of(&guid(n), route);
            for pair in log.windows(2).filter(|pair| pair[0].status == Some(429)) {
                assert!(
                    pair[1].at >= pair[0].at + wait,
                    "tenant {n} was told {wait:?}: {} and {}",
                    pair[0].at,
                    pair[1].at
                );
            }
            let failures = field.failures(&guid(n));
            assert!(failures <= usize::try_from(rounds).expect("few") * 12, "tenant {n} was tried {failures} times");
            calls += log.len();
        }
        assert!(calls >= 2, "both were called");
        field.healed(daemon).await;
        row.held(2 * rounds, format!("leaps during waits of {wait:?}; {calls} calls of two that were told to wait"));
    });
}
