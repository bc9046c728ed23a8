//! SIGTERM ends the daemon well and in time, whatever it is doing, and nothing is lost by it.

use std::time::{Duration, Instant};

use alertferry_simulator::{Cut, Fault, FaultRule, RetryAfter, Route, Simulator, Template};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::rig::campaign::{Row, times};
use crate::rig::guid;
use crate::support::{Config, Daemon, House, PROMISED_STOP, SELDOM, on_threads, settle, simulator, told, wait_until};

/// Brings a daemon into a phase, stops it there, heals the world, and asserts that the next start reads everything.
async fn stop_in(
    sim: Simulator,
    poll: &str,
    fault: Option<FaultRule>,
    phase: impl AsyncFn(&Simulator, &House, &Daemon),
) {
    let row = Row::begin("P1");
    let tenants = sim.world().with(|world| world.tenant_ids());
    let mut config = Config::of(&sim);
    config.poll = poll.to_owned();
    let house = House::with(&config);
    if let Some(fault) = fault {
        sim.faults().add(fault);
    }
    let daemon = house.start();
    phase(&sim, &house, &daemon).await;
    let took = daemon.stop().await;
    sim.faults().clear();
    sim.world().with(|world| world.clock.set_speed(0.0));
    let daemon = house.start();
    house.wait_until_read().await;
    daemon.stop().await;
    house.assert_equals_truth(&sim, &tenants);
    assert!(told(&house.all_lines()).is_superset(&house.changes()), "changes without a line");
    row.held(1, format!("stopped in {took:.1?}"));
}

async fn asked(sim: &Simulator, route: Route, times: u64) {
    wait_until("the request", || sim.stats().total(route) >= times).await;
}

#[test]
fn p1_while_the_login_hangs() {
    on_threads(async {
        let fault = FaultRule::new(Fault::Hang).on(Route::Login);
        stop_in(simulator(3, 50).await, "", Some(fault), async |sim, _, _| asked(sim, Route::Login, 3).await).await;
    });
}

#[test]
fn p1_while_the_first_look_hangs() {
    on_threads(async {
        let fault = FaultRule::new(Fault::Hang);
        stop_in(simulator(3, 50).await, "", Some(fault), async |sim, _, _| asked(sim, Route::Alerts, 3).await).await;
    });
}

#[test]
fn p1_while_the_head_hangs() {
    on_threads(async {
        let fault = FaultRule::new(Fault::Hang).query("lastUpdateTime ge").after(1).tenant(&guid(1));
        stop_in(simulator(1, 50).await, "", Some(fault), async |sim, _, _| asked(sim, Route::Alerts, 2).await).await;
    });
}

#[test]
fn p1_while_a_body_stalls() {
    on_threads(async {
        let fault = FaultRule::new(Fault::StallBody(Cut::Fraction(0.5)));
        // The body of the first look is stalled by then, or one with rows.
        stop_in(simulator(2, 2_000).await, "", Some(fault.after(4)), async |sim, _, _| {
            asked(sim, Route::Alerts, 5).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        })
        .await;
    });
}

#[test]
fn p1_in_the_middle_of_a_backfill() {
    on_threads(async {
        let fault = FaultRule::new(Fault::Latency(Duration::from_millis(60)));
        stop_in(simulator(1, 3_000).await, "page_size = 100", Some(fault), async |sim, house, _| {
            asked(sim, Route::Alerts, 6).await;
            assert!(house.number("SELECT count(*) FROM alerts") < 3_000, "the backfill is over already");
            assert_eq!(house.number("SELECT open_gaps FROM tenants"), 1);
        })
        .await;
    });
}

#[test]
fn p1_in_the_middle_of_writing() {
    on_threads(async {
        let sim = simulator(1, 0).await;
        sim.world().with(|world| {
            world.fill(&guid(1), 9_000, &Template { evidence: 4, bytes: 6_000, ..Template::default() });
        });
        stop_in(sim, "", None, async |_, house, _| {
            wait_until("the first rows", || {
                house.store_is_there() && house.number("SELECT count(*) FROM alert_changes") > 0
            })
            .await;
        })
        .await;
    });
}

#[test]
fn p1_while_it_waits_out_a_throttle() {
    on_threads(async {
        let fault = FaultRule::new(Fault::Throttle { retry_after: RetryAfter::Seconds(6) });
        stop_in(simulator(3, 50).await, "", Some(fault), async |_, house, daemon| {
            daemon.hear_where("tenant.state_changed", |line| line["to"] == "throttled").await;
            wait_until("all throttled", || house.number("SELECT count(*) FROM tenants WHERE state = 'throttled'") == 3)
                .await;
        })
        .await;
    });
}

#[test]
fn p1_while_nothing_happens() {
    on_threads(async {
        let sim = simulator(3, 50).await;
        let mut config = Config::of(&sim);
        config.schedule = SELDOM;
        let house = House::with(&config);
        let daemon = house.start();
        house.wait_until_read_once().await;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let took = daemon.stop().await;
        println!("stopped in {took:?}");
        let last = house.all_lines().pop().expect("a line");
        assert_eq!(last["event"], "daemon.stopped");
        house.assert_equals_truth(&sim, &sim.world().with(|world| world.tenant_ids()));
    });
}

