//! A log that cannot be written loses no alert line: the cursor waits for it.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::sync::{Arc, Mutex};

use crate::support::{Config, House, on_threads, simulator, told, wait_until};

fn cursor(house: &House) -> i64 {
    house.number("SELECT coalesce(max(seq), 0) FROM cursor WHERE name = 'log'")
}

#[test]
fn a_full_log_loses_no_line() {
    on_threads(async {
        let sim = simulator(2, 60).await;
        let house = House::with(&Config::of(&sim));
        let full = OpenOptions::new().write(true).open("/dev/full").expect("a full device");
        let daemon = house.start_into(full);
        house.wait_until_read().await;
        assert_eq!(cursor(&house), 0, "the cursor moved though no line is out");
        daemon.stop().await;
        assert_eq!(cursor(&house), 0, "the cursor moved though no line is out");
        let daemon = house.start();
        wait_until("the lines", || cursor(&house) == 120).await;
        daemon.stop().await;
        assert_eq!(told(&house.all_lines()), (1..=120).collect());
        house.assert_equals_truth(&sim, &sim.world().with(|world| world.tenant_ids()));
    });
}

#[test]
fn a_log_that_closes_loses_no_line() {
    on_threads(async {
        let sim = simulator(1, 2_000).await;
        let house = House::with(&Config::of(&sim));
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let daemon = house.start_into(writer);
        // So much is read, and then the reader goes away in the middle of the lines.
        let read: Vec<serde_json::Value> = BufReader::new(reader)
            .lines()
            .take(400)
            .map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON"))
            .collect();
        house.wait_until_read().await;
        daemon.stop().await;
        assert!(cursor(&house) < 2_000, "lines count as out that nobody can have read");
        let daemon = house.start();
        wait_until("the lines", || cursor(&house) == 2_000).await;
        daemon.stop().await;
        // Of the lines that were written and not read, those in the pipe went with it; no line before them is missing,
        // and none after them.
        let again = told(&house.all_lines());
        let [last_read, first_again] = [told(&read).last(), again.first()].map(|seq| seq.copied().expect("a line"));
        println!("read up to {last_read}, told again from {first_again}");
        assert_eq!(again, (first_again..=2_000).collect());
        assert!(first_again < last_read + 500, "more is missing than fits a pipe");
    });
}

#[test]
fn a_locked_store_stops_neither_lines_nor_daemon() {
    on_threads(async {
        let sim = simulator(1, 3_000).await;
        let house = House::with(&Config::of(&sim));
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let mut daemon = house.start_into(writer);
        wait_until("the rows", || house.store_is_there() && house.number("SELECT count(*) FROM alerts") == 3_000).await;
        // The lines are stuck in the pipe, and with them the cursor; now it cannot move because of the lock.
        let lock = rusqlite::Connection::open(house.store()).expect("a store");
        wait_until("the lock", || lock.execute_batch("BEGIN IMMEDIATE").is_ok()).await;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hearing = {
            let heard = Arc::clone(&heard);
            let hear = move |line: std::io::Result<String>| {
                let line: serde_json::Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
                heard.lock().expect("unpoisoned").push(line);
            };
            std::thread::spawn(move || BufReader::new(reader).lines().for_each(hear))
        };
        wait_until("word of the failure", || {
            heard.lock().expect("unpoisoned").iter().any(|line| line["event"] == "outbox.failed")
        })
        .await;
        drop(lock);
        wait_until("the lines", || cursor(&house) == 3_000).await;
        assert!(daemon.is_alive(), "a lock ended the daemon");
        house.wait_until_read().await;
        daemon.stop().await;
        hearing.join().expect("read");
        assert_eq!(told(&heard.lock().expect("unpoisoned")), (1..=3_000).collect());
    });
}
