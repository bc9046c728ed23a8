//! Lives that broke a promise once, as short as they could be made.

use crate::ops::Op::{self, *};
use crate::ops::Setup;
use crate::shrink::attempt;
use crate::trouble::{Trouble::*, Wait::*};

fn held(setup: Setup, ops: &[Op]) {
    if let Err(broken) = attempt(setup, ops, false) {
        panic!("{}", broken.why);
    }
}

/// A window that always fails makes a pass ask for a sign of life; the service's wish to wait was dropped when it came as
/// the answer to that, and the tenant was back with the next poll.
#[test]
fn a_wish_to_wait_in_answer_to_a_sign_of_life_is_kept() {
    held(
        Setup {
            seed: 14_245_111_045_309_548_439,
            tenants: 1,
            page_size: 50,
            sweep: false,
            stored_precision: false,
            change: 0,
            at_once: 8,
        },
        &[
            Begin { tenant: 1, chance: 5, trouble: Throttled(Date(1_800)) },
            Live { seconds: 3_700 },
            Begin { tenant: 0, chance: 100, trouble: CutPart(0.82) },
            DieAtRequest { requests: 8, copied: true },
            Begin { tenant: 1, chance: 5, trouble: Unauthorized },
            Happen { seed: 16_634_784_189_640_410_826, times: 3, apart: 1 },
            Live { seconds: 3_700 },
        ],
    );
}

/// A tenant that was taken out of the configuration and put back was due at once, whatever its service had asked for; and
/// so it was when somebody asked for a poll.
#[test]
fn a_tenant_that_is_taken_out_and_put_back_waits_as_long_as_it_was_told() {
    let setup =
        Setup { seed: 1, tenants: 1, page_size: 50, sweep: false, stored_precision: false, change: 0, at_once: 1 };
    let told_to_wait = [Begin { tenant: 0, chance: 100, trouble: Throttled(Seconds(3_600)) }, Live { seconds: 301 }];
    let out_and_back = [0, 1].map(|tenants| Reload { tenants, page_size: 50, backfill: 30 });
    for asked in [&[][..], &[PollNow][..]] {
        let ops = [&told_to_wait[..], &out_and_back, asked, &[Live { seconds: 20 }]].concat();
        held(setup, &ops);
    }
}

/// An answer without a date of its own said until when to wait, and that was taken for no word at all.
#[test]
fn a_date_to_come_back_at_is_kept_in_an_answer_without_a_date() {
    let setup =
        Setup { seed: 1, tenants: 1, page_size: 100, sweep: false, stored_precision: true, change: 0, at_once: 8 };
    let undated = [NoDate, Throttled(Date(1_800))].map(|trouble| Begin { tenant: 0, chance: 100, trouble });
    held(setup, &[&undated[..], &[Live { seconds: 3_700 }]].concat());
}

/// The service's date was a day ahead, and nobody read for more than a day: the head began at what had been called covered,
/// behind all that had changed since the last success.
#[test]
fn what_a_wrong_date_called_covered_is_read_after_a_long_silence() {
    let setup = |seed, page_size| Setup {
        seed,
        tenants: 1,
        page_size,
        sweep: false,
        stored_precision: false,
        change: 0,
        at_once: 1,
    };
    for seconds in [86_400, 31_536_000] {
        let wrong = Begin { tenant: 1, chance: 100, trouble: WrongDate(seconds) };
        let happen = |times| Happen { seed: 10_743_713_710_270_815_014, times, apart: 1 };
        held(setup(13_004_655_243_867_332_451, 8), &[wrong, happen(3), Live { seconds: 301 }]);
        held(
            setup(10_399_828_260_517_885_205, 50),
            &[wrong, Live { seconds: 3_700 }, happen(3), Live { seconds: 301 }],
        );
    }
}
