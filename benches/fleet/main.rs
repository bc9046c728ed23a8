//! What a fleet costs: the daemon as a process, against a simulator over HTTP, with every tenant due once an interval.
//!
//! `cargo bench --bench fleet` reads 1,000 tenants once a minute for some minutes;
//! `cargo bench --bench fleet -- --tenants 10000 --interval 300` takes half an hour and is the real thing. With a shorter
//! interval (`--interval SECONDS`), the interval and the time limit of a request are compressed by the same factor, and
//! nothing else is: the ticks are still a second apart, and whoever failed is still asked again after the same time.
//! `--troubled PERCENT` changes how many tenants are in trouble at once (1), `--profile SECONDS` only reads on and says
//! the daemon's process id, for whoever wants to look into it.
//!
//! Lateness is counted from a tenant's own instant, which the schedule gives it and which is worked out here anew, to the
//! begin and the end of the pass, as the daemon's own lines say them.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

mod bare;
mod lateness;
mod phases;
#[path = "../support/mod.rs"]
mod support;
mod trouble;
mod world;

use std::time::Duration;

use support::Arguments;

/// The interval of a fleet in its daily life, and how long a request may take then.
const REAL_INTERVAL: u64 = 300;
const REAL_TIMEOUT: u64 = 60;

/// Passes at once, as in the default configuration; the bare client asks as many at once.
const AT_ONCE: usize = 32;

/// What is measured.
#[derive(Debug, Clone, Copy)]
struct Size {
    tenants: usize,
    /// Seconds.
    interval: u64,
    /// Every how many-th tenant is in trouble.
    one_in: usize,
}

impl Size {
    fn interval(self) -> Duration {
        Duration::from_secs(self.interval)
    }

    /// The time limit of a request, compressed as the interval is.
    fn timeout(self) -> u64 {
        (REAL_TIMEOUT * self.interval / REAL_INTERVAL).max(1)
    }

    /// The lines of the section `poll`.
    fn poll(self) -> String {
        let (schedule, timeout) = (self.schedule(), self.timeout());
        format!("schedule = \"{schedule}\"\nrequest_timeout = \"{timeout}s\"\nmax_concurrent_tenants = {AT_ONCE}")
    }

    /// The pattern of the schedule.
    fn schedule(self) -> String {
        match self.interval {
            seconds if seconds < 60 && 60 % seconds == 0 => format!("*/{seconds} * * * * *"),
            60 => "0 * * * * *".to_owned(),
            seconds if seconds % 60 == 0 && 60 % (seconds / 60) == 0 => format!("0 */{} * * * *", seconds / 60),
            _ => panic!("--interval takes what divides a minute, or minutes that divide an hour"),
        }
    }
}

fn main() {
    let arguments = Arguments::of_process();
    if arguments.word(0) == Some("bare") {
        return bare::ask(&arguments);
    }
    let number = |name: &str, usual: u64| arguments.number(name).unwrap_or(usual);
    let percent = number("--troubled", 1).clamp(1, 25);
    let size = Size {
        tenants: usize::try_from(number("--tenants", 1_000)).expect("small"),
        interval: number("--interval", 60),
        one_in: usize::try_from(100 / percent).expect("small"),
    };
    println!(
        "{} tenants, each due once in {} s ({}), a request may take {} s; daemon and simulator on the same {} processors",
        size.tenants,
        size.interval,
        if size.interval == REAL_INTERVAL { "as in daily life" } else { "in daily life 300 s: compressed" },
        size.timeout(),
        std::thread::available_parallelism().map_or(1, usize::from),
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let world = runtime.block_on(world::Fleet::start(size.tenants));
    match arguments.number("--profile") {
        Some(seconds) => phases::only_read(&world, size, Duration::from_secs(seconds)),
        None => phases::measure(&world, size),
    }
}
