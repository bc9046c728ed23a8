//! S14: somebody on the way, or a cache, who answers with what was true once.
//!
//! Which of two versions wins is in `tests/versions/which_wins.rs`.

use std::sync::Arc;

use alertferry_simulator::Edit;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::listeners::Server;
use crate::rig::{guid, truth};
use crate::support::{Config, House, SELDOM, on_threads, simulator};

/// A server that gives the same answer to whatever is asked, with a clock that stands still.
async fn replaying(alerts: &[String], date: &str) -> Server {
    let body = format!("{{\"value\":[{}]}}", alerts.join(","));
    let answer = Arc::new(format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ndate: {date}\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    ));
    Server::start(move |mut stream, seen| {
        let answer = Arc::clone(&answer);
        async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { return };
                head.push(byte);
            }
            seen.sent(&head);
            if stream.write_all(answer.as_bytes()).await.is_ok() {
                drop(stream.shutdown().await);
            }
        }
    })
    .await
}

/// Where a tenant's coverage and alerts stand.
fn stand(house: &House) -> (String, Vec<Vec<String>>) {
    let covered = house.query("SELECT covered_until FROM tenants").remove(0).remove(0);
    (covered, house.query("SELECT alert_id, last_update_time, status, raw FROM alerts ORDER BY 1"))
}

#[test]
fn s14_old_pages_take_back_neither_an_alert_nor_coverage() {
    on_threads(async {
        let sim = simulator(1, 10).await;
        let config = Config { schedule: SELDOM, ..Config::of(&sim) };
        let house = House::with(&config);
        assert_eq!(house.run(&["sync"]).code, Some(0));
        let old: Vec<String> = truth(&sim, &guid(1)).into_values().collect();
        let ids: Vec<String> = truth(&sim, &guid(1)).into_keys().collect();
        let closed = Edit { status: Some("Resolved".to_owned()), ..Edit::default() };
        for id in &ids {
            sim.world().with(|world| world.edit(&guid(1), id, &closed)).expect("an alert");
        }
        assert_eq!(house.run(&["sync"]).code, Some(0));
        let (covered, alerts) = stand(&house);
        assert!(alerts.len() == 10 && alerts.iter().all(|row| row[2] == "Resolved"), "{alerts:?}");
        let changes = house.number("SELECT count(*) FROM alert_changes");
        for (pages, date) in [
            (old.as_slice(), "Sun, 01 Nov 2020 00:00:00 GMT"),
            (&[], "Sun, 01 Nov 2020 00:00:00 GMT"),
            (&old[..1], "Thu, 01 Jan 1970 00:00:00 GMT"),
            (old.as_slice(), "yesterday"),
        ] {
            let server = replaying(pages, date).await;
            let api_url = format!("http://{}", server.address);
            house.configure(&Config { api_url, ..config.clone() });
            let said = house.run(&["sync"]);
            assert!(said.code.is_some_and(|code| [0, 75].contains(&code)), "{date}: {said:?}");
            assert!(server.seen.connections() > 0, "{date}: nobody was asked");
            let (covered_now, alerts_now) = stand(&house);
            assert!(covered_now >= covered, "{date}: coverage went from {covered} back to {covered_now}");
            assert_eq!(alerts_now, alerts, "{date}");
            assert_eq!(
                house.number("SELECT count(*) FROM alert_changes"),
                changes,
                "{date}: an old version is no news"
            );
        }
        house.configure(&config);
        assert_eq!(house.run(&["sync"]).code, Some(0));
        house.assert_equals_truth(&sim, &[guid(1)]);
    });
}
