//! What systemd is told: that the daemon is ready, reloads, makes progress and how it stands; and that a daemon without
//! progress, and no other, is silent, so that it is ended and the next one goes on.
//!
//! From outside, the writer is stuck by a disk that hangs, and the fleet by a log that nobody reads. A scheduler that
//! dies by itself cannot be had from outside; tests/schedule.rs replaces one.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use alertferry_simulator::{NewAlert, Simulator};
use rand::SeedableRng;
use rand::rngs::StdRng;
use sd_notify::NotifyState;

use crate::disk::Disk;
use crate::rig::guid;
use crate::supervisor::Supervisor;
use crate::support::{Config, House, on_threads, simulator, wait_until};

/// Long enough for a machine with much to do.
const WATCHDOG: Duration = Duration::from_secs(12);
/// Longer than a stuck writer is borne.
const LONG: Duration = Duration::from_secs(32);
const SIGABRT: i32 = 6;

/// A house with a supervisor, whose watchdog is patient.
fn watched(sim: &Simulator) -> (House, Supervisor) {
    let house = House::with(&Config::of(sim));
    let supervisor = Supervisor::of(&house, WATCHDOG);
    (house, supervisor)
}

fn monotonic_now() -> i128 {
    let line = NotifyState::monotonic_usec_now().expect("a clock").to_string();
    line.strip_prefix("MONOTONIC_USEC=").and_then(|now| now.parse().ok()).expect("a number")
}

/// A new alert of the first tenant.
fn new_alert(sim: &Simulator) -> String {
    let mut rng = StdRng::seed_from_u64(1);
    sim.world().with(|world| world.new_alert(&guid(1), &mut rng, &NewAlert::default()).expect("an alert"))
}

#[test]
fn it_says_that_it_is_ready_lives_stands_and_stops() {
    on_threads(async {
        let sim = simulator(2, 5).await;
        let (house, supervisor) = watched(&sim);
        let daemon = house.start_by(supervisor.command(&house));
        let (ready, _) = supervisor.hear("readiness", 0, |told| told.says("READY=1")).await;
        let before = &supervisor.told()[..ready];
        assert!(before.iter().any(|told| told.says("STATUS=opening the store")), "{before:?}");
        wait_until("a watchdog that is fed again and again", || supervisor.fed() >= 3).await;
        let all_well = "2 tenants, 2 ok; lag at most ";
        supervisor
            .hear("how it stands", ready, |told| told.value("STATUS").is_some_and(|line| line.starts_with(all_well)))
            .await;
        daemon.stop().await;
        supervisor.hear("the end", ready, |told| told.says("STOPPING=1") && told.says("STATUS=stopping")).await;
        let lines = |name: &str| supervisor.told().iter().filter(|told| told.value(name).is_some()).count();
        assert_eq!((lines("READY"), lines("RELOADING"), lines("STOPPING")), (1, 0, 1));
    });
}

#[test]
fn a_reload_is_told_with_its_time_in_one_datagram_and_ends_with_readiness() {
    on_threads(async {
        let sim = simulator(1, 2).await;
        let (house, supervisor) = watched(&sim);
        let daemon = house.start_by(supervisor.command(&house));
        let (mut seen, _) = supervisor.hear("readiness", 0, |told| told.says("READY=1")).await;
        let good = Config::of(&sim).text();
        for (text, event) in [(good.clone(), "config.reloaded"), (good.replace("poll", "pol"), "config.rejected")] {
            house.write("main.toml", &text);
            let before = monotonic_now();
            daemon.signal("HUP");
            let (begun, told) = supervisor.hear("the reload", seen + 1, |told| told.says("RELOADING=1")).await;
            let time: i128 = told.value("MONOTONIC_USEC").and_then(|time| time.parse().ok()).expect("its time");
            assert!((before..=monotonic_now()).contains(&time), "{before} {time}: {told:?}");
            (seen, _) = supervisor.hear("its end", begun + 1, |told| told.says("READY=1")).await;
            daemon.hear(event).await;
        }
        daemon.stop().await;
    });
}

