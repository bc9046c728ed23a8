//! T2: passes that take longer than the interval, a process that stands still, a writer that hangs.

use std::time::{Duration, Instant};

use alertferry_simulator::{Fault, FaultRule, Route};

use crate::field::Field;
use crate::rig::campaign::{Row, times};
use crate::rig::guid;
use crate::shims::HANG;
use crate::supervisor::Supervisor;
use crate::support::{House, on_threads, wait_until};

const TENANTS: u64 = 4;
/// So often the watchdog is fed at least, but for a machine with much to do.
const WATCHDOG: Duration = Duration::from_secs(3);

/// The most requests of one tenant that come while so much time passes, if nothing has been saved up: one a second, the
/// one that was due, and the one of the second that has begun.
fn assert_no_backlog(field: &Field, before: &[u64], since: Instant) {
    let most = since.elapsed().as_secs() + 3;
    for (n, before) in (1..=TENANTS).zip(before) {
        let asked = field.sim.stats().requests(&guid(n), Route::Alerts) - before;
        assert!(asked <= most, "tenant {n}: {asked} requests in {:?}", since.elapsed());
    }
}

fn asked(field: &Field) -> Vec<u64> {
    (1..=TENANTS).map(|n| field.sim.stats().requests(&guid(n), Route::Alerts)).collect()
}

#[test]
fn t2_passes_longer_than_the_interval_never_overlap_and_leave_no_backlog() {
    on_threads(async {
        let row = Row::begin("T2");
        let slow = Duration::from_millis(1_700);
        let mut field =
            Field::new(&row, TENANTS, 20, |config| config.poll = "request_timeout = \"20s\"".to_owned()).await;
        let daemon = field.house.start();
        field.house.wait_until_read().await;
        let rule = field.sim.faults().add(FaultRule::new(Fault::Latency(slow)).on(Route::Alerts));
        let (before, begun, lasts) = (asked(&field), Instant::now(), Duration::from_secs(times(5, 60)));
        while begun.elapsed() < lasts {
            field.live(2);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let passes: u64 = asked(&field).iter().zip(&before).map(|(now, before)| now - before).sum();
        let most = TENANTS * (u64::try_from(begun.elapsed().as_millis() / slow.as_millis()).expect("few") + 2);
        assert!(passes > TENANTS && passes <= most, "{passes} requests of {slow:?} in {:?}", begun.elapsed());
        field.sim.faults().remove(rule);
        wait_until("the slow ones", || field.sim.stats().in_flight() == 0).await;
        let (before, since) = (asked(&field), Instant::now());
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_no_backlog(&field, &before, since);
        for n in 1..=TENANTS {
            assert_eq!(field.sim.stats().max_in_flight(&guid(n), Route::Any), 1, "tenant {n}: passes overlap");
        }
        field.healed(daemon).await;
        row.held(passes, format!("passes of {slow:?} on a schedule of one a second, never two of a tenant at once"));
    });
}

#[test]
fn t2_a_process_that_stood_still_starves_the_watchdog_and_goes_on_without_a_backlog() {
    on_threads(async {
        let row = Row::begin("T2");
        let rounds = times(1, 5);
        let mut field = Field::new(&row, TENANTS, 20, |_| {}).await;
        let supervisor = Supervisor::of(&field.house, WATCHDOG);
        let daemon = field.house.start_by(supervisor.command(&field.house));
        field.house.wait_until_read().await;
        for round in 0..rounds {
            wait_until("a watchdog that is fed", || supervisor.fed() > 0).await;
            daemon.signal("STOP");
            // What was told before it stood still has come by then.
            tokio::time::sleep(Duration::from_millis(300)).await;
            let fed = supervisor.fed();
            field.live(8);
            tokio::time::sleep(Duration::from_secs(3 + 5 * round)).await;
            assert_eq!(supervisor.fed(), fed, "a process that stands still says that it lives");
            let (before, since) = (asked(&field), Instant::now());
            daemon.signal("CONT");
            wait_until("a watchdog that is fed again", || supervisor.fed() > fed).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_no_backlog(&field, &before, since);
        }
        for n in 1..=TENANTS {
            assert_eq!(field.sim.stats().max_in_flight(&guid(n), Route::Any), 1, "tenant {n}: passes overlap");
        }
        field.healed(daemon).await;
        row.held(rounds, "the watchdog was not fed meanwhile, and no tick was made up for");
    });
}

#[test]
#[ignore = "half a minute of silence: part of the campaign"]
fn t2_a_writer_that_hangs_starves_the_watchdog_and_feeds_it_when_it_goes_on() {
    on_threads(async {
        let row = Row::begin("T2");
        let mut field = Field::new(&row, TENANTS, 20, |_| {}).await;
        let supervisor = Supervisor::of(&field.house, WATCHDOG);
        let mut command = supervisor.command(&field.house);
        let hanging = hang(&field.house, &mut command);
        let daemon = field.house.start_by(command);
        field.house.wait_until_read().await;
        wait_until("a watchdog that is fed", || supervisor.fed() > 0).await;
        std::fs::write(&hanging, "").expect("the disk hangs");
        field.live(8);
        daemon.hear("daemon.stuck").await;
        let fed = supervisor.fed();
        tokio::time::sleep(2 * WATCHDOG).await;
        assert_eq!(supervisor.fed(), fed, "a daemon without progress says that it lives");
        assert_eq!(field.sim.stats().in_flight(), 0, "nobody is read in vain");
        std::fs::remove_file(&hanging).expect("the disk is well again");
        wait_until("a watchdog that is fed again", || supervisor.fed() > fed).await;
        field.healed(daemon).await;
        row.held(1, "the watchdog was not fed while the writer hung, and was when it went on");
    });
}

/// Lets `command` see a disk that hangs while the file is there, whose name is given.
pub fn hang(house: &House, command: &mut std::process::Command) -> std::path::PathBuf {
    let hanging = house.path("hanging");
    command.env("LD_PRELOAD", &*HANG).env("HANG_WHILE", &hanging);
    hanging
}
