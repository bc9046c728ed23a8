//! S12: answers that are larger than what they are for, plain or once unpacked.

use std::time::{Duration, Instant};

use alertferry_simulator::{Fault, FaultRule, Route};

use crate::scene::house;
use crate::support::{House, on_threads, simulator};

/// The most memory, in KiB, that the running daemon ever had.
fn peak_of(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("readable");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

async fn failure_of(house: &House, pid: u32) -> (String, u64) {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        if house.store_is_there() {
            let rows = house.query("SELECT reason FROM tenants WHERE reason IS NOT NULL");
            if let Some(row) = rows.first() {
                return (row[0].clone(), peak_of(pid));
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing was refused");
}

#[test]
fn s12_bodies_are_refused_at_their_limit_however_small_they_came() {
    const MIB: u64 = 1024 * 1024;
    on_threads(async {
        for (route, fault) in [
            (Route::Login, Fault::HugeBody { bytes: 8 * MIB }),
            (Route::Login, Fault::GzipBomb { decoded_bytes: 1024 * MIB }),
            (Route::Alerts, Fault::GzipBomb { decoded_bytes: 1024 * MIB }),
        ] {
            let sim = simulator(1, 1).await;
            sim.faults().add(FaultRule::new(fault.clone()).on(route));
            let house = house(&sim, &sim.login_url());
            let schedule = std::fs::read_to_string(house.path("main.toml")).expect("written");
            house.write("main.toml", &schedule.replace(crate::support::SELDOM, crate::support::EACH_SECOND));
            let daemon = house.start();
            let (reason, peak) = failure_of(&house, daemon.pid()).await;
            assert!(reason.contains("the answer has more than"), "{fault:?}: {reason}");
            assert!(peak < 128 * 1024, "{fault:?}: {peak} KiB");
            daemon.stop().await;
        }
    });
}
