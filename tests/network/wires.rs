//! N2, N3, N4: connections that do not come up, break, say nothing, or say it slowly or not to the end.

use std::sync::Arc;
use std::time::Duration;

use alertferry_simulator::{Cut, Fault, FaultRule, Route};

use crate::field::Field;
use crate::rig::campaign::{Row, times};
use crate::rig::guid;
use crate::support::{on_threads, wait_until};
use crate::way::{Mood, Way};

/// A field with two tenants; the first one's way to this service is another.
async fn broken(row: &Row, line: &str, poll: &str) -> (Field, Way) {
    let mut field = Field::new(row, 2, 40, |_| {}).await;
    let way = Way::to(field.sim.address()).await;
    field.config.poll = poll.to_owned();
    field.config.customers[0].lines = format!("{line} = \"{}\"", way.url());
    field.house.configure(&field.config);
    (field, way)
}

/// Breaks the way in each of these manners, each until some passes have failed, while its neighbour is read on.
async fn each(row: Row, line: &'static str, moods: Vec<Mood>) {
    let rounds = times(1, 4);
    let (mut field, way) = broken(&row, line, "request_timeout = \"1s\"").await;
    if line == "login_url" {
        way.be(Mood::Refused);
    }
    let daemon = field.house.start();
    for _ in 0..rounds {
        for mood in &moods {
            way.be(mood.clone());
            field.live(6);
            // A sign-in that hangs has a time limit of its own, which is long.
            let failures = if line == "login_url" { times(1, 2) } else { 2 };
            field.suffer(&daemon, &guid(1), usize::try_from(failures).expect("small")).await;
            wait_until("the neighbour", || field.of(&guid(2), "state") == "ok").await;
            if line == "api_url" && field.of(&guid(1), "covered_until").is_empty() {
                // At first contact each manner finds nothing read; from then on there is something to lose.
                way.be(Mood::Through);
                field.read(&daemon, &guid(1)).await;
            }
        }
    }
    way.be(Mood::Through);
    let failures = field.failures(&guid(1));
    field.healed(daemon).await;
    row.held(rounds, format!("{line}: {} manners, {failures} passes failed", moods.len()));
}

#[test]
fn n2_an_api_that_is_refused_half_open_or_a_black_hole_is_read_on() {
    let moods = vec![Mood::Refused, Mood::HalfOpen, Mood::BlackHole];
    on_threads(each(Row::begin("N2"), "api_url", moods));
}

#[test]
fn n2_a_login_that_is_refused_half_open_or_a_black_hole_is_read_on() {
    let moods = vec![Mood::Refused, Mood::HalfOpen, Mood::BlackHole];
    on_threads(each(Row::begin("N2"), "login_url", moods));
}

#[test]
fn n2_resets_before_and_after_the_headers_lose_nothing() {
    on_threads(async {
        let row = Row::begin("N2");
        let rounds = times(1, 6);
        let mut field = Field::new(&row, 2, 40, |_| {}).await;
        let daemon = field.house.start();
        for _ in 0..rounds {
            for fault in [Fault::ResetBeforeHeaders, Fault::ResetAfterHeaders] {
                for route in [Route::Login, Route::Alerts] {
                    let rule = FaultRule::new(fault.clone()).on(route).tenant(&guid(1));
                    let id = field.sim.faults().add(rule);
                    field.live(4);
                    if route == Route::Login && field.sim.faults().struck(id) == 0 && field.failures(&guid(1)) > 0 {
                        // A token that is kept needs no login: that one was met at the first contact.
                        continue;
                    }
                    field.suffer(&daemon, &guid(1), 2).await;
                    field.sim.faults().clear();
                }
            }
        }
        let failures = field.failures(&guid(1));
        field.healed(daemon).await;
        row.held(rounds, format!("{failures} passes failed"));
    });
}

