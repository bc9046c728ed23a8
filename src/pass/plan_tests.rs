//! Owns the tables that hold the decisions of a pass.

use std::time::Duration;

use super::plan::*;
use crate::defender::{Order, Page, Query};
use crate::domain::{AlertId, Gap, GapReason, TenantId, Ticks, Window};
use crate::store::{Coverage, CoverageMove, GapEdit, NewGap};

const SECOND: i64 = 10_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

fn t(ticks: i64) -> Ticks {
    Ticks::from_ticks(ticks)
}

fn w(from: i64, until: i64) -> Window {
    Window::new(t(from), t(until)).expect("not empty")
}

fn gap(from: i64, until: i64) -> Gap {
    Gap {
        id: 1,
        window: w(from, until),
        after_id: None,
        reason: GapReason::Initial,
        attempts: 0,
        top: None,
        not_before: None,
    }
}

fn coverage(covered_until: i64, gaps: Vec<Gap>) -> Coverage {
    Coverage {
        covered_until: Some(t(covered_until)),
        last_sweep_at: Some(t(covered_until)),
        head_failures: 0,
        orderby_refused_at: None,
        gaps,
    }
}

/// An answer with these times, whose ids descend, so that only an order by time explains ascending times.
fn page(times: &[i64]) -> Page {
    let ids = (0..times.len()).rev().map(|n| AlertId::new(format!("id{n:05}")).expect("an id")).collect();
    Page {
        rows: times.len() as u64,
        times: times.iter().map(|time| t(*time)).collect(),
        in_time_order: times.is_sorted(),
        in_id_order: false,
        ids,
        asked_at: Some(t(10 * DAY)),
        ..Page::default()
    }
}

fn options(page_size: u32) -> Options {
    Options { page_size, ..Options::default() }
}

fn edits(proof: Proof) -> Vec<GapEdit> {
    match proof {
        Proof::Edits(edits) => edits,
        Proof::Instant => panic!("not an instant"),
    }
}

fn opened(edits: &[GapEdit]) -> Vec<Window> {
    let window = |edit: &GapEdit| if let GapEdit::Open(gap) = edit { Some(gap.window) } else { None };
    edits.iter().filter_map(window).collect()
}

#[test]
fn the_head_begins_an_hour_before_and_leaves_out_what_is_unread_anyway() {
    let options = Options::default();
    assert_eq!(head(t(5 * HOUR), &coverage(5 * HOUR, vec![]), &options), (Window::open(t(4 * HOUR)), vec![]));
    let unread = HOUR * 9 / 2;
    let with_gap = coverage(5 * HOUR, vec![gap(0, 10), gap(unread, unread + 7)]);
    assert_eq!(head(t(5 * HOUR), &with_gap, &options), (Window::open(t(unread + 7)), vec![w(4 * HOUR, unread)]));
}

#[test]
fn an_answer_that_is_not_full_closes_its_gap_whatever_its_order() {
    let answer = page(&[5, 3, 9]);
    let query = gap_query(&gap(0, 100), Order::Time, &options(4));
    assert_eq!(edits(after_gap(&gap(0, 100), &query, &answer, &options(4))), [GapEdit::Close(1)]);
}

#[test]
fn a_sorted_full_answer_moves_the_gap_to_one_tick_before_its_last_row() {
    let times: Vec<i64> = (10..40).collect();
    let query = gap_query(&gap(0, 100), Order::Time, &options(30));
    let shrink = GapEdit::Shrink { id: 1, from: t(38), after_id: None, top: None };
    assert_eq!(edits(after_gap(&gap(0, 100), &query, &page(&times), &options(30))), [shrink]);
}

#[test]
fn a_full_answer_that_proves_no_order_splits_the_gap_at_its_median() {
    let ascending: Vec<i64> = (10..40).collect();
    let few = [10, 20, 30];
    let by_id = Page { in_id_order: true, ..page(&ascending) };
    let descending = page(&ascending.iter().rev().copied().collect::<Vec<_>>());
    for (why, answer, order, median) in [
        ("ids in order too", by_id, Order::Time, 25),
        ("times not in order", descending, Order::Time, 25),
        ("order not asked for", page(&ascending), Order::Unasked, 25),
        ("too few rows to be sure", page(&few), Order::Time, 20),
        ("one instant shared by all", page(&[50; 30]), Order::Time, 50),
    ] {
        let options = options(u32::try_from(answer.rows).expect("few"));
        let query = gap_query(&gap(0, 100), order, &options);
        let edits = edits(after_gap(&gap(0, 100), &query, &answer, &options));
        assert_eq!(edits[0], GapEdit::Close(1), "{why}");
        assert_eq!(opened(&edits), [w(0, median), w(median, 100)], "{why}");
    }
}

