//! Owns the promise that nothing is lost and nothing is stored twice, tried in random worlds.
//!
//! Every case is drawn from one number: a world, how it changes while it is being read, what goes wrong, and when the
//! reader is killed. `ALERTFERRY_CASES` says how many are tried; `ALERTFERRY_SEED` tries one again.

#[path = "../support/mod.rs"]
mod support;
#[path = "../worlds/mod.rs"]
mod worlds;

mod case;
mod precise;
mod run;

use std::time::Instant;

/// So many cases are tried unless the environment says otherwise.
const CASES: u64 = 500;
/// So many run side by side: a case mostly waits for a disk or a socket.
const AT_ONCE: usize = 8;

#[test]
fn no_alert_is_lost_or_stored_twice_in_any_world() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let failed = runtime.block_on(async {
        match number("ALERTFERRY_SEED") {
            Some(seed) => all(seed..seed + 1, true).await,
            None => all(0..number("ALERTFERRY_CASES").unwrap_or(CASES), false).await,
        }
    });
    assert!(
        failed.is_empty(),
        "{} case(s) failed; try one again with `ALERTFERRY_SEED={} cargo test --test lossless -- --nocapture`; all: {failed:?}",
        failed.len(),
        failed[0]
    );
}

/// Runs the cases and returns the seeds of those that failed.
async fn all(mut seeds: std::ops::Range<u64>, tells: bool) -> Vec<u64> {
    let begun = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    let mut seed_of = std::collections::HashMap::new();
    let (mut failed, mut total) = (Vec::new(), run::Report::default());
    loop {
        while running.len() < AT_ONCE
            && let Some(seed) = seeds.next()
        {
            seed_of.insert(running.spawn(run::case(seed, tells)).id(), seed);
        }
        match running.join_next_with_id().await {
            None => break,
            Some(Ok((_, report))) => total += report,
            Some(Err(error)) => failed.push(seed_of[&error.id()]),
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    say(&format!("{} cases in {seconds:.1} s: {total:?}", seed_of.len()));
    failed.sort_unstable();
    failed
}

#[expect(clippy::print_stdout, reason = "what was tried is the result of a test like this one")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::disallowed_methods, reason = "the settings' own door to the environment is not for tests")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a whole number"))
}
