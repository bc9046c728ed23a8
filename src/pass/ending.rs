//! Owns what a pass's end means for its tenant: the state, and when to come back. Pure functions.

use std::time::Duration;

use super::plan;
use super::reader::Tally;
use super::windows::Read;
use crate::backoff::Backoff;
use crate::defender::LONGEST_WAIT;
use crate::domain::{Failure, FailureClass, TenantState, Ticks};
use crate::store::{PassRecord, Standing};

/// After a hiccup.
const TRANSIENT: Backoff = Backoff { first: Duration::from_secs(5), most: Duration::from_secs(300) };
/// While somebody has to act: often enough to notice, seldom enough to be no load.
const REFUSED: Backoff = Backoff { first: Duration::from_secs(15 * 60), most: Duration::from_secs(3_600) };
/// While an app registration is refused; its verdict is kept locally, so this costs the login service nothing.
const APP: Backoff = Backoff { first: Duration::from_secs(60), most: Duration::from_secs(900) };
/// While an answer is not understood.
const PROTOCOL: Backoff = Backoff { first: Duration::from_secs(60), most: Duration::from_secs(1_800) };
/// While the store cannot be written.
const LOCAL: Backoff = Backoff { first: Duration::from_secs(5), most: Duration::from_secs(60) };
/// A pass that ran out of budget comes back after this long, behind those who are more stale.
const SOON: Duration = Duration::from_secs(1);

/// The times around a pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub started_at: Ticks,
    pub finished_at: Ticks,
    pub took: Duration,
    /// When the schedule wants the tenant next.
    pub next_slot: Ticks,
    /// A number in `0.0..1.0` that spreads those who failed together.
    pub roll: f64,
}

/// When a pass began, by the clock as it is at its end. One that was set back meanwhile must not leave a time of the old
/// one behind, which may be years away.
pub(super) fn begun_by(started_at: Ticks, finished_at: Ticks) -> Ticks {
    started_at.min(finished_at)
}

/// The end of a pass that read something, or all there was.
pub(super) fn of_read(read: &Read, tally: Tally, calls_spent: u32, times: Times) -> PassRecord {
    let stuck = read.coverage.gaps.iter().filter(|gap| plan::is_stuck(gap)).count();
    let next = if read.unfinished {
        times.finished_at.plus(SOON)
    } else {
        plan::next_retry(&read.coverage).map_or(times.next_slot, |retry| retry.min(times.next_slot))
    };
    let (state, reason, remedy) = match stuck {
        0 => (TenantState::Ok, None, None),
        n => (
            TenantState::Degraded,
            Some(format!("{n} small window(s) cannot be read; all else is")),
            Some("see `gaps` for the error; they are tried again every six hours".to_owned()),
        ),
    };
    PassRecord {
        outcome: if read.unfinished { "partial" } else { "read" },
        state,
        reason,
        remedy,
        next_attempt_at: next,
        clock_skew_ms: read.skew_ms,
        ..base(tally, calls_spent, times)
    }
}

/// The end of a pass that failed.
pub(super) fn of_failure(
    failure: Failure,
    before: &Standing,
    tally: Tally,
    calls_spent: u32,
    times: Times,
) -> PassRecord {
    let failures = before.consecutive_failures.saturating_add(1);
    let wait = wait_after(&failure, failures, times.roll);
    // Whatever failed: a tenant whose service asked to wait is made due by nobody, and its state is how that is known.
    let state = if failure.retry_after.is_some() { TenantState::Throttled } else { failure.class.state(failures) };
    PassRecord {
        outcome: "failed",
        eventful: true,
        state,
        reason: Some(failure.reason.clone()),
        remedy: Some(failure.remedy.clone()).filter(|remedy| !remedy.is_empty()),
        consecutive_failures: failures,
        next_attempt_at: times.finished_at.plus(wait),
        failure: Some(failure),
        ..base(tally, calls_spent, times)
    }
}

/// How long to wait after a failure; never less than the service asked for.
pub(super) fn wait_after(failure: &Failure, failures: u32, roll: f64) -> Duration {
    let own = match failure.class {
        FailureClass::Transient => TRANSIENT.jittered(failures, roll),
        FailureClass::Throttled => Duration::from_secs(1),
        FailureClass::Tenant | FailureClass::Unlicensed | FailureClass::Config => REFUSED.jittered(failures, roll),
        FailureClass::App => APP.jittered(failures, roll),
        FailureClass::Protocol => PROTOCOL.jittered(failures, roll),
        FailureClass::Local => LOCAL.jittered(failures, roll),
    };
    // Those who were told the same time do not come back at the same moment.
    let asked = failure.retry_after.map_or(Duration::ZERO, |wait| wait.min(LONGEST_WAIT));
    own.max(asked + Duration::from_secs(1).mul_f64(roll))
}

fn base(tally: Tally, calls_spent: u32, times: Times) -> PassRecord {
    let counts = tally.counts;
    PassRecord {
        started_at: times.started_at,
        finished_at: times.finished_at,
        outcome: "read",
        eventful: counts.created + counts.updated + counts.quarantined > 0 || tally.gaps_moved,
        requests: tally.requests,
        rows: tally.rows,
        counts,
        bytes: tally.bytes,
        ms: u64::try_from(times.took.as_millis()).unwrap_or(u64::MAX),
        failure: None,
        state: TenantState::Ok,
        reason: None,
        remedy: None,
        consecutive_failures: 0,
        next_attempt_at: times.next_slot,
        calls_spent,
        clock_skew_ms: None,
    }
}
