//! Two exports at once: neither tears the other's file, and the cursor moves once.

use std::io::Read;
use std::process::Stdio;

use crate::read_back::{names_in, ndjson, seqs};
use crate::support::{Config, House, on_threads, simulator};

async fn house() -> House {
    let sim = simulator(1, 900).await;
    let house = House::with(&Config::of(&sim));
    assert_eq!(house.run(&["sync"]).code, Some(0));
    house
}

#[test]
fn the_second_to_move_a_cursor_is_told_and_does_not_move_it() {
    on_threads(async {
        let house = house().await;
        let arguments = ["export", "changes", "--cursor", "siem"];
        // The first stands in its pipe with the cursor found at its beginning, while the second passes it.
        let mut first =
            house.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
        let mut out = first.stdout.take().expect("a pipe");
        let mut begin = [0; 1];
        out.read_exact(&mut begin).expect("a first byte");
        let second = house.run(&arguments);
        assert_eq!(second.code, Some(0), "{second:?}");
        let mut rest = String::new();
        out.read_to_string(&mut rest).expect("the rest");
        let ended = first.wait_with_output().expect("ended");
        let said = String::from_utf8(ended.stderr).expect("text");
        assert_eq!(ended.status.code(), Some(75), "{said}");
        assert!(said.contains("was moved to 900 by another export") && said.contains("after seq 0"), "{said}");
        assert_eq!(format!("{{{rest}"), second.stdout, "what it wrote is whole all the same");
        assert_eq!(house.query("SELECT seq FROM cursor WHERE name = 'export.changes.siem'"), [["900"]]);
    });
}

#[test]
fn of_two_to_one_file_the_second_waits_for_another_time() {
    on_threads(async {
        let house = house().await;
        let out = house.path("changes-{seq}.ndjson");
        let arguments = ["export", "changes", "--cursor", "siem", "--out", &out.to_string_lossy()];
        let partial = std::fs::File::create(house.path(".changes-{seq}.ndjson.partial")).expect("a file");
        partial.lock().expect("locked");
        let said = house.run(&arguments);
        assert_eq!(said.code, Some(75), "{said:?}");
        assert!(said.stderr.contains("another export is writing"), "{said:?}");
        assert_eq!(house.query("SELECT seq FROM cursor WHERE name LIKE 'export%'").len(), 0);
        drop(partial);
        let children: Vec<_> =
            (0..6).map(|_| house.command(&arguments).stderr(Stdio::piped()).spawn().expect("started")).collect();
        let codes: Vec<_> = children.into_iter().map(|child| child.wait_with_output().expect("ended")).collect();
        assert!(codes.iter().any(|output| output.status.success()), "{codes:?}");
        assert!(codes.iter().all(|output| matches!(output.status.code(), Some(0 | 75))), "{codes:?}");
        assert_eq!(names_in(&house.path("."), "changes-"), ["changes-000000000900.ndjson"]);
        assert_eq!(names_in(&house.path("."), ".changes-"), [""; 0]);
        let text = std::fs::read_to_string(house.path("changes-000000000900.ndjson")).expect("text");
        assert_eq!(seqs(&ndjson(&text)), (1..=900).collect::<Vec<_>>());
        assert_eq!(house.query("SELECT seq FROM cursor WHERE name = 'export.changes.siem'"), [["900"]]);
    });
}

#[test]
fn a_cursor_moves_beside_a_daemon_that_writes() {
    on_threads(async {
        let sim = simulator(2, 300).await;
        let house = House::with(&Config::of(&sim));
        let daemon = house.start();
        house.wait_until_read_once().await;
        let mut seen = Vec::new();
        for _ in 0..10 {
            let said = house.run(&["export", "changes", "--cursor", "siem"]);
            assert_eq!(said.code, Some(0), "{said:?}");
            seen.extend(seqs(&ndjson(&said.stdout)));
            assert_eq!(house.run(&["export", "cursor", "set", "alerts", "other", "5"]).code, Some(0));
        }
        let all: Vec<i64> = house
            .query("SELECT seq FROM alert_changes")
            .concat()
            .iter()
            .map(|n| n.parse().expect("a number"))
            .collect();
        assert_eq!(seen, all);
        let lines = daemon.lines();
        daemon.stop().await;
        assert!(lines.iter().all(|line| line["event"] != "store.failed"), "the daemon was disturbed");
        assert_eq!(house.query("PRAGMA integrity_check"), [["ok"]]);
        // A member of the group who may only read needs the log's index, which only a writer could make anew.
        assert!(house.path("alerts.db-wal").exists() && house.path("alerts.db-shm").exists());
        house.run(&["export", "cursor", "drop", "alerts", "other"]);
        assert!(house.path("alerts.db-wal").exists() && house.path("alerts.db-shm").exists());
    });
}
