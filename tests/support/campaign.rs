//! Owns the size of a campaign: small in every run of the tests, large where the environment says so, and told in lines
//! that `.ci/campaign` makes a table of.
//!
//! A test of a row of the fault matrix has a name that begins with the row, as `d3_…`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a campaign's size comes from the environment and its result is lines, whatever else a program does"
)]

use std::fmt::Display;
use std::time::Instant;

/// Says that a campaign is large.
const LARGE: &str = "ALERTFERRY_CAMPAIGN";
/// The number that everything random of a row is drawn from.
const SEED: &str = "ALERTFERRY_CAMPAIGN_SEED";

/// Whether this is the large campaign.
pub fn is_large() -> bool {
    std::env::var_os(LARGE).is_some_and(|size| size == "large")
}

/// How often something is done: `small` in every run of the tests, `large` in the large campaign.
pub fn times(small: u64, large: u64) -> u64 {
    if is_large() { large } else { small }
}

/// A row of the matrix while it is tried.
pub struct Row {
    row: &'static str,
    /// Everything random is drawn from it.
    pub seed: u64,
    begun: Instant,
}

impl Row {
    /// Begins; the seed is the environment's, or a new one.
    pub fn begin(row: &'static str) -> Self {
        let given = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| rand::random::<u32>().into());
        eprintln!("campaign {row}: {SEED}={seed}");
        Self { row, seed, begun: Instant::now() }
    }

    /// Tells that it held: how often it was tried, and what was seen.
    pub fn held(self, times: u64, seen: impl Display) {
        let seconds = self.begun.elapsed().as_secs_f64();
        println!("campaign\t{}\t{times}\t{}\t{seconds:.1}\t{seen}", self.row, self.seed);
    }
}
