//! Owns the edges of the decisions of a pass: where one step more or less decides otherwise.

use std::time::Duration;

use super::plan::*;
use crate::defender::{Order, Page, Query};
use crate::domain::{AlertId, Gap, GapReason, TenantId, Ticks, Window};
use crate::store::{Coverage, CoverageMove, GapEdit, NewGap};

const HOUR: i64 = 3_600 * 10_000_000;
const DAY: i64 = 24 * HOUR;
/// The width of a gap that is not split further, in ticks.
const SMALLEST: i64 = 33_334;

fn t(ticks: i64) -> Ticks {
    Ticks::from_ticks(ticks)
}

/// A gap of this width that failed so often and is asked for in so many rows.
fn gap(width: i64, attempts: u32, top: Option<u32>) -> Gap {
    let window = Window::new(t(0), t(width)).expect("not empty");
    Gap { id: 1, window, after_id: None, reason: GapReason::Initial, attempts, top, not_before: None }
}

fn coverage(gaps: Vec<Gap>) -> Coverage {
    Coverage {
        covered_until: Some(t(2 * HOUR)),
        last_sweep_at: Some(t(2 * HOUR)),
        head_failures: 0,
        orderby_refused_at: None,
        gaps,
    }
}

fn options(page_size: u32) -> Options {
    Options { page_size, ..Options::default() }
}

/// A full answer of so many rows; one order ascends, the other descends.
fn page(rows: u32, by_time: bool) -> Page {
    let id = |n: u32| AlertId::new(format!("id{n:03}")).expect("an id");
    let (times, ids): (Vec<u32>, Vec<u32>) = if by_time {
        ((0..rows).collect(), (0..rows).rev().collect())
    } else {
        (vec![0; rows as usize], (0..rows).collect())
    };
    Page {
        rows: rows.into(),
        times: times.into_iter().map(|time| t(i64::from(time) + 10)).collect(),
        ids: ids.into_iter().map(id).collect(),
        in_time_order: true,
        in_id_order: !by_time,
        ..Page::default()
    }
}

#[test]
fn the_default_is_what_the_service_keeps_and_allows() {
    let days = |days: u64| Duration::from_secs(days * 86_400);
    let Options { overlap, backfill, sweep, page_size } = Options::default();
    assert_eq!((overlap, backfill, sweep, page_size), (Duration::from_secs(3_600), days(180), days(7), 10_000));
}

#[test]
fn evidence_and_broken_rows_are_given_up_at_their_number_of_failures() {
    let asked = |width, attempts| {
        let query = gap_query(&gap(width, attempts, None), Order::Time, &options(50));
        (query.evidence, query.lenient)
    };
    assert_eq!(
        [0, 1, 2, 3].map(|attempts| asked(SMALLEST, attempts)),
        [(true, false), (true, false), (true, true), (true, true)]
    );
    assert_eq!(asked(SMALLEST, 4), (false, true));
    assert_eq!(asked(SMALLEST + 1, 4), (true, true), "a gap that can be split keeps its evidence");
    assert_eq!([4, 5].map(|attempts| is_stuck(&gap(SMALLEST, attempts, None))), [false, true]);
}

