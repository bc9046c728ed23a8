//! Owns the tables that say what a pass's end means for its tenant.

use std::time::Duration;

use super::ending::*;
use super::reader::Tally;
use super::windows::Read;
use crate::domain::{Failure, FailureClass, Gap, GapReason, TenantState, Ticks, Window};
use crate::store::{Counts, Coverage, PassRecord, Standing, TenantKey};

fn at(seconds: i64) -> Ticks {
    Ticks::from_unix_seconds(seconds)
}

/// A pass from 1,000 to 1,002, which the schedule wants again at 1,300.
fn times(roll: f64) -> Times {
    let took = Duration::from_millis(2_345);
    Times { started_at: at(1_000), finished_at: at(1_002), took, next_slot: at(1_300), roll }
}

fn gap(attempts: u32, not_before: Option<Ticks>) -> Gap {
    let window = Window::new(at(1), at(2)).expect("not empty");
    Gap { id: 1, window, after_id: None, reason: GapReason::Initial, attempts, top: None, not_before }
}

fn read(gaps: Vec<Gap>, unfinished: bool) -> Read {
    let coverage = Coverage {
        covered_until: Some(at(900)),
        last_sweep_at: None,
        head_failures: 0,
        orderby_refused_at: None,
        gaps,
    };
    Read { coverage, unfinished, skew_ms: Some(-7) }
}

fn before(consecutive_failures: u32) -> Standing {
    Standing {
        key: TenantKey::for_tests(1),
        state: TenantState::Ok,
        last_success_at: None,
        consecutive_failures,
        calls_spent: 0,
        calls_counted_at: None,
        clock_skew_ms: None,
        asked_until: None,
    }
}

#[test]
fn a_pass_that_read_all_there_was_comes_back_with_the_schedule() {
    let counts = Counts { created: 1, updated: 2, unchanged: 3, quarantined: 4 };
    let tally = Tally { requests: 5, rows: 6, counts, bytes: 7, gaps_moved: true };
    let expected = PassRecord {
        started_at: at(1_000),
        finished_at: at(1_002),
        outcome: "read",
        eventful: true,
        requests: 5,
        rows: 6,
        counts,
        bytes: 7,
        ms: 2_345,
        failure: None,
        state: TenantState::Ok,
        reason: None,
        remedy: None,
        consecutive_failures: 0,
        next_attempt_at: at(1_300),
        calls_spent: 8,
        clock_skew_ms: Some(-7),
    };
    assert_eq!(of_read(&read(Vec::new(), false), tally, 8, times(0.5)), expected);
}

#[test]
fn what_is_left_unread_decides_when_to_come_back() {
    let next = |gaps, unfinished| of_read(&read(gaps, unfinished), Tally::default(), 0, times(0.5)).next_attempt_at;
    assert_eq!(next(Vec::new(), true), at(1_003), "there is more to read");
    assert_eq!(
        next(vec![gap(1, Some(at(1_100))), gap(1, Some(at(1_050)))], false),
        at(1_050),
        "the first to try again"
    );
    assert_eq!(next(vec![gap(1, Some(at(2_000)))], false), at(1_300), "no later than the schedule");
    let outcome = |unfinished| of_read(&read(Vec::new(), unfinished), Tally::default(), 0, times(0.5)).outcome;
    assert_eq!([false, true].map(outcome), ["read", "partial"]);
}

#[test]
fn windows_that_cannot_be_read_degrade_their_tenant_and_say_so() {
    let stuck = gap(99, None);
    let record = of_read(&read(vec![stuck.clone(), gap(1, None), stuck], false), Tally::default(), 0, times(0.5));
    assert_eq!(record.state, TenantState::Degraded);
    assert!(record.reason.expect("a reason").starts_with("2 small window(s)"));
    assert!(record.remedy.expect("a remedy").contains("`gaps`"));
}

#[test]
fn whatever_changed_something_has_a_row_of_its_own() {
    let eventful = |counts, gaps_moved| {
        let tally = Tally { counts, gaps_moved, ..Tally::default() };
        of_read(&read(Vec::new(), false), tally, 0, times(0.5)).eventful
    };
    let none = Counts { unchanged: 9, ..Counts::default() };
    assert!(!eventful(none, false));
    assert!(eventful(none, true));
    assert!(eventful(Counts { created: 1, ..none }, false));
    assert!(eventful(Counts { updated: 1, ..none }, false));
    assert!(eventful(Counts { quarantined: 1, ..none }, false));
}

#[test]
fn a_failed_pass_is_recorded_with_its_reason_and_counted() {
    let failure = Failure::new(FailureClass::Transient, "cut off").with_remedy("wait");
    let record = of_failure(failure.clone(), &before(1), Tally::default(), 8, times(1.0));
    assert_eq!((record.outcome, record.eventful, record.state), ("failed", true, TenantState::Degraded));
    assert_eq!((record.reason.as_deref(), record.remedy.as_deref()), (Some("cut off"), Some("wait")));
    assert_eq!((record.consecutive_failures, record.next_attempt_at), (2, at(1_012)));
    assert_eq!((record.failure, record.calls_spent, record.clock_skew_ms), (Some(failure), 8, None));
    let bare =
        of_failure(Failure::new(FailureClass::Transient, "cut off"), &before(2), Tally::default(), 0, times(1.0));
    assert_eq!((bare.state, bare.remedy), (TenantState::Unreachable, None));
}

#[test]
fn whoever_was_asked_to_wait_is_throttled_whatever_failed() {
    let failure = Failure::new(FailureClass::Transient, "busy").with_retry_after(Some(Duration::from_secs(60)));
    let record = of_failure(failure, &before(0), Tally::default(), 0, times(0.5));
    assert_eq!(record.state, TenantState::Throttled);
    assert_eq!(record.next_attempt_at, at(1_062).plus(Duration::from_millis(500)), "spread over a second");
}

#[test]
fn nobody_waits_for_longer_than_six_hours() {
    let failure = Failure::new(FailureClass::Throttled, "").with_retry_after(Some(Duration::from_secs(86_400)));
    assert_eq!(wait_after(&failure, 1, 0.0), Duration::from_secs(21_600));
}

#[test]
fn a_clock_that_is_set_back_during_a_pass_sends_nobody_into_the_future() {
    let at = Ticks::from_unix_seconds;
    assert_eq!(begun_by(at(100), at(160)), at(100), "an overrun is made up for at once");
    assert_eq!(begun_by(at(31_536_100), at(160)), at(160));
}

#[test]
fn the_class_decides_the_wait() {
    let wait = |class, failures| wait_after(&Failure::new(class, ""), failures, 1.0).as_secs();
    assert_eq!([1, 2, 7, 99].map(|n| wait(FailureClass::Transient, n)), [5, 10, 300, 300]);
    assert_eq!([1, 2, 3, 9].map(|n| wait(FailureClass::Tenant, n)), [900, 1800, 3600, 3600]);
    assert_eq!([1, 5].map(|n| wait(FailureClass::App, n)), [60, 900]);
}

#[test]
fn the_service_is_never_asked_too_early() {
    for class in [FailureClass::Throttled, FailureClass::Transient] {
        let failure = Failure::new(class, "").with_retry_after(Some(Duration::from_secs(3_600)));
        for roll in [0.0, 0.5, 1.0] {
            let wait = wait_after(&failure, 1, roll);
            assert!(wait >= Duration::from_secs(3_600) && wait <= Duration::from_secs(3_601), "{wait:?}");
        }
    }
}