#[test]
fn a_disk_that_hangs_ends_a_daemon_and_the_next_one_goes_on() {
    on_threads(async {
        let sim = simulator(2, 30).await;
        let (house, supervisor) = watched(&sim);
        let disk = Disk::of(&house);
        let mut command = supervisor.command(&house);
        disk.put_under(&mut command, Duration::ZERO);
        let mut daemon = house.start_by(command);
        house.wait_until_read_once().await;
        wait_until("a watchdog that is fed", || supervisor.fed() > 0).await;
        disk.hang();
        let unseen = new_alert(&sim);
        let status = supervisor.end_when_silent(&mut daemon).await;
        assert_eq!(status.signal(), Some(SIGABRT), "{status}");
        let stuck = daemon.hear("daemon.stuck").await;
        assert!(stuck["reason"].as_str().is_some_and(|reason| reason.contains("writer")), "{stuck}");
        let stored = format!("SELECT count(*) FROM alerts WHERE alert_id = '{unseen}'");
        disk.recover();
        let daemon = house.start_by(supervisor.command(&house));
        wait_until("the alert of that time", || house.number(&stored) == 1).await;
        wait_until("a watchdog that is fed again", || supervisor.fed() > 0).await;
        house.wait_until_read().await;
        daemon.stop().await;
        house.assert_equals_truth(&sim, &[guid(1), guid(2)]);
    });
}

#[test]
fn a_fleet_that_cannot_deal_with_its_ticks_is_ended_and_the_next_one_goes_on() {
    on_threads(async {
        let sim = simulator(1, 3_000).await;
        let (house, supervisor) = watched(&sim);
        // Its lines do not fit a pipe that nobody reads, so whatever speaks is stuck inside a write.
        let (unread, pipe) = std::io::pipe().expect("a pipe");
        let mut daemon = house.start_by_into(supervisor.command(&house), pipe);
        let status = supervisor.end_when_silent(&mut daemon).await;
        assert_eq!(status.signal(), Some(SIGABRT), "{status}");
        drop(unread);
        let daemon = house.start_by(supervisor.command(&house));
        house.wait_until_read().await;
        wait_until("a watchdog that is fed again", || supervisor.fed() > 0).await;
        daemon.stop().await;
        house.assert_equals_truth(&sim, &[guid(1)]);
        let told = crate::support::told(&house.all_lines());
        let first = *told.first().expect("a line");
        let rest = usize::try_from(house.number("SELECT max(seq) FROM alert_changes") - first + 1).expect("a count");
        assert_eq!(told.len(), rest, "every line that was not counted as written came again");
    });
}

/// Nothing would be better after a restart, so none is asked for.
#[test]
fn a_store_that_somebody_else_keeps_locked_is_no_reason_to_be_silent() {
    on_threads(async {
        let sim = simulator(2, 5).await;
        let (house, supervisor) = watched(&sim);
        let mut daemon = house.start_by(supervisor.command(&house));
        house.wait_until_read_once().await;
        let other = rusqlite::Connection::open(house.store()).expect("opened");
        other.execute_batch("BEGIN IMMEDIATE").expect("locked");
        let unseen = new_alert(&sim);
        daemon.hear("store.failed").await;
        let begun = Instant::now();
        wait_until("a watchdog that is fed after a long time", || {
            supervisor.told().iter().any(|told| told.says("WATCHDOG=1") && told.at > begun + LONG)
        })
        .await;
        assert!(daemon.is_alive());
        assert!(daemon.lines().iter().all(|line| line["event"] != "daemon.stuck"));
        other.execute_batch("ROLLBACK").expect("unlocked");
        let stored = format!("SELECT count(*) FROM alerts WHERE alert_id = '{unseen}'");
        wait_until("the alert of that time", || house.number(&stored) == 1).await;
        daemon.stop().await;
    });
}
