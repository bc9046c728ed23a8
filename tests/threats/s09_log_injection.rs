//! S9: alerts and servers that would write lines of their own into the log, or steer who reads it.
//!
//! How single texts are cut and escaped is beside `src/logging`.

use alertferry_simulator::{Fault, FaultBody, FaultRule, RetryAfter, Route};

use crate::rig::guid;
use crate::support::on_threads;
use crate::texts;

/// The longest line: an alert has 64 properties of 2 KiB at most, and each byte is six when it is escaped.
const LONGEST: usize = 1024 * 1024;
/// What a server would like to have in the log.
const FORGED: &str = "\u{1b}[2J\r\n{\"ts\":\"2026-01-01T00:00:00Z\",\"level\":\"info\",\"event\":\"forged\",\"msg\":\"x\"}\n\
                      \u{2028}\u{202e}\u{9b}31m\u{0}";

#[test]
fn s09_every_line_is_one_object_without_control_characters() {
    on_threads(async {
        let sim = texts::simulator().await;
        for n in 3..=6 {
            sim.world().with(|world| drop(world.add_tenant(&guid(n)).id().to_owned()));
        }
        let status = |body| Fault::Status { status: 400, body, retry_after: RetryAfter::Absent };
        let code = FaultBody::Envelope(FORGED.to_owned(), FORGED.to_owned());
        let refusal = serde_json::json!({"error": FORGED, "error_description": format!("AADSTS90002: {FORGED}")});
        let long = FaultBody::Text(FORGED.repeat(20_000));
        for (n, route, fault) in [
            (3, Route::Alerts, status(code)),
            (4, Route::Login, status(FaultBody::Text(refusal.to_string()))),
            (5, Route::Alerts, status(long)),
            (6, Route::Alerts, Fault::NextLink { url: format!("https://evil.example/{FORGED}") }),
        ] {
            sim.faults().add(FaultRule::new(fault).on(route).tenant(&guid(n)));
        }
        // A title of a megabyte, in which every byte grows.
        sim.world().with(|world| {
            let at = world.now();
            let mut giant = alertferry_simulator::draft(&mut rand::rng(), &guid(1), at, 1);
            (giant.title, giant.description) = ("\u{1b}\u{9b}".repeat(300_000), "\n".repeat(300_000));
            world.add_alert(&guid(1), &giant).expect("an alert");
        });
        let house = texts::house(&sim);
        let daemon = house.start();
        crate::support::wait_until("every attempt", || {
            house.store_is_there()
                && house.number("SELECT count(*) FROM tenants WHERE last_attempt_at IS NOT NULL") == 6
                && house.number("SELECT count(*) FROM alerts") == 35
        })
        .await;
        // Alerts are told behind what was stored.
        crate::support::wait_until("all changes in the log", || {
            daemon.lines().iter().filter(|line| line["event"] == "alert.created").count() >= 35
        })
        .await;
        let path = house.path("0.out");
        daemon.stop().await;
        let text = String::from_utf8(std::fs::read(path).expect("the log")).expect("UTF-8");
        assert!(text.ends_with('\n'));
        let breaks = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{2028}'..='\u{202e}'));
        for line in text.split_terminator('\n') {
            let read: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(["ts", "level", "event", "msg"].iter().all(|key| read[key].is_string()), "{line}");
            assert_ne!(read["event"], "forged");
            assert!(!line.contains(breaks), "{line:?}");
            assert!(line.len() <= LONGEST, "{} bytes: {}", line.len(), &line[..200]);
        }
        assert!(text.contains("forged"), "what servers said is told, as a text");
    });
}
