//! Owns how many lives are tried, side by side, and what is told of those that broke a promise.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::run::Report;
use crate::support::campaign::{Row, times};
use crate::{house, ops, shrink};

/// So many seeds are the same in every run; the others are new each time.
const KNOWN: u64 = 40;
/// So many of them are lived twice.
const TWICE: u64 = 6;
/// So many of those that break a promise are made shorter.
const MADE_SHORTER: usize = 5;

#[test]
fn sim_no_life_loses_an_alert_or_breaks_another_promise() {
    let row = Row::begin("sim");
    let new = number("ALERTFERRY_CASES").unwrap_or_else(|| times(10, 10_000));
    let seeds: Vec<u64> = match number("ALERTFERRY_SEED") {
        Some(seed) => vec![seed],
        None => (0..KNOWN).chain((0..new).map(|n| row.seed.wrapping_mul(1_000_003).wrapping_add(n))).collect(),
    };
    let (report, broken) = all(&seeds);
    assert!(broken.is_empty(), "{} of {} lives broke a promise:\n{}", broken.len(), seeds.len(), broken.join("\n"));
    row.held(seeds.len() as u64, format!("lives; {report:?}"));
}

#[test]
fn a_seed_lives_the_same_life_twice() {
    for seed in 0..TWICE {
        let (setup, ops) = ops::draw(seed);
        let lines = || shrink::attempt(setup, &ops, true).expect("held").lines;
        let (one, other) = (lines(), lines());
        let same = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
        let around = |lines: &[String]| lines[same.saturating_sub(5)..(same + 2).min(lines.len())].to_vec();
        assert!(one == other, "seed {seed} differs after {same} lines: {:#?}\n{:#?}", around(&one), around(&other));
        assert!(!one.is_empty());
    }
}

/// Lives all of them, on as many threads as there are processors; what they did, and what broke.
fn all(seeds: &[u64]) -> (Report, Vec<String>) {
    let next = AtomicUsize::new(0);
    let (total, broken) = (Mutex::new(Report::default()), Mutex::new(Vec::new()));
    let work = || {
        while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (setup, ops) = ops::draw(*seed);
            match shrink::attempt(setup, &ops, false) {
                Ok(trace) => *house::lock(&total) += trace.report,
                Err(first) => {
                    let mut told = format!("ALERTFERRY_SEED={seed}: {}", first.why);
                    if house::lock(&broken).len() < MADE_SHORTER {
                        let (ops, last) = shrink::shrink(setup, &ops, first);
                        told += &format!("\nwhen made shorter: {}\n{}", last.why, shrink::paste(setup, &ops));
                    }
                    say(&told);
                    house::lock(&broken).push(told);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    (total.into_inner().expect("unbroken"), broken.into_inner().expect("unbroken"))
}

#[expect(clippy::print_stdout, reason = "a long campaign tells what it finds when it finds it")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::disallowed_methods, reason = "the settings' own door to the environment is not for tests")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a whole number"))
}