#[test]
fn every_split_makes_both_halves_smaller() {
    for times in [vec![0; 3], vec![99; 3], vec![1_000; 3], vec![-5; 3]] {
        let query = gap_query(&gap(0, 100), Order::Time, &options(3));
        let halves = opened(&edits(after_gap(&gap(0, 100), &query, &page(&times), &options(3))));
        assert_eq!(halves.len(), 2, "{times:?}");
        assert!(
            halves[0].until() == Some(halves[1].from())
                && halves[0].from() == t(0)
                && halves[1].until() == Some(t(100))
        );
    }
    let unusable = Page { times: vec![], ids: vec![], ..page(&[1, 2, 3]) };
    let query = gap_query(&gap(0, 100), Order::Time, &options(3));
    assert_eq!(opened(&edits(after_gap(&gap(0, 100), &query, &unusable, &options(3)))), [w(0, 50), w(50, 100)]);
}

#[test]
fn one_full_tick_is_an_instant_and_goes_on_by_id_where_that_is_proved() {
    let one_tick = gap(50, 51);
    let query = gap_query(&one_tick, Order::Time, &options(40));
    assert_eq!(query.order, Order::Id, "within one tick only ids can tell rows apart");
    assert_eq!(after_gap(&one_tick, &query, &page(&[50; 40]), &options(40)), Proof::Instant);
    let begun = Gap { after_id: AlertId::new("a"), ..one_tick };
    let query = gap_query(&begun, Order::Time, &options(40));
    assert_eq!((query.order, query.after_id.clone()), (Order::Id, AlertId::new("a")));
    let ids: Vec<AlertId> = (0..40).map(|n| AlertId::new(format!("b{n:02}")).expect("an id")).collect();
    let sorted = Page { in_id_order: true, ids: ids.clone(), ..page(&[50; 40]) };
    let next = GapEdit::Shrink { id: 1, from: t(50), after_id: AlertId::new("b39"), top: None };
    assert_eq!(edits(after_gap(&begun, &query, &sorted, &options(40))), [next]);
    let named = Gap { after_id: AlertId::new("b00"), ..begun.clone() };
    let query = gap_query(&named, Order::Time, &options(40));
    assert_eq!(after_gap(&named, &query, &sorted, &options(40)), Proof::Instant, "the named one is no id behind it");
    let before = Gap { after_id: AlertId::new("c"), ..begun };
    let query = gap_query(&before, Order::Time, &options(40));
    assert_eq!(after_gap(&before, &query, &sorted, &options(40)), Proof::Instant, "the ids lie before the named one");
}

#[test]
fn a_head_that_is_not_full_covers_up_to_the_moment_of_asking() {
    let known = coverage(10 * DAY - HOUR, vec![]);
    let window = Window::open(t(10 * DAY - 2 * HOUR));
    let query = Query::since(window.from(), 5);
    let change = after_head(window, &[], &query, &page(&[1, 2]), &known, &options(5)).expect("a date");
    let expected = CoverageMove { covered_until: Some(t(10 * DAY)), head_failures: Some(0), ..CoverageMove::default() };
    assert_eq!(change, expected);
    let nothing = Page { asked_at: None, ..page(&[]) };
    assert_eq!(after_head(window, &[], &query, &nothing, &known, &options(5)), None);
}

#[test]
fn the_rest_of_a_full_head_becomes_a_gap() {
    let known = coverage(10 * DAY - HOUR, vec![]);
    let window = Window::open(t(9 * DAY));
    let times: Vec<i64> = (0..30).map(|n| 9 * DAY + n * SECOND).collect();
    let query = Query::since(window.from(), 30);
    let change = after_head(window, &[], &query, &page(&times), &known, &options(30)).expect("a date");
    assert_eq!(opened(&change.gaps), [w(9 * DAY + 29 * SECOND - 1, 10 * DAY)]);
    let unsorted: Vec<i64> = times.iter().rev().copied().collect();
    let change = after_head(window, &[], &query, &page(&unsorted), &known, &options(30)).expect("a date");
    assert_eq!(opened(&change.gaps), [w(9 * DAY, 10 * DAY)]);
}

