//! A backup is whole, checked and private, or it is not there.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use alertferry_simulator::Edit;

use crate::filled::filled;
use crate::rig::{guid, query_all};
use crate::support::EACH_SECOND;
use crate::support::{Config, House, simulator};

/// Names in a directory that begin so.
fn names(directory: &Path, begin: &str) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut found: Vec<String> = names.filter(|name| name.starts_with(begin)).collect();
    found.sort();
    found
}

#[test]
fn a_copy_holds_everything_and_is_for_its_owner() {
    filled(2, async |filled| {
        let copy = filled.house.path("copy.db");
        // What an interrupted backup left behind is no hindrance.
        std::fs::write(filled.house.path("copy.db.partial"), "half a copy").expect("written");
        let said = filled.shows(&["backup", &copy.to_string_lossy()]);
        assert!(said.contains("6 alerts") && said.contains("checked"), "{said}");
        assert_eq!(copy.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
        assert_eq!(names(copy.parent().expect("a directory"), "copy"), ["copy.db"]);
        for sql in
            ["SELECT * FROM alerts ORDER BY alert_id", "SELECT * FROM alert_changes", "SELECT * FROM sqlite_sequence"]
        {
            assert_eq!(query_all(&copy, sql), filled.house.query(sql), "{sql}");
        }
        let before = std::fs::read(&copy).expect("a copy");
        filled.fails(&["backup", &copy.to_string_lossy()], 64, &["copy.db exists already"]);
        assert!(std::fs::read(&copy).expect("a copy") == before, "it was replaced");
        filled.fails(&["backup", &filled.house.store().to_string_lossy()], 64, &["exists already"]);
        // It is a store: restored under the name of the old one, the program goes on with it.
        for name in ["alerts.db", "alerts.db-wal", "alerts.db-shm"] {
            std::fs::remove_file(filled.house.path(name)).expect("gone");
        }
        std::fs::rename(&copy, filled.house.store()).expect("renamed");
        filled.shows(&["sync"]);
        filled.house.assert_equals_truth(&filled.sim, &[guid(1), guid(2)]);
    });
}

#[test]
fn a_copy_that_cannot_be_leaves_nothing() {
    filled(1, async |filled| {
        let place = filled.house.path("nowhere/copy.db");
        filled.fails(&["backup", &place.to_string_lossy()], 66, &["nowhere/copy.db", "there is no directory"]);
        let copy = filled.house.path("copy.db");
        let partial = std::fs::File::create(filled.house.path("copy.db.partial")).expect("a file");
        partial.lock().expect("locked");
        filled.fails(&["backup", &copy.to_string_lossy()], 75, &["another backup"]);
        drop(partial);
        // What an interrupted backup left is in nobody's way.
        filled.shows(&["backup", &copy.to_string_lossy()]);
        assert_eq!(names(copy.parent().expect("a directory"), "copy"), ["copy.db"]);
        std::fs::remove_file(&copy).expect("gone");
        // A damaged store makes no backup that looks like one.
        let mut bytes = std::fs::read(filled.house.store()).expect("a store");
        let late = bytes.len() / 8 * 7;
        bytes[late..].fill(0x5a);
        std::fs::write(filled.house.store(), bytes).expect("written");
        let said = filled.house.run(&["backup", &copy.to_string_lossy()]);
        assert_eq!(said.code, Some(65), "{said:?}");
        assert!(names(copy.parent().expect("a directory"), "copy").is_empty(), "{said:?}");
    });
}

#[test]
fn copies_are_whole_while_a_daemon_writes() {
    crate::support::on_threads(async {
        let sim = simulator(2, 200).await;
        let mut config = Config::of(&sim);
        config.schedule = EACH_SECOND;
        let house = House::with(&config);
        let daemon = house.start();
        house.wait_until_read_once().await;
        let ids: Vec<String> =
            sim.world().with(|world| world.truth(&guid(1)).into_iter().map(|truth| truth.id).collect());
        for (number, id) in ids.iter().take(8).enumerate() {
            let edit = Edit { status: Some("Resolved".to_owned()), ..Edit::default() };
            sim.world().with(|world| world.edit(&guid(1), id, &edit)).expect("an alert");
            let copy = house.path(&format!("{number}.db"));
            let said = house.run(&["backup", &copy.to_string_lossy()]);
            assert_eq!(said.code, Some(0), "{said:?}");
            let counted = query_all(&copy, "SELECT (SELECT sum(alert_count) FROM tenants), count(*) FROM alerts");
            assert_eq!(counted, [["400", "400"]]);
            assert_eq!(query_all(&copy, "PRAGMA integrity_check"), [["ok"]]);
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
        daemon.stop().await;
    });
}
