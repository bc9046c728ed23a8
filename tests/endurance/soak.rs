//! P6: everything at once for long: many tenants, faults that begin and end, kills, reloads and polls on demand. What the
//! daemon takes of its machine stays what it was, and nothing is lost.

use std::time::{Duration, Instant};

use alertferry_simulator::FaultRule;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::faults::any;
use crate::field::{Field, is_failure};
use crate::gauge::{Gauge, Trend};
use crate::rig::campaign::{Row, is_large, times};
use crate::rig::guid;
use crate::support::{Daemon, on_threads};

/// How long the large one lasts, in seconds, unless it is set.
const LARGE: u64 = 1_800;
/// Says another number of seconds for the large one.
const SECONDS: &str = "ALERTFERRY_SOAK_SECONDS";
/// A log that nobody holds on to is cut back to this, and grows a little before it is.
const LOG: u64 = 72 * 1024 * 1024;
/// So many threads for reads and files come and go with the work.
const MORE_THREADS: u64 = 12;
/// So many connections come and go with the faults, each of which has cut some.
const MORE_FILES: u64 = 96;
/// What an allocator keeps of the largest of all answers, in KiB.
const MORE_MEMORY: u64 = 24 * 1024;

#[expect(clippy::disallowed_methods, reason = "the length of a soak comes from the environment")]
fn length() -> Duration {
    let given = std::env::var(SECONDS).ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(if is_large() { given.unwrap_or(LARGE) } else { 20 })
}

/// Holds what a daemon took in the second half of its life against the first half.
fn assert_flat(gauges: &[Gauge]) -> String {
    let [memory, files, threads] = [
        Trend::of(gauges, |gauge| gauge.memory),
        Trend::of(gauges, |gauge| gauge.files),
        Trend::of(gauges, |gauge| gauge.threads),
    ];
    let log = gauges.iter().map(|gauge| gauge.log).max().unwrap_or_default();
    let said = format!(
        "memory {:?} KiB (most {:?}), files {:?}, threads {:?}, log at most {} KiB",
        memory.medians,
        memory.most,
        files.most,
        threads.most,
        log / 1024
    );
    assert!(memory.medians[1] <= memory.medians[0] * 5 / 4 + MORE_MEMORY, "memory grows: {said}");
    assert!(files.most[1] <= files.most[0] + MORE_FILES, "files grow: {said}");
    assert!(threads.most[1] <= threads.most[0] + MORE_THREADS, "threads grow: {said}");
    assert!(log <= LOG, "the log grows: {said}");
    said
}

/// Everything at once for so long; how many faults struck.
async fn weather(field: &mut Field, daemon: &mut Daemon, dice: &mut StdRng, tenants: u64, lasts: Duration) -> Weather {
    let mut seen = Weather::default();
    let (begun, mut rules) = (Instant::now(), Vec::new());
    // A small one has one kill, early, so that there is a life to look at; a large one has one every five minutes.
    let mut kill = lasts.mul_f64(0.15).min(Duration::from_secs(60));
    let mut second = 0_u64;
    while begun.elapsed() < lasts {
        for _ in 0..tenants.div_ceil(times(5, 10)) {
            let (fault, route) = any(dice);
            let rule = FaultRule::new(fault).on(route).tenant(&guid(dice.random_range(1..=tenants)));
            rules.push(field.sim.faults().add(rule.with_probability(dice.random_range(0.2..1.0))));
        }
        field.live(usize::try_from(tenants / times(6, 20)).expect("few"));
        for tick in 0..4 {
            seen.gauges.extend(Gauge::of(daemon, &field.house.store()));
            tokio::time::sleep(Duration::from_millis(250)).await;
            if tick == 1 && second.is_multiple_of(times(3, 30)) {
                daemon.signal("USR1");
            }
            if tick == 2 && second % times(7, 45) == 3 {
                daemon.signal("HUP");
                seen.reloads += 1;
            }
        }
        // Each fault lasts three seconds or so.
        rules.retain(|rule| {
            let stays = dice.random_bool(0.6);
            if !stays {
                seen.struck += field.sim.faults().struck(*rule);
                field.sim.faults().remove(*rule);
            }
            stays
        });
        if begun.elapsed() > kill {
            kill += Duration::from_secs(if is_large() { 300 } else { 3_600 });
            seen.lives.push(std::mem::take(&mut seen.gauges));
            daemon.signal("KILL");
            daemon.ended().await;
            *daemon = field.house.start();
            daemon.hear("daemon.ready").await;
        }
        second += 1;
    }
    seen.struck += rules.iter().map(|rule| field.sim.faults().struck(*rule)).sum::<u64>();
    let last = std::mem::take(&mut seen.gauges);
    seen.lives.push(last);
    seen
}

/// What was seen.
#[derive(Default)]
struct Weather {
    struck: u64,
    reloads: u64,
    gauges: Vec<Gauge>,
    /// What each daemon took while it lived.
    lives: Vec<Vec<Gauge>>,
}

#[test]
fn p6_a_soak_of_everything_leaves_memory_files_threads_and_log_flat_and_loses_nothing() {
    on_threads(async {
        let row = Row::begin("P6");
        let (tenants, lasts) = (times(40, 200), length());
        let mut dice = StdRng::seed_from_u64(row.seed);
        let mut field = Field::new(&row, tenants, 30, |config| {
            // There are a hundred calls in a minute and 1,500 in an hour for each tenant, and those who mend need some.
            config.poll = format!("request_timeout = \"2s\"\npage_size = {}", times(100, 500));
            config.schedule = if is_large() { "*/10 * * * * *" } else { "*/4 * * * * *" };
        })
        .await;
        let mut daemon = field.house.start();
        field.house.wait_until_read_once().await;
        let seen = weather(&mut field, &mut daemon, &mut dice, tenants, lasts).await;
        let longest = seen.lives.iter().max_by_key(|life| life.len()).expect("a life");
        let flat = assert_flat(longest);
        let failed = field.house.all_lines().iter().filter(|line| is_failure(line)).count();
        field.sim.faults().clear();
        // Whoever was refused is tried again when somebody has acted.
        daemon.signal("HUP");
        field.healed(daemon).await;
        let Weather { struck, reloads, lives, .. } = seen;
        let kills = lives.len() - 1;
        row.held(
            lasts.as_secs(),
            format!(
                "seconds for {tenants} tenants, {struck} faults struck, {failed} passes failed, {kills} kills, {reloads} \
                 reloads; {flat}"
            ),
        );
    });
}