#[test]
fn the_daily_look_is_opened_once_a_day_around_what_is_unread() {
    let mut known = coverage(10 * DAY - HOUR, vec![gap(5 * DAY, 6 * DAY)]);
    let window = Window::open(t(10 * DAY - 2 * HOUR));
    let query = Query::since(window.from(), 5);
    let look = |known: &Coverage| after_head(window, &[], &query, &page(&[]), known, &options(5)).expect("a date");
    assert_eq!(look(&known).gaps, [], "an hour ago is not a day ago");
    known.last_sweep_at = Some(t(9 * DAY));
    assert_eq!(opened(&look(&known).gaps), [w(3 * DAY, 5 * DAY), w(6 * DAY, 10 * DAY)]);
    assert_eq!(look(&known).swept_at, Some(t(10 * DAY)));
    let off = Options { sweep: Duration::ZERO, ..options(5) };
    let change = after_head(window, &[], &query, &page(&[]), &known, &off).expect("a date");
    assert_eq!(change.swept_at, None);
}

#[test]
fn first_contact_opens_the_history_and_spreads_the_daily_looks() {
    let tenant = |n: u64| TenantId::parse(&format!("00000000-0000-0000-0000-{n:012}")).expect("a GUID");
    let change = first_contact(tenant(1), t(400 * DAY), &Options::default());
    assert_eq!(opened(&change.gaps), [w(220 * DAY, 400 * DAY)]);
    assert_eq!(change.covered_until, Some(t(400 * DAY)));
    let other = first_contact(tenant(2), t(400 * DAY), &Options::default());
    assert_ne!(change.swept_at, other.swept_at);
}

#[test]
fn a_head_that_keeps_failing_becomes_a_gap_only_when_the_service_lives() {
    let window = Window::open(t(0));
    let counted = |failures| CoverageMove { head_failures: Some(failures), ..CoverageMove::default() };
    let known = coverage(0, vec![]);
    let after = |failures, alive_at| after_head_failure(window, &[], failures, alive_at, &known, &options(5));
    assert_eq!(after(1, None), counted(1));
    assert_eq!(after(2, Some(t(HOUR))), counted(2));
    assert_eq!(after(9, None), counted(9));
    let moved = after(3, Some(t(HOUR)));
    assert_eq!((moved.covered_until, opened(&moved.gaps)), (Some(t(HOUR)), vec![w(0, HOUR)]));
}

/// What is left of a gap when every answer that holds `poison` fails, and the failures it took.
fn take_apart(poison: i64, whole: Gap) -> (Vec<Gap>, usize) {
    let (mut gaps, mut failures) = (vec![whole], 0);
    while let Some(at) = gaps.iter().position(|gap| gap.attempts <= 4) {
        let gap = gaps.swap_remove(at);
        let holds = gap.window.from() <= t(poison) && gap.window.until().is_some_and(|until| t(poison) < until);
        if !holds {
            continue;
        }
        failures += 1;
        for edit in after_gap_failure(&gap, "500", t(0), &Options::default()) {
            match edit {
                GapEdit::Open(NewGap { window, reason, attempts, top }) => {
                    gaps.push(Gap { id: 9, window, after_id: None, reason, attempts, top, not_before: None });
                }
                GapEdit::Defer { attempts, top, not_before, .. } => {
                    gaps.push(Gap { attempts, top, not_before, ..gap.clone() });
                }
                GapEdit::Close(_) | GapEdit::Shrink { .. } => {}
            }
        }
    }
    (gaps, failures)
}

#[test]
fn a_window_that_always_fails_is_taken_apart_until_the_trouble_is_alone() {
    for poison in [0, 12_345, 90 * DAY + 7, 180 * DAY - 1] {
        let (left, failures) = take_apart(poison, gap(0, 180 * DAY));
        assert_eq!(left.len(), 1, "{left:?}");
        let window = left[0].window;
        let width = window.until().expect("an end").since(window.from());
        assert!(width <= Duration::from_millis(4) && window.from() <= t(poison), "{window}");
        assert!(is_stuck(&left[0]) && left[0].not_before.is_some());
        assert!(failures < 45, "{failures} failures");
    }
}

#[test]
fn the_first_failure_of_a_gap_is_taken_for_chance() {
    let edits = after_gap_failure(&gap(0, HOUR), "500", t(DAY), &Options::default());
    let [GapEdit::Defer { attempts: 1, top: None, not_before: Some(wait), .. }] = &edits[..] else {
        panic!("{edits:?}")
    };
    assert!(*wait > t(DAY));
}