#[test]
fn p1_at_any_moment() {
    on_threads(async {
        let row = Row::begin("P1");
        let (stops, mut rng) = (times(15, 300), StdRng::seed_from_u64(row.seed));
        let sim = simulator(5, 300).await;
        let mut config = Config::of(&sim);
        config.poll = "page_size = 100".to_owned();
        let house = House::with(&config);
        let mut longest = Duration::ZERO;
        for stop in 1..=stops {
            let daemon = house.start();
            // Before this line the signal may come before anybody listens, which ends the process like any other.
            daemon.hear("store.opened").await;
            let moment = Instant::now() + Duration::from_millis(rng.random_range(0..1_200));
            while Instant::now() < moment {
                sim.world().with(|world| drop(world.live(&mut rng, 2)));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            longest = longest.max(daemon.stop().await);
            // So many starts would use up the calls that a tenant may be asked in an hour.
            if stop % 50 == 0 {
                house.time_passes();
            }
        }
        settle(&sim);
        let daemon = house.start();
        house.wait_until_read().await;
        daemon.stop().await;
        house.assert_equals_truth(&sim, &sim.world().with(|world| world.tenant_ids()));
        assert_eq!(
            told(&house.all_lines()).len(),
            usize::try_from(house.number("SELECT count(*) FROM alert_changes")).expect("a count")
        );
        row.held(stops, format!("stops at any moment, the longest took {longest:.1?}"));
    });
}

/// Holds the store's write lock as a stuck backup tool would.
fn lock(house: &House) -> rusqlite::Connection {
    let conn = rusqlite::Connection::open(house.store()).expect("a store");
    conn.execute_batch("BEGIN IMMEDIATE").expect("locked");
    conn
}

#[test]
fn p1_while_another_process_keeps_the_store_locked() {
    on_threads(async {
        let sim = simulator(3, 50).await;
        let house = House::with(&Config::of(&sim));
        let daemon = house.start();
        house.wait_until_read().await;
        let lock = lock(&house);
        // A poll comes each second, and cannot write how it ended.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let took = daemon.stop().await;
        println!("stopped in {took:?}");
        drop(lock);
        let daemon = house.start();
        house.wait_until_read().await;
        daemon.stop().await;
        house.assert_equals_truth(&sim, &sim.world().with(|world| world.tenant_ids()));
    });
}

#[test]
fn p1_a_second_signal_ends_at_once() {
    on_threads(async {
        let sim = simulator(3, 50).await;
        let house = House::with(&Config::of(&sim));
        let mut daemon = house.start();
        house.wait_until_read().await;
        let _lock = lock(&house);
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        daemon.signal("TERM");
        daemon.hear("daemon.stopping").await;
        let begun = Instant::now();
        daemon.signal("TERM");
        daemon.ended().await;
        let took = begun.elapsed();
        println!("ended {took:?} after the second signal");
        assert!(took < PROMISED_STOP / 5, "it took {took:?}");
    });
}

#[test]
fn p1_while_nobody_reads_its_lines() {
    on_threads(async {
        let sim = simulator(1, 3_000).await;
        let house = House::with(&Config::of(&sim));
        // Three thousand lines do not fit the pipe, so the daemon is stuck inside a write.
        let (unread, pipe) = std::io::pipe().expect("a pipe");
        let daemon = house.start_into(pipe);
        wait_until("the rows", || house.store_is_there() && house.number("SELECT count(*) FROM alerts") == 3_000).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let took = daemon.stop().await;
        println!("stopped in {took:?}");
        drop(unread);
        let daemon = house.start();
        house.wait_until_read().await;
        daemon.stop().await;
        house.assert_equals_truth(&sim, &[guid(1)]);
        assert_eq!(crate::support::told(&house.all_lines()).len(), 3_000 - told_before(&house));
    });
}

/// Changes whose lines the first daemon wrote into the pipe.
fn told_before(house: &House) -> usize {
    let first = crate::support::told(&house.all_lines()).first().copied().expect("a line");
    usize::try_from(first - 1).expect("a count")
}

#[test]
fn p1_while_somebody_reads_the_store_for_long() {
    on_threads(async {
        let sim = simulator(3, 50).await;
        let house = House::with(&Config::of(&sim));
        let daemon = house.start();
        house.wait_until_read().await;
        let reader = crate::rig::open(&house.store());
        reader.execute_batch("BEGIN; SELECT count(*) FROM alert").expect("a snapshot");
        sim.world().with(|world| drop(world.live(&mut StdRng::seed_from_u64(1), 50)));
        house.wait_until_read().await;
        let took = daemon.stop().await;
        println!("stopped in {took:?}");
        assert_eq!(house.all_lines().pop().expect("a line")["event"], "daemon.stopped");
    });
}
