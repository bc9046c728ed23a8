//! Exports that are killed at any moment: run again, they bring every change, and nothing half ever has a name.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use alertferry_simulator::Edit;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::read_back::{Table, expected, names_in, ndjson};
use crate::rig::guid;
use crate::support::{Config, House, SELDOM, on_threads, simulator, wait_until};

/// In each round, an export of changes and one of alerts are killed.
const ROUNDS: u64 = 16;

/// The rows of all files by their number, and how many came again. A row that comes again is the same.
fn joined(house: &House, kind: &str) -> (BTreeMap<i64, Vec<Value>>, usize) {
    let (mut rows, mut again) = (BTreeMap::new(), 0);
    for name in names_in(&house.path("out"), kind) {
        let Table { rows: found, .. } = ndjson(&std::fs::read_to_string(house.path("out").join(&name)).expect("text"));
        assert!(!found.is_empty(), "{name} holds nothing");
        let numbers: Vec<i64> = found.iter().map(|row| row[0].as_i64().expect("a number")).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{name} holds a row twice");
        let digits: String = name.chars().filter(char::is_ascii_digit).collect();
        let last: i64 = digits.parse().expect("a number");
        assert!(numbers.last() <= Some(&last), "{name} holds more than it says");
        for (number, row) in numbers.into_iter().zip(found) {
            if let Some(before) = rows.insert(number, row.clone()) {
                assert_eq!(before, row, "{name}");
                again += 1;
            }
        }
    }
    (rows, again)
}

fn export(house: &House, kind: &str) -> Command {
    let out = house.path("out").join(format!("{kind}-{{seq}}.ndjson"));
    house.command(&["export", kind, "--cursor", "siem", "--out", &out.to_string_lossy()])
}

#[test]
fn thirty_two_kills_lose_no_change() {
    on_threads(async {
        let sim = simulator(2, 1_500).await;
        let mut config = Config::of(&sim);
        config.schedule = SELDOM;
        let house = House::with(&config);
        assert_eq!(house.run(&["sync"]).code, Some(0));
        std::fs::create_dir(house.path("out")).expect("a directory");
        let ids: Vec<String> =
            sim.world().with(|world| world.truth(&guid(1)).into_iter().map(|truth| truth.id).collect());
        let mut rng = rand::rngs::StdRng::seed_from_u64(7);
        let (mut killed, mut ended) = (0, 0);
        // Long enough for an export of everything to end now and then.
        let mut longest = 60;
        for round in 0..ROUNDS {
            for kind in ["changes", "alerts"] {
                let mut child =
                    export(&house, kind).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
                tokio::time::sleep(Duration::from_millis(rng.random_range(0..longest))).await;
                child.kill().expect("killed");
                match child.wait().expect("gone").code() {
                    None => killed += 1,
                    Some(code) => {
                        assert_eq!(code, 0);
                        ended += 1;
                    }
                }
            }
            longest = if killed < 2 * ended { longest * 2 / 3 + 2 } else { longest * 3 / 2 };
            // The store grows, and alerts that were exported change again.
            for (at, id) in ids.iter().enumerate().skip(usize::try_from(round).expect("small") % 5).step_by(5) {
                let edit = Edit { comment: Some(format!("{round} {at}")), ..Edit::default() };
                sim.world().with(|world| world.edit(&guid(1), id, &edit)).expect("an alert");
            }
            assert_eq!(house.run(&["sync"]).code, Some(0));
        }
        assert!(killed >= 10 && ended >= 3, "{killed} killed, {ended} ended: the delays hit nothing");
        for kind in ["changes", "alerts"] {
            let left = names_in(&house.path("out"), &format!(".{kind}"));
            assert!(left.len() <= 1, "leftovers pile up: {left:?}");
            let said = crate::support::said(&mut export(&house, kind));
            assert_eq!(said.code, Some(0), "{said:?}");
        }
        assert_eq!(names_in(&house.path("out"), "."), [""; 0]);
        let (changes, _) = joined(&house, "changes");
        let truth = expected(&house.store(), "changes");
        assert_eq!(truth.rows.len(), 3_000 + 16 * 300);
        assert!(changes.into_values().eq(truth.rows), "a change is missing or another one");
        // Of alerts, each change that was the newest at the end of an export came; the last of each alert is what is stored.
        let (alerts, _) = joined(&house, "alerts");
        let mut newest: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for row in alerts.into_values() {
            newest.insert(format!("{} {}", row[1], row[3]), row);
        }
        let mut newest: Vec<Vec<Value>> = newest.into_values().collect();
        newest.sort_by_key(|row| row[0].as_i64());
        assert!(newest == expected(&house.store(), "alerts").rows, "an alert is missing or old");
    });
}

#[test]
fn killed_between_the_file_and_the_cursor_a_run_brings_the_same_again() {
    on_threads(async {
        let sim = simulator(1, 1_500).await;
        let house = House::with(&Config::of(&sim));
        assert_eq!(house.run(&["sync"]).code, Some(0));
        std::fs::create_dir(house.path("out")).expect("a directory");
        let [partial, whole] =
            [".changes-{seq}.ndjson.partial", "changes-000000001500.ndjson"].map(|name| house.path("out").join(name));
        let mut store = rusqlite::Connection::open(house.store()).expect("a store");
        let mut tries = 0;
        // When the file grows, the cursor was found and could be moved; then it is held where it is.
        loop {
            let mut child = export(&house, "changes").stderr(Stdio::null()).spawn().expect("started");
            wait_until("a file", || partial.exists() || whole.exists()).await;
            let held = store.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).expect("held");
            wait_until("a whole file", || whole.exists()).await;
            child.kill().expect("killed");
            child.wait().expect("gone");
            drop(held);
            if house.query("SELECT * FROM cursor WHERE name LIKE 'export%'").is_empty() {
                break;
            }
            tries += 1;
            assert!(tries < 20, "the cursor always moved before it was held");
            std::fs::remove_file(&whole).expect("gone");
            assert_eq!(house.run(&["export", "cursor", "drop", "changes", "siem"]).code, Some(0));
        }
        let edit = Edit { status: Some("Resolved".to_owned()), ..Edit::default() };
        let id = sim.world().with(|world| world.truth(&guid(1))[0].id.clone());
        sim.world().with(|world| world.edit(&guid(1), &id, &edit)).expect("an alert");
        assert_eq!(house.run(&["sync"]).code, Some(0));
        let said = crate::support::said(&mut export(&house, "changes"));
        assert_eq!(said.code, Some(0), "{said:?}");
        let (changes, again) = joined(&house, "changes");
        assert_eq!(again, 1_500);
        assert!(changes.into_values().eq(expected(&house.store(), "changes").rows));
    });
}
