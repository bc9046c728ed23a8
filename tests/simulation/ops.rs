//! Owns what can happen in a simulated life, as plain data: how it begins, and one operation after the other. Each
//! operation has its own numbers, so that leaving one out leaves the others what they are.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};

use crate::trouble::Trouble;

/// How a life begins, and what is true all through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// The history of the world and what chance decides in its service.
    pub seed: u64,
    /// Tenants of the world; the configuration begins with all of them.
    pub tenants: usize,
    /// Rows asked for in one answer.
    pub page_size: u32,
    /// Whether there is a daily second look, which would mend what was lost before it.
    pub sweep: bool,
    /// Whether the service compares the unrounded time.
    pub stored_precision: bool,
    /// How likely the world is to change before a request and while an answer is on its way, in percent.
    pub change: u32,
    /// Passes at once.
    pub at_once: usize,
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Op {
    /// Time passes, and whoever is due is read.
    Live { seconds: u64 },
    /// Things happen in the world, with up to so many seconds between them.
    Happen { seed: u64, times: u32, apart: u64 },
    /// Something begins to go wrong for a tenant (0 is all of them), with a chance in percent.
    Begin { tenant: usize, chance: u32, trouble: Trouble },
    /// What went wrong longest is over.
    End,
    /// Nothing goes wrong any more.
    EndAll,
    /// The process dies after so many more commits, or at the end of the next time that passes; the next one starts with the
    /// files as they were at that moment, or as the dying one left them.
    DieAtCommit { commits: u32, copied: bool },
    /// The same after so many more requests.
    DieAtRequest { requests: u32, copied: bool },
    /// It is told to stop, and started again.
    Restart,
    /// The configuration is read again: these tenants (a bit each), so many rows for an answer, so many days of history.
    Reload { tenants: u32, page_size: u32, backfill: u64 },
    /// The machine's clock jumps.
    Jump { seconds: i64 },
    /// The machine sleeps.
    Suspend { seconds: u64 },
    /// Somebody asks for a poll at once.
    PollNow,
}

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
const YEAR: i64 = 365 * 86_400;
/// Sizes of answers, small ones more often: they take windows apart in more ways.
const PAGE_SIZES: [u32; 12] = [2, 4, 8, 13, 30, 30, 50, 50, 100, 100, 1_000, 10_000];
/// The history that is asked for; the world's is shorter.
const BACKFILLS: [u64; 3] = [30, 180, 400];

/// The life of a seed.
pub fn draw(seed: u64) -> (Setup, Vec<Op>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let setup = Setup {
        seed: rng.next_u64(),
        tenants: *[1, 1, 2, 3].choose(&mut rng).expect("some"),
        page_size: *PAGE_SIZES.choose(&mut rng).expect("some"),
        sweep: rng.random_bool(0.2),
        stored_precision: rng.random_bool(0.3),
        change: *[0, 0, 10, 30].choose(&mut rng).expect("some"),
        at_once: *[1, 2, 8].choose(&mut rng).expect("some"),
    };
    let jumps = rng.random_bool(0.3);
    let length = rng.random_range(4..24);
    let ops = (0..length).map(|_| op(&mut rng, &setup, jumps)).collect();
    (setup, ops)
}

fn op(rng: &mut StdRng, setup: &Setup, jumps: bool) -> Op {
    match rng.random_range(0..100) {
        0..34 => Op::Live { seconds: *[1, 20, 301, 301, 900, 3_700].choose(rng).expect("some") },
        34..54 => Op::Happen {
            seed: rng.next_u64(),
            times: rng.random_range(1..4),
            apart: *[0, 0, 1, 60, 600, 3_000].choose(rng).expect("some"),
        },
        54..70 => Op::Begin {
            tenant: rng.random_range(0..=setup.tenants),
            chance: *[5, 20, 50, 100].choose(rng).expect("some"),
            trouble: Trouble::draw(rng),
        },
        70..73 => Op::End,
        73..75 => Op::EndAll,
        75..80 => Op::DieAtCommit { commits: rng.random_range(0..12), copied: rng.random_bool(0.5) },
        80..85 => Op::DieAtRequest { requests: rng.random_range(0..12), copied: rng.random_bool(0.5) },
        85..88 => Op::Restart,
        88..92 => Op::Reload {
            tenants: rng.random_range(0..1 << setup.tenants),
            page_size: if rng.random_bool(0.5) { setup.page_size } else { other_size(rng, setup.page_size) },
            backfill: *BACKFILLS.choose(rng).expect("some"),
        },
        92..95 if jumps => {
            let far = *[1, 90, 3_600, 3_600, 90_000, YEAR].choose(rng).expect("some");
            Op::Jump { seconds: if rng.random_bool(0.5) { far } else { -far } }
        }
        95..97 => Op::Suspend { seconds: *[60, HOUR, 8 * HOUR, 3 * DAY].choose(rng).expect("some") },
        _ => Op::PollNow,
    }
}

/// Another size of answers. Histories made for larger answers have instants that the smallest ones never come to the end
/// of: they take more requests in one go than a minute allows.
fn other_size(rng: &mut StdRng, before: u32) -> u32 {
    let sizes: Vec<u32> = PAGE_SIZES.into_iter().filter(|size| before < 13 || *size >= 13).collect();
    *sizes.choose(rng).expect("some")
}