#[test]
fn fewer_rows_are_asked_for_twice_and_never_too_few() {
    let after = |attempts, top, after_id: Option<&str>| {
        let gap = Gap { after_id: after_id.and_then(AlertId::new), ..gap(DAY, attempts, top) };
        match &after_gap_failure(&gap, "500", t(0), &options(10_000))[..] {
            [GapEdit::Defer { top, not_before: None, .. }] => *top,
            [GapEdit::Close(1), GapEdit::Open(first), GapEdit::Open(second)] => {
                assert_eq!((first.window.from(), first.window.until()), (t(0), Some(t(DAY / 2))));
                assert_eq!((second.window.from(), second.window.until()), (t(DAY / 2), Some(t(DAY))));
                assert_eq!((first.attempts, second.attempts, first.top), (3, 3, top));
                None
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(after(1, None, None), Some(1_000));
    assert_eq!(after(2, Some(1_000), None), Some(100));
    assert_eq!(after(1, Some(101), None), Some(100));
    assert_eq!(after(1, Some(100), None), None, "it is split instead");
    assert_eq!(after(1, Some(5), None), None);
    assert_eq!(after(3, Some(1_000), None), None);
    assert_eq!(after(1, None, Some("a")), None, "ids that were read are not read again for fewer rows");
}

#[test]
fn the_smallest_gap_waits_instead_of_being_split() {
    let after = |width, attempts| after_gap_failure(&gap(width, attempts, Some(100)), "500", t(0), &options(10_000));
    let thin =
        |attempts, not_before| GapEdit::Defer { id: 1, attempts, top: Some(100), not_before, error: "500".to_owned() };
    assert_eq!(after(SMALLEST, 1), [thin(4, None)]);
    assert_eq!(after(SMALLEST, 3), [thin(4, None)]);
    assert_eq!(after(SMALLEST + 1, 3).len(), 3, "one tick more and it is split");
    assert_eq!(after(SMALLEST, 4), [thin(5, Some(t(6 * HOUR)))]);
    assert_eq!(after(DAY, 4), [thin(5, Some(t(6 * HOUR)))]);
}

#[test]
fn rows_double_up_to_the_usual_number() {
    let next = |top, page_size| {
        let gap = gap(DAY, 0, top);
        let query = Query { top: 30, ..gap_query(&gap, Order::Time, &options(page_size)) };
        match after_gap(&gap, &query, &page(30, true), &options(page_size)) {
            Proof::Edits(edits) => match &edits[..] {
                [GapEdit::Shrink { top, .. }] => *top,
                other => panic!("{other:?}"),
            },
            Proof::Instant => panic!("not an instant"),
        }
    };
    assert_eq!(
        [next(None, 100), next(Some(30), 100), next(Some(50), 100), next(Some(30), 60)],
        [None, Some(60), None, None]
    );
    assert_eq!(next(Some(30), 61), Some(60));
}

#[test]
fn an_order_is_believed_from_the_number_of_rows_where_chance_ends() {
    // 22! is more than 2^64 by Stirling's bound, 21! is not.
    for (rows, proved) in [(21, false), (22, true)] {
        let options = options(rows);
        let wide = gap(DAY, 0, None);
        let query = gap_query(&wide, Order::Time, &options);
        let Proof::Edits(edits) = after_gap(&wide, &query, &page(rows, true), &options) else { panic!("no instant") };
        assert_eq!(matches!(edits[0], GapEdit::Shrink { .. }), proved, "{rows} rows by time");
        let tick = gap(1, 0, None);
        let query = gap_query(&tick, Order::Time, &options);
        let by_id = after_gap(&tick, &query, &page(rows, false), &options);
        assert_eq!(by_id != Proof::Instant, proved, "{rows} rows by id");
    }
    // Twice as many rows at two instants could have come in few ways.
    let options = options(44);
    let wide = gap(DAY, 0, None);
    let two = Page { times: [vec![t(10); 22], vec![t(20); 22]].concat(), ..page(44, true) };
    let Proof::Edits(edits) = after_gap(&wide, &gap_query(&wide, Order::Time, &options), &two, &options) else {
        panic!("no instant")
    };
    assert_eq!(edits[0], GapEdit::Close(1), "two groups of equal times prove nothing");
}

#[test]
fn a_gap_shrinks_only_to_where_it_is_smaller() {
    let options = options(30);
    let wide = gap(DAY, 0, None);
    let query = gap_query(&wide, Order::Time, &options);
    let late = |last: i64| {
        let times = (0..30).map(|n| t(last - 29 + n)).collect();
        match after_gap(&wide, &query, &Page { times, ..page(30, true) }, &options) {
            Proof::Edits(edits) => matches!(edits[0], GapEdit::Shrink { .. }),
            Proof::Instant => panic!("not an instant"),
        }
    };
    // One tick before the last row must lie behind the gap's beginning, and before its end.
    assert_eq!([1, 2, DAY, DAY + 1].map(late), [false, true, true, false]);
}

#[test]
fn a_gap_waits_no_longer_than_any_wait_is() {
    let next = |not_before| {
        let waiting = Gap { not_before: Some(t(not_before)), ..gap(DAY, 0, None) };
        next_gap(&coverage(vec![waiting]), t(0)).is_some()
    };
    assert_eq!([0, 1, 6 * HOUR, 6 * HOUR + 1].map(next), [true, false, false, true]);
    assert_eq!(next_retry(&coverage(vec![gap(DAY, 0, None)])), None);
}

#[test]
fn a_head_that_fails_is_asked_for_life_and_becomes_one_failed_gap() {
    assert_eq!([2, 3, 4].map(wants_sign_of_life), [false, true, true]);
    let known = coverage(vec![]);
    let moved = after_head_failure(Window::open(t(0)), &[], 3, Some(t(HOUR)), &known, &options(5));
    let window = Window::new(t(0), t(HOUR)).expect("not empty");
    let rest = NewGap { window, reason: GapReason::Failed, attempts: 1, top: None };
    let expected = CoverageMove {
        covered_until: Some(t(HOUR)),
        head_failures: Some(0),
        gaps: vec![GapEdit::Open(rest)],
        ..CoverageMove::default()
    };
    assert_eq!(moved, expected);
}

#[test]
fn an_instant_that_is_half_read_is_looked_at_again_inside_the_overlap() {
    let begun = |from: i64| {
        let window = Window::new(t(from), t(from + 1)).expect("not empty");
        Gap { window, after_id: AlertId::new("a"), ..gap(1, 0, None) }
    };
    let looks = |known: Coverage| {
        let page = Page { asked_at: Some(t(2 * HOUR)), ..Page::default() };
        let query = Query::since(t(HOUR), 5);
        after_head(Window::open(t(HOUR)), &[], &query, &page, &known, &options(5)).expect("a date").gaps
    };
    let anew = |from| GapEdit::Shrink { id: 1, from: t(from), after_id: None, top: None };
    // The overlap begins an hour before what is covered.
    assert_eq!(looks(coverage(vec![begun(HOUR)])), [anew(HOUR)]);
    assert_eq!(looks(coverage(vec![begun(HOUR - 1)])), []);
    assert_eq!(looks(coverage(vec![Gap { after_id: None, ..begun(HOUR) }])), []);
}

#[test]
fn first_contact_counts_no_failure_and_spreads_looks_within_a_day() {
    for n in 0..50 {
        let tenant = TenantId::parse(&format!("00000000-0000-0000-0000-{n:012}")).expect("a GUID");
        let change = first_contact(tenant, t(400 * DAY), &Options::default());
        assert_eq!(change.head_failures, Some(0));
        let swept = change.swept_at.expect("a time of the first look");
        assert!(t(399 * DAY) < swept && swept <= t(400 * DAY), "{swept}");
    }
}
