//! One store has one writer; whoever comes second is told who that is, and readers are welcome.

use crate::rig::campaign::Row;
use crate::support::{Config, House, on_threads, simulator};

#[test]
fn d9_a_second_writer_is_told_who_holds_the_store_and_readers_are_served() {
    on_threads(async {
        let row = Row::begin("D9");
        let sim = simulator(2, 30).await;
        let house = House::with(&Config::of(&sim));
        let daemon = house.start();
        house.wait_until_read().await;
        for arguments in [["run"].as_slice(), &["sync"]] {
            let said = house.run(arguments);
            assert_eq!(said.code, Some(75), "{said:?}");
            let holder = format!("process {}", daemon.pid());
            assert!(said.stderr.contains(&holder), "{arguments:?} does not name {holder}: {said:?}");
            assert!(said.stderr.contains("alerts.db"), "{said:?}");
        }
        let said = house.run(&["status"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.stdout.contains("2 tenants, 2 ok; 60 alerts"), "{said:?}");
        let said = house.run(&["status", "--format", "json", "--tenant", "Customer 0001"]);
        let report: serde_json::Value = serde_json::from_str(&said.stdout).expect("JSON");
        assert_eq!(report["tenants"][0]["alert_count"], 30, "{report}");
        assert_eq!(report["tenants"].as_array().map(Vec::len), Some(1));
        daemon.stop().await;

        // The claim ends with its holder, however that ended.
        let daemon = house.start();
        daemon.hear("daemon.ready").await;
        daemon.kill();
        assert_eq!(house.run(&["status"]).code, Some(0), "after a kill");
        let said = house.run(&["sync"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert_eq!(house.run(&["status"]).code, Some(0), "after a stop");
        row.held(2, "`run` and `sync` beside a daemon end with 75 and name it; readers are served");
    });
}