#[test]
fn n3_a_slow_loris_gives_its_place_back() {
    on_threads(async {
        let row = Row::begin("N3");
        let rounds = times(1, 5);
        let poll = "request_timeout = \"2s\"\nmax_concurrent_tenants = 1";
        let (mut field, way) = broken(&row, "api_url", poll).await;
        let daemon = field.house.start();
        field.read(&daemon, &guid(1)).await;
        let mut served = 0;
        for _ in 0..rounds {
            // Head and body from the way; the body alone from the service.
            for drips in [true, false] {
                if drips {
                    way.be(Mood::Dripping(Duration::from_secs(1)));
                } else {
                    way.be(Mood::Through);
                    let slow = Fault::SlowBody { bytes: 1, every: Duration::from_secs(1) };
                    field.sim.faults().add(FaultRule::new(slow).tenant(&guid(1)));
                }
                field.live(4);
                let before = field.sim.stats().requests(&guid(2), Route::Alerts);
                field.suffer(&daemon, &guid(1), 2).await;
                served += field.sim.stats().requests(&guid(2), Route::Alerts) - before;
            }
            field.sim.faults().clear();
        }
        way.be(Mood::Through);
        // With one place for all, each failure that ended made room for the neighbour.
        assert!(served >= rounds * 2, "the neighbour was read {served} times");
        let lines = field.house.all_lines();
        let longest =
            lines.iter().filter(|line| crate::field::is_failure(line)).filter_map(|line| line["ms"].as_u64()).max();
        let longest = longest.expect("failures");
        field.healed(daemon).await;
        row.held(rounds, format!("the neighbour was read {served} times; longest failed pass {longest} ms"));
    });
}

#[test]
fn n4_answers_that_do_not_come_to_their_end_count_for_nothing() {
    on_threads(async {
        let row = Row::begin("N4");
        let rounds = times(1, 5);
        let (mut field, way) = broken(&row, "api_url", "request_timeout = \"2s\"").await;
        let daemon = field.house.start();
        field.read(&daemon, &guid(1)).await;
        let mut struck = 0;
        for _ in 0..rounds {
            for cut in [Cut::Bytes(0), Cut::Bytes(1), Cut::Fraction(0.1), Cut::Fraction(0.5), Cut::Fraction(1.0)] {
                field.live(4);
                let id = field.sim.faults().add(FaultRule::new(Fault::CutBody(cut)).tenant(&guid(1)));
                struck += still(&field, &daemon).await;
                assert!(field.sim.faults().struck(id) > 0);
                field.sim.faults().clear();
            }
            let list = "{\"value\":[]}";
            for answer in [
                // Fewer bytes than were promised, then an end.
                format!("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{list}"),
                // More: what stands behind is no answer, and what was promised is no JSON.
                format!("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{list}"),
                // A chunk that is longer than what comes, and a list of chunks without its end.
                format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{list}"),
                format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nc\r\n{list}\r\n"),
                // Lengths that are none.
                format!("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{list}"),
                format!("HTTP/1.1 200 OK\r\ncontent-length: 12\r\ncontent-length: 13\r\n\r\n{list}"),
                // Called gzip, and none.
                format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 12\r\n\r\n{list}"),
            ] {
                way.be(Mood::Canned(Arc::new(answer.into_bytes())));
                struck += still(&field, &daemon).await;
            }
            way.be(Mood::Through);
        }
        field.healed(daemon).await;
        row.held(rounds, format!("{struck} passes failed, and what is covered stood still"));
    });
}

/// One more pass of the first tenant fails, and what is covered does not move.
async fn still(field: &Field, daemon: &crate::support::Daemon) -> usize {
    field.suffer(daemon, &guid(1), 1).await;
    let before = field.of(&guid(1), "covered_until");
    field.suffer(daemon, &guid(1), 1).await;
    // From the third failure on, the head's rest becomes a gap where the service shows that it is alive.
    if field.of(&guid(1), "open_gaps") == "0" {
        assert_eq!(field.of(&guid(1), "covered_until"), before, "nothing was read");
    }
    2
}
