//! N6: a service that answers nothing but 500, 502, 503 and 504 for a while.

use std::collections::BTreeSet;
use std::time::Duration;

use alertferry_simulator::{Fault, FaultBody, FaultRule, RetryAfter, Route, Ticks};

use crate::field::Field;
use crate::rig::campaign::{Row, times};
use crate::rig::guid;
use crate::support::on_threads;

const TENANTS: u64 = 20;
/// Requests of one tenant closer than this belong to one pass.
const ONE_PASS: Duration = Duration::from_secs(1);
/// The least wait after the first failure: half of five seconds.
const LEAST: Duration = Duration::from_millis(2_500);
/// The service's documented quota in a minute, for one tenant.
const QUOTA: usize = 100;

#[test]
fn n6_a_storm_of_server_errors_is_waited_out_apart_and_all_is_caught_up() {
    on_threads(async {
        let row = Row::begin("N6");
        let seconds = times(12, 120);
        let mut field = Field::new(&row, TENANTS, 30, |_| {}).await;
        let daemon = field.house.start();
        field.house.wait_until_read().await;
        for (status, chance) in [(500, 0.25), (502, 0.34), (503, 0.5), (504, 1.0)] {
            let body = FaultBody::Html;
            let fault = Fault::Status { status, body, retry_after: RetryAfter::Absent };
            field.sim.faults().add(FaultRule::new(fault).with_probability(chance));
        }
        let begun = field.sim.world().with(|world| world.now());
        for _ in 0..seconds {
            field.live(3);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let (tries, next) = (assert_apart(&field, begun), "SELECT DISTINCT next_attempt_at FROM tenants");
        let waits: BTreeSet<_> = field.house.query(next).into_iter().collect();
        assert!(waits.len() as u64 > TENANTS / 2, "those who failed together come back together: {waits:?}");
        let seen: Vec<u64> = [500, 502, 503, 504].map(|s| field.sim.stats().total_status(Route::Alerts, s)).to_vec();
        assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
        field.healed(daemon).await;
        row.held(seconds, format!("seconds of storm; {tries} passes of {TENANTS} tenants; answers {seen:?}"));
    });
}

/// Each tenant's passes lie at least as far apart as its failures demand, and it keeps within the quota; how many.
fn assert_apart(field: &Field, begun: Ticks) -> usize {
    let mut tries = 0;
    for tenant in (1..=TENANTS).map(guid) {
        let log = field.sim.stats().log_of(&tenant, Route::Alerts);
        let at: Vec<Ticks> =
            log.iter().filter(|request| request.status != Some(200) && request.at >= begun).map(|r| r.at).collect();
        assert!(at.len() < QUOTA, "{tenant}: {} requests", at.len());
        let mut passes: Vec<Ticks> = Vec::new();
        let mut last: Option<Ticks> = None;
        for time in at {
            if last.is_none_or(|last| time > last + ONE_PASS) {
                passes.push(time);
            }
            last = Some(time);
        }
        for (failures, pair) in passes.windows(2).enumerate() {
            let least = LEAST * 2_u32.pow(u32::try_from(failures.min(5)).expect("small"));
            assert!(
                pair[1] >= pair[0] + least,
                "{tenant}: again {least:?} too early after {failures} failures: {passes:?}"
            );
        }
        tries += passes.len();
    }
    tries
}
