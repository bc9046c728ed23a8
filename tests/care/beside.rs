//! A prune that runs over and over beside a daemon that reads: neither hurts the other.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::rig::{guid, stored, ticks};
use crate::support::{Config, EACH_SECOND, House, PROGRAM, on_threads, said, simulator, wait_until};
use crate::whole::assert_whole;

/// What is older may go.
const AGE: Duration = Duration::from_secs(3_600);

#[test]
fn a_daemon_reads_while_prune_runs_in_a_loop() {
    on_threads(async {
        let sim = simulator(3, 1_200).await;
        let mut config = Config::of(&sim);
        config.schedule = EACH_SECOND;
        config.poll = "page_size = 400".to_owned();
        let house = House::with(&config);
        let daemon = house.start();
        daemon.hear("daemon.ready").await;
        // The daemon goes on reading 180 days; the prune is told of an hour.
        let short = house.path("short.toml");
        config.poll = "backfill = \"1h\"\nsweep = \"0s\"\noverlap = \"1m\"".to_owned();
        std::fs::write(&short, config.text()).expect("written");
        let short = short.to_string_lossy().into_owned();
        let prune = ["--config", short.as_str(), "prune", "--older-than", "1h", "--include-open", "--format", "json"];
        let mut gone = 0;
        for round in 0..24_u32 {
            let tenant = guid(u64::from(round % 3) + 1);
            sim.world().with(|world| {
                let truths = world.truth(&tenant);
                for truth in truths.iter().skip(round as usize * 31).take(20) {
                    let members = [
                        ("title", format!("\"changed in round {round}\"")),
                        ("status", if round % 2 == 0 { "\"Resolved\"" } else { "\"New\"" }.to_owned()),
                    ];
                    world.set_members(&tenant, &truth.id, &members).expect("an alert");
                }
            });
            // Two at once: each finds what the other has taken out already.
            let other = Command::new(PROGRAM).args(prune).stdin(Stdio::null()).stdout(Stdio::null()).spawn();
            let said = said(Command::new(PROGRAM).args(prune).stdin(Stdio::null()));
            assert_eq!(said.code, Some(0), "{said:?}");
            assert_eq!(other.expect("started").wait().expect("ended").code(), Some(0));
            let told: Value = serde_json::from_str(&said.stdout).expect("JSON");
            let lines = told["severities"].as_array().expect("lines").iter();
            gone += lines.map(|line| line["alerts"].as_u64().expect("a number")).sum::<u64>();
        }
        house.wait_until_read().await;
        // The log's cursor holds back what is not told yet; then the last of it goes.
        let last = || {
            house.number("SELECT max(seq) - coalesce((SELECT seq FROM cursor WHERE name = 'log'), 0) FROM alert_change")
        };
        wait_until("all changes told", || last() == 0).await;
        let said = said(Command::new(PROGRAM).args(prune).stdin(Stdio::null()));
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(gone > 200, "{gone}");
        let failed =
            daemon.lines().into_iter().find(|line| line["event"] == "store.failed" || line["outcome"] == "failed");
        assert!(failed.is_none(), "the daemon was hurt: {failed:?}");
        daemon.stop().await;
        for n in 1..=3 {
            let truth: BTreeMap<String, String> = sim.world().with(|world| {
                let now = ticks(&world.now().to_string());
                let truths = world.truth(&guid(n)).into_iter();
                let young = truths.filter(|truth| now.since(ticks(&truth.last_update_time)) < AGE);
                young.map(|truth| (truth.id, truth.expanded)).collect()
            });
            assert!(truth.len() >= 100, "{}", truth.len());
            assert_eq!(stored(&house.store(), &guid(n)), truth, "tenant {n}");
        }
        assert_whole(&house.store());
    });
}
