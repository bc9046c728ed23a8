//! How much memory the daemon takes at most, and whether a day of polling leaves something behind.
//!
//! `cargo bench --bench memory` reads big answers and hostile ones, each with a daemon of its own, and then lets one daemon
//! poll 200 tenants 288 times, as often as in a day of polls every five minutes. `-- answers` and `-- day` do one part
//! alone; `--tenants` and `--polls` change the day. The day is compressed into some minutes: each poll follows the one
//! before, no faster than the daemon's own limit of calls a minute allows, and tokens live so short that each tenant signs in
//! several times. What depends on the hour of the day, such as the second look once a day, is not in it.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

mod answers;
mod day;
#[path = "../support/mod.rs"]
mod support;

use support::Arguments;

fn main() {
    let arguments = Arguments::of_process();
    let all = !arguments.has("answers") && !arguments.has("day");
    if all || arguments.has("answers") {
        answers::measure();
    }
    if all || arguments.has("day") {
        let number = |name: &str, usual: u64| arguments.number(name).unwrap_or(usual);
        day::measure(number("--tenants", 200), number("--polls", 288));
    }
}

/// A runtime for the simulator, whose world the bench changes meanwhile.
fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime")
}
