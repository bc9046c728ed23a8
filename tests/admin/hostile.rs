//! Clients that are slow, many, large or wrong harm neither the daemon nor those who ask after them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::client::{ask, get, request, scrape, start};
use crate::support::{Config, on_threads, simulator, wait_until};

/// More than are served at once.
const CROWD: usize = 80;

#[test]
fn a_crowd_that_never_finishes_its_requests_is_let_go() {
    on_threads(async {
        let sim = simulator(2, 5).await;
        let (house, daemon, address) = start(&Config::of(&sim), "").await;
        house.wait_until_read_once().await;
        let open = |_| {
            let mut stream = TcpStream::connect(&address).expect("connected");
            stream.write_all(b"GET /metrics HTTP/1.1\r\nX-Slow: ").expect("begun");
            stream
        };
        let mut crowd: Vec<TcpStream> = (0..CROWD).map(open).collect();
        // Tenants are read meanwhile, and whoever asks is answered when his turn comes.
        house.wait_until_read().await;
        let seen = scrape(&address);
        assert!(seen.value("alertferry_passes_total", &[("outcome", "read")]) > 0.0);
        let first = crowd.first_mut().expect("a client");
        first.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
        let mut rest = Vec::new();
        // Closed or reset: either way it is gone.
        drop(first.read_to_end(&mut rest));
        assert!(!rest.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&rest));
        // A stop does not wait for them.
        daemon.stop().await;
    });
}

#[test]
fn what_is_no_modest_request_is_refused() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        let (_house, daemon, address) = start(&Config::of(&sim), "").await;
        let long = "a".repeat(64 * 1024);
        let many: String = (0..500).map(|n| format!("X-{n}: 1\r\n")).collect();
        for text in [
            request(&address, "GET", "/metrics", &format!("X: {long}\r\n")),
            request(&address, "GET", &format!("/{long}"), ""),
            request(&address, "GET", "/metrics", &many),
            "\0\u{1}\u{2}\r\n\r\n".to_owned(),
            "GET /metrics HTTP/9.9\r\n\r\n".to_owned(),
            "GET /metrics\r\n\r\n".to_owned(),
        ] {
            // Refused by a status, or by closing in the middle of it.
            if let Ok(answer) = ask(&address, &text) {
                assert!((400..600).contains(&answer.status), "{} for {:.40}", answer.status, text);
            }
        }
        assert_eq!(get(&address, "/healthz").status, 200);
        daemon.stop().await;
    });
}

/// An answer that nobody fetches costs a place for some seconds and no more.
#[test]
fn who_does_not_fetch_his_answer_holds_nobody_up() {
    on_threads(async {
        let sim = simulator(2, 5).await;
        let (house, daemon, address) = start(&Config::of(&sim), "").await;
        let open = |_| {
            let mut stream = TcpStream::connect(&address).expect("connected");
            stream.write_all(request(&address, "GET", "/status", "").as_bytes()).expect("sent");
            stream
        };
        let crowd: Vec<TcpStream> = (0..CROWD).map(open).collect();
        house.wait_until_read().await;
        wait_until("an answer", || get(&address, "/healthz").status == 200).await;
        drop(crowd);
        daemon.stop().await;
    });
}
