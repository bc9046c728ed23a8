//! Commands that are killed in the middle leave a whole store, and no hole that is taken for read.

use std::process::{Child, Stdio};

use crate::rig::guid;
use crate::support::{Config, House, SELDOM, on_threads, simulator, wait_for};
use crate::whole::assert_whole;

const ALERTS: i64 = 3_000;

fn spawn(house: &House, arguments: &[&str]) -> Child {
    house.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started")
}

/// Waits until alerts are missing, then kills; how many are left.
async fn kill_in_the_middle(house: &House, mut child: Child) -> i64 {
    let count = || house.number("SELECT count(*) FROM alert");
    let all = count();
    wait_for("the first portion", || (count() < all).then_some(())).await;
    child.kill().expect("killed");
    child.wait().expect("gone");
    count()
}

#[test]
fn a_killed_prune_leaves_a_whole_store() {
    on_threads(async {
        let sim = simulator(1, usize::try_from(ALERTS).expect("small")).await;
        let mut config = Config::of(&sim);
        config.schedule = SELDOM;
        let house = House::with(&config);
        assert_eq!(house.run(&["sync"]).code, Some(0));
        config.poll = "backfill = \"1h\"\nsweep = \"0s\"".to_owned();
        house.configure(&config);
        let prune = ["prune", "--older-than", "2h", "--include-open"];
        let left = kill_in_the_middle(&house, spawn(&house, &prune)).await;
        assert!(left > 0 && left < ALERTS, "{left}");
        assert_whole(&house.store());
        // A polite end comes after the portion under way, and says that there is more.
        let child = house.command(&prune).stdout(Stdio::piped()).spawn().expect("started");
        wait_for("the next portion", || (house.number("SELECT count(*) FROM alert") < left).then_some(())).await;
        let sent = std::process::Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status();
        assert!(sent.expect("sent").success());
        let ended = child.wait_with_output().expect("it ends");
        let shown = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(ended.status.code() == Some(75) && shown.contains("interrupted"), "{:?}: {shown}", ended.status);
        assert_whole(&house.store());
        assert_eq!(house.run(&prune).code, Some(0));
        assert_eq!(house.number("SELECT count(*) FROM alert"), 0);
        assert_whole(&house.store());
    });
}

#[test]
fn a_killed_purge_leaves_no_hole_that_is_taken_for_read() {
    on_threads(async {
        let sim = simulator(2, usize::try_from(ALERTS).expect("small") / 2).await;
        let mut config = Config::of(&sim);
        config.schedule = SELDOM;
        let house = House::with(&config);
        assert_eq!(house.run(&["sync"]).code, Some(0));
        let whole = config.clone();
        config.customers.remove(0);
        house.configure(&config);
        let left = kill_in_the_middle(&house, spawn(&house, &["tenant", "purge", &guid(1), "--yes"])).await;
        assert!(left > ALERTS / 2 && left < ALERTS, "{left}");
        assert_whole(&house.store());
        // The customer comes back instead: what went is read again.
        house.configure(&whole);
        let said = house.run(&["sync"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        house.assert_equals_truth(&sim, &[guid(1), guid(2)]);
        assert_whole(&house.store());
        // Or it does not, and the same command goes on.
        house.configure(&config);
        let left = kill_in_the_middle(&house, spawn(&house, &["tenant", "purge", &guid(1), "--yes"])).await;
        assert!(left < ALERTS, "{left}");
        assert_eq!(house.run(&["tenant", "purge", &guid(1), "--yes"]).code, Some(0));
        assert_eq!(house.query("SELECT tenant_id, alert_count FROM tenants"), [[guid(2), (ALERTS / 2).to_string()]]);
        assert_whole(&house.store());
    });
}
