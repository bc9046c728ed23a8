//! P1, where tests/process/stop.rs has no phase of it: a stop while the store is migrated, in a reload, beside a backup, and
//! of a backup.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::field::Field;
use crate::released::{RELEASED, Released};
use crate::rig::campaign::{Row, times};
use crate::stalls::hang;
use crate::support::{Customer, Daemon, House, PROMISED_STOP, on_threads, settle, wait_for, wait_until};

const SIGTERM: u32 = 15;

/// Asks a daemon to stop, which it does well and in time, also on a machine with much to do.
async fn stopped(mut daemon: Daemon) -> Duration {
    let begun = Instant::now();
    daemon.signal("TERM");
    let status = daemon.ended().await;
    let took = begun.elapsed();
    assert_eq!(status.code(), Some(0), "{status}: {}", daemon.spoken());
    assert!(took < 2 * PROMISED_STOP, "stopping took {took:?}: {}", daemon.spoken());
    took
}

/// Whether the daemon hears the signal to stop by now; before, it would end like any other program.
fn hears(daemon: &Daemon) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
    u64::from_str_radix(caught.trim(), 16).is_ok_and(|mask| mask & (1 << (SIGTERM - 1)) != 0)
}

#[test]
fn p1_a_stop_in_the_middle_of_a_migration_leaves_the_store_as_it_was_or_as_it_is_to_be() {
    on_threads(async {
        let row = Row::begin("P1");
        let mut rng = StdRng::seed_from_u64(row.seed);
        let (times, mut longest, mut before) = (times(2, 40), Duration::ZERO, 0);
        for n in 0..times {
            let (version, dump) = RELEASED[usize::try_from((n + n / 4) % 2).expect("few")];
            let hangs = n.is_multiple_of(4);
            let released = Released::of(dump).await;
            let mut command = released.house.command(&["run"]);
            let hanging = hang(&released.house, &mut command);
            // Some are stuck in a flush for as long as they live; others are somewhere.
            if hangs {
                std::fs::write(&hanging, "").expect("the disk hangs");
            }
            let daemon = released.house.start_by(command);
            wait_until("a daemon that hears signals", || hears(&daemon)).await;
            tokio::time::sleep(Duration::from_millis(if hangs { 200 } else { rng.random_range(0..60) })).await;
            longest = longest.max(stopped(daemon).await);
            drop(std::fs::remove_file(&hanging));
            before += u64::from(released.schema() == version);
            let daemon = released.house.start();
            released.house.wait_until_read().await;
            settle(&released.sim);
            released.house.wait_until_read().await;
            released.house.wait_until_read().await;
            stopped(daemon).await;
            released.house.assert_equals_truth(&released.sim, &released.tenants);
        }
        assert!(before > 0, "no stop came before the migration was done");
        row.held(
            times,
            format!("stops in a migration, {before} of them before its end; the longest took {longest:.1?}"),
        );
    });
}

#[test]
fn p1_a_stop_in_the_middle_of_a_reload_loses_nothing() {
    on_threads(async {
        let row = Row::begin("P1");
        let (times, mut rng) = (times(3, 60), StdRng::seed_from_u64(row.seed));
        let mut field = Field::new(&row, 4, 40, |_| {}).await;
        // A configuration that takes its time to be read: three hundred further tenants that are switched off.
        let off = |n| Customer { id: crate::rig::guid(n), app: "main", lines: "enabled = false".to_owned() };
        field.config.customers.extend((100..400).map(off));
        field.house.configure(&field.config);
        let mut longest = Duration::ZERO;
        for _ in 0..times {
            let daemon = field.house.start();
            daemon.hear("daemon.ready").await;
            field.live(6);
            daemon.signal("HUP");
            tokio::time::sleep(Duration::from_millis(rng.random_range(0..80))).await;
            longest = longest.max(stopped(daemon).await);
        }
        let reloaded = field.house.all_lines().iter().filter(|line| line["event"] == "config.reloaded").count();
        field.config.customers.truncate(4);
        let daemon = field.house.start();
        field.healed(daemon).await;
        row.held(times, format!("stops, {reloaded} reloads done before; the longest took {longest:.1?}"));
    });
}

/// A copy beside a daemon, as it begins.
fn backup(house: &House, name: &str) -> std::process::Child {
    let mut command = house.command(&["backup", &house.path(name).to_string_lossy()]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started")
}

#[test]
fn p1_a_stop_beside_a_backup_and_of_a_backup_leaves_whole_files() {
    on_threads(async {
        let row = Row::begin("P1");
        let (times, mut rng) = (times(3, 60), StdRng::seed_from_u64(row.seed));
        let mut field = Field::new(&row, 3, 600, |_| {}).await;
        let (mut longest, mut ended) = (Duration::ZERO, 0);
        for n in 0..times {
            let daemon = field.house.start();
            daemon.hear("daemon.ready").await;
            field.house.wait_until_read_once().await;
            field.live(6);
            let names = [format!("beside-{n}.copy"), format!("ended-{n}.copy")];
            let [mut beside, mut of] = names.each_ref().map(|name| backup(&field.house, name));
            tokio::time::sleep(Duration::from_millis(rng.random_range(0..150))).await;
            let sent = std::process::Command::new("sh").args(["-c", &format!("kill -TERM {}", of.id())]).status();
            assert!(sent.expect("sent").code().is_some(), "it may have ended by then");
            longest = longest.max(stopped(daemon).await);
            let copied = wait_for("the backup", || beside.try_wait().expect("a child")).await;
            assert!(copied.success(), "{copied}");
            let stopped = wait_for("the end of the other", || of.try_wait().expect("a child")).await;
            ended += u64::from(!stopped.success());
            for (name, must) in names.iter().zip([true, stopped.success()]) {
                let path = field.house.path(name);
                assert!(!must || path.exists(), "{name}: {stopped}");
                if path.exists() {
                    assert_eq!(crate::rig::query_all(&path, "PRAGMA integrity_check"), [["ok"]], "{name}");
                } else {
                    // What it left is no hindrance to the next.
                    let mut again = backup(&field.house, name);
                    assert!(wait_for("the next", || again.try_wait().expect("a child")).await.success(), "{name}");
                }
            }
        }
        let daemon = field.house.start();
        field.healed(daemon).await;
        row.held(times, format!("stops beside a backup, {ended} backups ended; the longest stop took {longest:.1?}"));
    });
}
