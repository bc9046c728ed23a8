//! What is new since a change or a cursor, no more and no less.

use alertferry_simulator::Edit;

use crate::filled::{Filled, filled};
use crate::read_back::{KINDS, expected, names_in, ndjson, seqs};
use crate::rig::guid;

/// Resolves alerts of the first tenant, and reads that into the store.
fn resolve(filled: &Filled, ids: &[String]) {
    let edit = Edit { status: Some("Resolved".to_owned()), ..Edit::default() };
    for id in ids {
        filled.sim.world().with(|world| world.edit(&guid(1), id, &edit)).expect("an alert");
    }
    filled.shows(&["sync"]);
}

#[test]
fn since_a_change_comes_what_changed_after_it() {
    filled(2, async |filled| {
        resolve(&filled, &filled.ids[..2]);
        for kind in KINDS {
            let truth = expected(&filled.house.store(), kind);
            for since in 0..=9 {
                let after = filled.exported(kind, &["--since-seq", &since.to_string()]);
                let wanted: Vec<_> = truth.rows.iter().filter(|row| row[0].as_i64() > Some(since)).cloned().collect();
                assert!(after.rows == wanted, "{kind} after {since}");
            }
            let last = filled.exported(kind, &["--since-seq", "6"]);
            assert_eq!(seqs(&last), [7, 8], "each alert once, at its newest change");
        }
        let csv = filled.shows(&["export", "alerts", "--format", "csv", "--since-seq", "8"]);
        assert_eq!(csv.lines().count(), 1, "the names of the columns: {csv}");
    });
}

#[test]
fn a_cursor_brings_each_change_once_and_each_kind_has_its_own() {
    filled(2, async |filled| {
        for kind in KINDS {
            assert_eq!(seqs(&filled.exported(kind, &["--cursor", "siem"])), [1, 2, 3, 4, 5, 6], "{kind}");
            assert_eq!(seqs(&filled.exported(kind, &["--cursor", "siem"])), [0; 0], "{kind}");
        }
        resolve(&filled, &filled.ids[..1]);
        for kind in KINDS {
            assert_eq!(seqs(&filled.exported(kind, &["--cursor", "siem"])), [7], "{kind}");
        }
        assert_eq!(filled.exported("changes", &["--cursor", "other"]).rows.len(), 7);
        let said = filled.house.run(&["export", "changes", "--cursor", "siem"]);
        let told = "alertferry: 0 changes after seq 7 up to seq 7; the cursor siem stays at 7\n";
        assert_eq!((said.stdout.as_str(), said.stderr.as_str()), ("", told));
        let log = filled.house.query("SELECT name FROM cursor ORDER BY 1");
        let wanted =
            [["export.alerts.siem"], ["export.changes.other"], ["export.changes.siem"], ["export.evidence.siem"]];
        assert_eq!(log, wanted);
    });
}

#[test]
fn cursors_are_listed_set_and_forgotten() {
    filled(1, async |filled| {
        assert_eq!(filled.json(&["export", "cursor", "list"]), serde_json::json!([]));
        filled.shows(&["export", "alerts", "--cursor", "a.b"]);
        filled.shows(&["export", "cursor", "set", "changes", "x-1_y", "2"]);
        let listed = serde_json::json!([
            {"exported": "alerts", "name": "a.b", "seq": 3, "changes_after": 0},
            {"exported": "changes", "name": "x-1_y", "seq": 2, "changes_after": 1},
        ]);
        assert_eq!(filled.json(&["export", "cursor", "list"]), listed);
        assert_eq!(seqs(&filled.exported("changes", &["--cursor", "x-1_y"])), [3]);
        filled.shows(&["export", "cursor", "set", "changes", "x-1_y", "0"]);
        assert_eq!(seqs(&filled.exported("changes", &["--cursor", "x-1_y"])), [1, 2, 3]);
        // A cursor behind the newest change would leave out what comes.
        filled.fails(&["export", "cursor", "set", "changes", "x-1_y", "4"], 64, &["no change 4 yet", "newest is 3"]);
        filled.shows(&["export", "cursor", "drop", "changes", "x-1_y"]);
        filled.fails(&["export", "cursor", "drop", "changes", "x-1_y"], 64, &["no such cursor", "cursor list"]);
        filled.fails(&["export", "cursor", "drop", "nothing", "x"], 64, &["nothing"]);
        assert_eq!(seqs(&filled.exported("changes", &["--cursor", "x-1_y"])), [1, 2, 3]);
    });
}

