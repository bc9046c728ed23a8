//! N7: a window that always fails, and an alert that breaks every answer with it.

use std::io::{Read, Write};
use std::time::Duration;

use alertferry_simulator::{Fault, FaultRule, PoisonScope, Route, Simulator, Template};

use crate::field::Field;
use crate::rig::campaign::{Row, is_large, times};
use crate::rig::guid;
use crate::support::{Daemon, on_threads, real_time_world, wait_until};

const ALERTS: usize = 60;

/// What the daemon's metrics say of one series.
fn metric(field: &Field, series: &str) -> Option<f64> {
    let mut stream = std::os::unix::net::UnixStream::connect(field.house.path("admin.sock")).expect("a socket");
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("asked");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
}

/// A field of two tenants, with a socket for its metrics. A small run's history is short, because each halving of a
/// window is two calls, and there are a hundred in a minute.
async fn field_of(row: &Row) -> Field {
    let mut world = real_time_world();
    for n in 1..=2 {
        let from = Some(world.now() - Duration::from_secs(5_400));
        let template = Template { from, evidence: 1, bytes: 1_200, seed: row.seed ^ n, ..Template::default() };
        world.add_tenant(&guid(n));
        world.fill(&guid(n), ALERTS, &template);
    }
    Field::around(row, Simulator::start(world).await.expect("a simulator"), |config| {
        let backfill = if is_large() { "180d" } else { "2h" };
        config.poll = format!("request_timeout = \"5s\"\nbackfill = \"{backfill}\"\nsweep = \"0s\"");
        config.log += "\n[admin]\nlisten = \"unix:admin.sock\"";
    })
}

/// Lets time pass until nothing but `left` alerts of the first tenant is unread, in gaps that are stuck.
async fn isolate(field: &Field, mut daemon: Daemon, left: usize) -> Daemon {
    let stored = || field.house.number(&format!("SELECT count(*) FROM alerts WHERE tenant_id = '{}'", guid(1)));
    for _ in 0..times(12, 100) {
        let stuck = "SELECT count(*) FROM gap WHERE attempts > 4";
        daemon.hear("daemon.ready").await;
        for glance in 1..=30 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if field.house.store_is_there() && field.house.number(stuck) > 0 {
                let all = usize::try_from(stored()).expect("a number");
                assert!(all <= ALERTS - left, "the poison was read");
                if all == ALERTS - left && field.house.number("SELECT count(*) FROM gap WHERE attempts <= 4") == 0 {
                    return daemon;
                }
            }
            // Each poll is a call more, and a minute has ninety.
            if glance % 10 == 0 {
                daemon.signal("USR1");
            }
        }
        if field.house.number("SELECT count(*) FROM gap WHERE not_before IS NOT NULL") > 0 {
            daemon.stop().await;
            field.house.time_passes();
            daemon = field.house.start();
        }
    }
    panic!("not isolated: {} of {ALERTS}, {:?}", stored(), field.house.query("SELECT * FROM gaps"));
}

/// Everything but the poison is read, the neighbour is well, it is said and counted, and read once it is healed.
async fn alone_and_healed(row: Row, field: Field, rule: FaultRule, left: usize) {
    field.sim.faults().add(rule);
    let daemon = field.house.start();
    let daemon = isolate(&field, daemon, left).await;
    assert_eq!(field.of(&guid(2), "state"), "ok", "the neighbour");
    wait_until("the state", || field.of(&guid(1), "state") == "degraded").await;
    assert!(field.house.all_lines().iter().any(|line| line["event"] == "gap.stuck"), "nothing was said");
    let gaps = field.house.number("SELECT count(*) FROM gap");
    assert!(metric(&field, "alertferry_gaps_open{reason=\"failed\"}").is_some_and(|count| count >= 1.0), "{gaps} gaps");
    let calls = field.sim.stats().requests(&guid(1), Route::Alerts);
    field.healed(daemon).await;
    row.held(times(1, 1), format!("{left} alert(s) left alone in {gaps} gap(s) after {calls} calls"));
}

#[test]
fn n7_an_alert_that_breaks_every_answer_is_left_alone_and_read_when_healed() {
    on_threads(async {
        let row = Row::begin("N7");
        let field = field_of(&row).await;
        let truth = crate::rig::truth(&field.sim, &guid(1));
        let at = usize::try_from(row.seed).expect("a number") % truth.len();
        let id = truth.keys().nth(at).expect("an alert").clone();
        let rule = FaultRule::new(Fault::PoisonAlert { id, scope: PoisonScope::Everything }).tenant(&guid(1));
        alone_and_healed(row, field, rule, 1).await;
    });
}

#[test]
fn n7_a_window_that_always_fails_is_left_alone_and_read_when_healed() {
    on_threads(async {
        let row = Row::begin("N7");
        let field = field_of(&row).await;
        let at = usize::try_from(row.seed).expect("a number") % ALERTS;
        let stamp = field.sim.world().with(|world| {
            let mut stamps: Vec<_> = world.truth(&guid(1)).into_iter().map(|truth| truth.last_update_time).collect();
            stamps.sort();
            alertferry_simulator::Ticks::parse(&stamps[at]).expect("a time")
        });
        let (from, until) = (stamp - Duration::from_millis(1), stamp + Duration::from_millis(1));
        let rule = FaultRule::new(Fault::PoisonWindow { from, until }).on(Route::Any).tenant(&guid(1));
        alone_and_healed(row, field, rule, 1).await;
    });
}
