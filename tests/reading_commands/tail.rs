//! The newest changes, and those that come while a daemon writes.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use alertferry_simulator::Edit;
use serde_json::Value;

use crate::filled::{Filled, assert_harmless, filled};
use crate::rig::guid;
use crate::support::{Config, House, on_threads, simulator, wait_until};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn resolve(filled: &Filled, id: &str) {
    let edit = Edit { status: Some("Resolved".to_owned()), ..Edit::default() };
    filled.sim.world().with(|world| world.edit(&guid(1), id, &edit)).expect("an alert");
}

/// Interrupts a process as Ctrl-C does, and its exit code.
fn interrupt(mut child: Child) -> Option<i32> {
    let sent = Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status();
    assert!(sent.expect("sent").success());
    child.wait().expect("ended").code()
}

#[test]
fn the_newest_changes_come_oldest_first() {
    filled(2, async |filled| {
        resolve(&filled, &filled.ids[0]);
        filled.shows(&["sync"]);
        let all = lines(&filled.shows(&["alerts", "tail", "--format", "ndjson"]));
        let seqs: Vec<i64> = all.iter().map(|line| line["seq"].as_i64().expect("a number")).collect();
        assert!(seqs.len() == 7 && seqs.is_sorted(), "{seqs:?}");
        assert_eq!((&all[6]["kind"], &all[6]["alert_id"]), (&"updated".into(), &filled.ids[0].as_str().into()));
        let two = lines(&filled.shows(&["alerts", "tail", "-n", "2", "--format", "ndjson"]));
        assert_eq!(two, all[5..]);
        let since = seqs[3].to_string();
        assert_eq!(lines(&filled.shows(&["alerts", "tail", "--since-seq", &since, "--format", "ndjson"])), all[4..]);
        let table = filled.shows(&["alerts", "tail"]);
        assert_harmless(&table);
        assert!(table.contains("=HYPERLINK") && table.lines().count() == 9, "{table}");
        filled.fails(&["alerts", "tail", "-f", "--format", "json"], 64, &["ndjson"]);
        filled.fails(&["alerts", "tail", "-n", "1", "--since-seq", "1"], 64, &["--since-seq"]);
    });
}

#[test]
fn following_shows_what_a_daemon_writes_until_interrupted() {
    filled(1, async |filled| {
        let followers: Vec<_> = ["ndjson", "csv", "table"]
            .into_iter()
            .map(|format| {
                let path = filled.house.path(format);
                let out = File::create(&path).expect("a file");
                let arguments = ["alerts", "tail", "-f", "-n", "1", "--format", format];
                (filled.house.command(&arguments).stdout(out).spawn().expect("started"), path)
            })
            .collect();
        let said = |at: usize| std::fs::read_to_string(&followers[at].1).unwrap_or_default();
        wait_until("the newest change", || (0..3).all(|at| !said(at).is_empty())).await;
        for id in &filled.ids[..2] {
            let before = lines(&said(0)).len();
            resolve(&filled, id);
            filled.shows(&["sync"]);
            wait_until("the change", || said(0).ends_with('\n') && lines(&said(0)).len() == before + 1).await;
            let told = lines(&said(0)).pop().expect("a line");
            assert_eq!((&told["alert_id"], &told["status"]), (&id.as_str().into(), &"Resolved".into()));
        }
        wait_until("all lines", || said(1).matches("\"updated\"").count() == 2 && said(2).lines().count() == 3).await;
        assert_eq!(said(1).matches("\"seq\"").count(), 1, "one line of names: {}", said(1));
        assert_harmless(&said(2));
        for (child, path) in followers {
            assert_eq!(interrupt(child), Some(0), "{path:?}");
        }
    });
}

#[test]
fn a_follower_far_behind_misses_and_repeats_nothing() {
    on_threads(async {
        let sim = simulator(3, 401).await;
        let house = House::with(&Config::of(&sim));
        assert_eq!(house.run(&["sync"]).code, Some(0));
        let path = house.path("told");
        let mut follower = house.command(&["alerts", "tail", "-f", "--since-seq", "1", "--format", "ndjson"]);
        let follower = follower.stdout(File::create(&path).expect("a file")).spawn().expect("started");
        let told = || std::fs::read_to_string(&path).unwrap_or_default();
        wait_until("all changes", || told().lines().count() == 1202 && told().ends_with('\n')).await;
        let seqs: Vec<String> = lines(&told()).iter().map(|line| line["seq"].to_string()).collect();
        assert_eq!(seqs, house.query("SELECT seq FROM alert_changes WHERE seq > 1 ORDER BY seq").concat());
        assert_eq!(interrupt(follower), Some(0));
    });
}

#[test]
fn a_follower_whose_reader_goes_away_ends_well() {
    filled(1, async |filled| {
        let closed = Stdio::from(std::io::pipe().expect("a pipe").1);
        let mut follower = filled.house.command(&["alerts", "tail", "-f"]);
        let output = follower.stdout(closed).stderr(Stdio::piped()).spawn().and_then(Child::wait_with_output);
        let output = output.expect("ended");
        assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
    });
}