#[test]
fn each_run_makes_its_own_file_and_none_when_nothing_is_new() {
    filled(2, async |filled| {
        let dir = filled.house.path("out");
        std::fs::create_dir(&dir).expect("a directory");
        let run = |name: &str| {
            let out = dir.join(name).to_string_lossy().into_owned();
            let said = filled.house.run(&[
                "export",
                "changes",
                "--cursor",
                name.split('-').next().expect("a name"),
                "--out",
                &out,
            ]);
            assert_eq!((said.code, said.stdout.as_str()), (Some(0), ""), "{said:?}");
            said.stderr
        };
        let told = run("own-{seq}.ndjson");
        assert!(told.ends_with("own-000000000006.ndjson; the cursor own moved to 6\n"), "{told}");
        let told = run("own-{seq}.ndjson");
        assert!(told.contains("0 changes after seq 6 up to seq 6") && told.contains("is left as it is"), "{told}");
        let told = run("one-file.ndjson");
        assert!(told.contains("6 changes"), "{told}");
        let before = std::fs::read(dir.join("one-file.ndjson")).expect("a file");
        run("one-file.ndjson");
        assert!(std::fs::read(dir.join("one-file.ndjson")).expect("a file") == before, "nothing new, nothing written");
        resolve(&filled, &filled.ids[..2]);
        run("own-{seq}.ndjson");
        run("one-file.ndjson");
        assert_eq!(names_in(&dir, "o"), ["one-file.ndjson", "own-000000000006.ndjson", "own-000000000008.ndjson"]);
        assert_eq!(names_in(&dir, "."), [""; 0], "nothing half is left");
        for name in ["own-000000000008.ndjson", "one-file.ndjson"] {
            let text = std::fs::read_to_string(dir.join(name)).expect("text");
            assert_eq!(seqs(&ndjson(&text)), [7, 8], "{name}");
        }
        // A whole export of nothing is a file all the same.
        let empty = dir.join("empty.csv");
        filled.shows(&["export", "evidence", "--since-seq", "8", "--out", &empty.to_string_lossy()]);
        assert!(!empty.exists());
    });
}

#[test]
fn tenants_and_labels_are_picked_and_the_cursor_moves_past_the_others() {
    filled(3, async |filled| {
        let ids = |arguments: &[&str]| -> Vec<String> {
            let rows = filled.exported("changes", arguments).rows;
            let mut ids: Vec<String> = rows.iter().map(|row| row[1].as_str().expect("an id").to_owned()).collect();
            ids.dedup();
            ids.sort();
            ids.dedup();
            ids
        };
        assert_eq!(ids(&[]).len(), 3);
        assert_eq!(ids(&["--tenant", &guid(2)]), [guid(2)]);
        assert_eq!(ids(&["--tenant", "customer 0002", "--tenant", &guid(3)]), [guid(2), guid(3)]);
        assert_eq!(ids(&["--tag", "GOLD"]), [guid(1)]);
        assert_eq!(ids(&["--tag", "gold", "--cursor", "gold"]), [guid(1)]);
        let said = filled.house.run(&["export", "alerts", "--tag", "gold", "--cursor", "gold"]);
        assert!(said.stderr.contains("3 alerts after seq 0 up to seq 9; the cursor gold moved to 9"), "{said:?}");
        let arguments = ["export", "alerts", "--tag", "gold", "--cursor", "gold"];
        assert_eq!(filled.shows(&arguments), "", "nothing new for it");
        filled.fails(&["export", "alerts", "--tag", "silver"], 64, &["no tenant", "--tag"]);
        filled.fails(&["export", "alerts", "--tag", "gold", "--tenant", &guid(2)], 64, &["no tenant"]);
        filled.fails(&["export", "alerts", "--tenant", "nobody"], 64, &["no tenant", "nobody"]);
    });
}