#[test]
fn gaps_are_read_fewest_failures_first_then_oldest_and_not_before_their_time() {
    let each = |id, from, attempts, not_before: Option<i64>| Gap {
        id,
        attempts,
        not_before: not_before.map(t),
        ..gap(from, from + 5)
    };
    let known =
        coverage(0, vec![each(1, 10, 2, None), each(2, 30, 0, None), each(3, 20, 0, None), each(4, 0, 0, Some(HOUR))]);
    assert_eq!(next_gap(&known, t(0)).map(|gap| gap.id), Some(3));
    assert_eq!(next_gap(&known, t(HOUR)).map(|gap| gap.id), Some(4));
    assert_eq!(next_retry(&known), Some(t(HOUR)));
    let long_ago = coverage(0, vec![each(5, 0, 0, Some(9 * DAY))]);
    assert!(next_gap(&long_ago, t(0)).is_some(), "the clock was set back since");
}

#[test]
fn a_gap_older_than_the_service_keeps_is_expired() {
    let known = coverage(0, vec![gap(0, 10), gap(5, 20 * DAY)]);
    let expired_at = |now| expired(&known, t(now), &Options::default()).map(|gap| gap.window).collect::<Vec<_>>();
    assert_eq!(expired_at(100 * DAY), []);
    assert_eq!(expired_at(190 * DAY), [w(0, 10)]);
    let further = Options { backfill: Duration::from_secs(400 * 86_400), ..Options::default() };
    assert_eq!(expired(&known, t(190 * DAY), &further).count(), 0, "the operator knows better");
}

#[test]
fn a_refused_order_is_not_asked_for_again_for_a_day() {
    let mut known = coverage(0, vec![]);
    assert_eq!(order(&known, t(0)), Order::Time);
    known.orderby_refused_at = Some(t(DAY));
    assert_eq!(
        [order(&known, t(DAY)), order(&known, t(2 * DAY - 1)), order(&known, t(2 * DAY))],
        [Order::Unasked, Order::Unasked, Order::Time]
    );
    assert_eq!(order(&known, t(0)), Order::Time, "a clock set back does not freeze it");
}

#[test]
fn a_wrong_date_cannot_make_the_future_look_read() {
    let held =
        |told, success: Option<i64>, now| plausible(t(told), Some(t(10 * DAY)), success.map(t), t(now)).as_ticks();
    assert_eq!(held(10 * DAY + HOUR / 2, Some(50 * DAY), 50 * DAY), 10 * DAY + HOUR / 2, "an honest date stays");
    assert_eq!(held(400 * DAY, Some(50 * DAY), 50 * DAY + HOUR), 10 * DAY + 2 * HOUR);
    assert_eq!(held(13 * DAY, Some(50 * DAY), 53 * DAY), 13 * DAY, "three days of silence are three days");
    assert_eq!(held(400 * DAY, Some(50 * DAY), 20 * DAY), 10 * DAY + HOUR, "the local clock was set back");
    assert_eq!(held(400 * DAY, None, 50 * DAY), 50 * DAY, "at first, the local clock is all there is");
    assert_eq!(held(3 * DAY, None, 50 * DAY), 3 * DAY);
}

#[test]
fn many_wrong_dates_cannot_make_it_look_read_either() {
    let (mut covered, mut now) = (t(10 * DAY), t(10 * DAY));
    for _ in 0..2_000 {
        let later = now.plus(Duration::from_secs(300));
        covered = covered.max(plausible(t(400 * DAY), Some(covered), Some(now), later));
        now = later;
    }
    assert!(covered > now.plus(Duration::from_secs(86_400)) && covered <= now.plus(Duration::from_secs(90_000)));
    // And wherever that has led, what changes after the last success is read.
    let later = now.plus(Duration::from_secs(40 * 86_400));
    assert!(believed(covered, Some(now), later) <= now);
}

#[test]
fn a_head_begins_in_no_future_that_wrong_dates_have_made() {
    let from = |covered, success: Option<i64>, now| believed(t(covered), success.map(t), t(now)).as_ticks();
    assert_eq!(from(10 * DAY, Some(10 * DAY + 1), 10 * DAY + HOUR), 10 * DAY, "usually it is what is covered");
    assert_eq!(from(10 * DAY + 2 * HOUR, Some(10 * DAY), 10 * DAY), 10 * DAY, "two wrong dates");
    assert_eq!(from(11 * DAY, Some(10 * DAY), 15 * DAY), 10 * DAY, "and then nobody reads until that future is past");
    assert_eq!(from(11 * DAY, None, 10 * DAY + HOUR), 10 * DAY + HOUR, "before any success");
    assert_eq!(
        from(10 * DAY, Some(2 * DAY), 2 * DAY),
        9 * DAY - 2 * HOUR,
        "a clock that is behind costs a day at most"
    );
}
