//! Owns the decisions of a pass: what to ask next, and what an answer proves. Pure functions of committed state.
//!
//! How a full answer (as many rows as were asked for) is taken apart without losing a row:
//! - Its rows prove that they are sorted by time: what lies before its last row has been read. The rest begins one
//!   tick before the last row's time, because the printed time is rounded and the service may compare the unrounded
//!   one.
//! - They do not: all that is known is that the window holds too much. It is split at its rows' median.
//! - It is one tick wide and cannot be split: its alerts are read by ranges of id.
//!
//! Only an answer with fewer rows than were asked for closes a window, whatever the order of its rows.

use std::time::Duration;

use crate::defender::{Order, Page, Query};
use crate::domain::{Gap, GapReason, TenantId, Ticks, Window};
use crate::store::{Coverage, CoverageMove, GapEdit, NewGap};

/// What may be decided by the operator about reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How far before the covered time each poll begins again, for alerts that become visible late.
    pub overlap: Duration,
    /// How far back the first contact with a tenant reads.
    pub backfill: Duration,
    /// How far back the daily second look reaches; zero turns it off.
    pub sweep: Duration,
    /// Rows asked for in one request.
    pub page_size: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { overlap: HOUR, backfill: RETENTION, sweep: 7 * DAY, page_size: crate::defender::MOST_ROWS }
    }
}

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// How long the service keeps alerts (Microsoft's documentation of data retention).
const RETENTION: Duration = Duration::from_secs(180 * 86_400);
/// A service that refused `$orderby` is asked again after this long.
const ORDER_AGAIN: Duration = DAY;
/// After so many failures in a row the head window's rest becomes a gap, so that the head can move on.
const HEAD_FAILURES: u32 = 3;
/// A gap's first failure may be chance: it is tried again unchanged, after this long.
const FIRST_RETRY: Duration = Duration::from_secs(30);
/// The second and third failure ask for a tenth of the rows each.
const FEWER_ROWS: std::ops::RangeInclusive<u32> = 2..=3;
/// Fewer rows than this are not asked for: they could not prove their order.
const LEAST_ROWS: u32 = 100;
/// From so many failures on, a row whose text is broken is set aside instead of failing the answer.
const LENIENT_AFTER: u32 = 2;
/// A gap of one step of the service's clock (SQL `datetime`, 1/300 s) is not split further.
const SMALLEST: Duration = Duration::from_nanos(3_333_400);
/// A gap that failed so often and cannot be made smaller is asked for without evidence.
const THIN_AFTER: u32 = 4;
/// A gap that failed even then waits this long between tries.
const STUCK_RETRY: Duration = Duration::from_secs(6 * 3_600);

/// Whether a gap has been made as small and as simple as can be, and still fails.
#[must_use]
pub fn is_stuck(gap: &Gap) -> bool {
    gap.attempts > THIN_AFTER
}

/// The head window: from an hour before what is covered, without end, less what is known to be unread anyway.
/// The pieces in front of such gaps are read as second looks of their own.
#[must_use]
pub fn head(covered_until: Ticks, coverage: &Coverage, options: &Options) -> (Window, Vec<Window>) {
    let gaps: Vec<Window> = coverage.gaps.iter().map(|gap| gap.window).collect();
    let mut pieces = Window::open(covered_until.minus(options.overlap)).minus(&gaps);
    // Gaps always end, so the last piece never does.
    let open = pieces.pop().unwrap_or(Window::open(covered_until));
    (open, pieces)
}

/// A time of the service's clock, held to what can be: no later than the last known one plus the time since, plus an
/// hour, and no hour more once it is a day ahead of the local clock. One answer with a wrong date must not make the years
/// to come look read, and neither must many. At first only the local clock tells what can be. What is held back is read
/// again.
#[must_use]
pub fn plausible(asked_at: Ticks, covered_until: Option<Ticks>, last_success_at: Option<Ticks>, now: Ticks) -> Ticks {
    let latest = match covered_until.zip(last_success_at) {
        Some((covered, success)) => {
            let since = covered.plus(now.since(success));
            if since > now.plus(DAY) { since } else { since.plus(HOUR) }
        }
        None => now,
    };
    asked_at.min(latest)
}

/// From where the head goes back by its overlap: what is covered, but no later than the last success by the local clock.
///
/// Wrong dates can add up to a day and an hour in spite of [`plausible`]; a head that began there would pass over what changed
/// between the last success and that future. A local clock that is far behind makes the head larger by no more than all of
/// these together can be wrong.
#[must_use]
pub fn believed(covered_until: Ticks, last_success_at: Option<Ticks>, now: Ticks) -> Ticks {
    let seen = last_success_at.unwrap_or(now).min(now);
    covered_until.min(seen.max(covered_until.minus(DAY + 2 * HOUR)))
}

/// How rows are asked to be sorted.
#[must_use]
pub fn order(coverage: &Coverage, now: Ticks) -> Order {
    match coverage.orderby_refused_at {
        Some(at) if now.since(at) < ORDER_AGAIN && at <= now => Order::Unasked,
        _ => Order::Time,
    }
}

/// What the first contact with a tenant leaves to be read: its history up to now.
#[must_use]
pub fn first_contact(tenant: TenantId, asked_at: Ticks, options: &Options) -> CoverageMove {
    let history = Window::new(asked_at.minus(options.backfill), asked_at);
    // The first daily look is due at a time of day of the tenant's own, so that a fleet's looks spread.
    let phase = tenant.stable_hash() % DAY.as_secs();
    CoverageMove {
        covered_until: Some(asked_at),
        swept_at: Some(asked_at.minus(Duration::from_secs(phase))),
        head_failures: Some(0),
        gaps: history.map(|window| GapEdit::Open(fresh(window, GapReason::Initial))).into_iter().collect(),
        ..CoverageMove::default()
    }
}

/// What an answer to the head window proves.
///
/// `None` when nothing tells how far it reaches.
#[must_use]
pub fn after_head(
    window: Window,
    pieces: &[Window],
    query: &Query,
    page: &Page,
    coverage: &Coverage,
    options: &Options,
) -> Option<CoverageMove> {
    let until = page.asked_at?;
    let mut change = CoverageMove { covered_until: Some(until), head_failures: Some(0), ..CoverageMove::default() };
    let mut opened = pieces.to_vec();
    change.gaps.extend(second_looks(pieces, coverage, options));
    if page.rows >= u64::from(query.top) {
        let read_to = if proves_time_order(query, page) { page.latest().map(Ticks::previous) } else { None };
        let rest = Window::new(read_to.map_or(window.from(), |from| from.max(window.from())), until);
        opened.extend(rest);
        change.gaps.extend(rest.map(|rest| GapEdit::Open(fresh(rest, GapReason::CatchUp))));
    }
    if sweep_due(coverage, until, options) {
        change.swept_at = Some(until);
        let mut known: Vec<Window> = coverage.gaps.iter().map(|gap| gap.window).collect();
        let whole = Window::new(until.minus(options.sweep), until);
        known.extend(opened);
        for piece in whole.into_iter().flat_map(|whole| whole.minus(&known)) {
            change.gaps.push(GapEdit::Open(fresh(piece, GapReason::Sweep)));
        }
    }
    Some(change)
}

/// What of the overlap the head window leaves out and must be looked at again before the head moves on: the pieces in
/// front of gaps, and instants of which a part was read, where an alert may have appeared among those read.
fn second_looks<'a>(
    pieces: &'a [Window],
    coverage: &'a Coverage,
    options: &Options,
) -> impl Iterator<Item = GapEdit> + 'a {
    let since = coverage.covered_until.map(|until| until.minus(options.overlap));
    let begun = coverage.gaps.iter().filter(move |gap| gap.after_id.is_some() && Some(gap.window.from()) >= since);
    let anew = |gap: &Gap| GapEdit::Shrink { id: gap.id, from: gap.window.from(), after_id: None, top: gap.top };
    pieces.iter().map(|piece| GapEdit::Open(fresh(*piece, GapReason::Sweep))).chain(begun.map(anew))
}

fn sweep_due(coverage: &Coverage, now: Ticks, options: &Options) -> bool {
    !options.sweep.is_zero() && coverage.last_sweep_at.is_none_or(|last| now.since(last) >= DAY)
}

/// What follows when the head window's own answer fails for the `failures`-th time in a row while the service is
/// alive: from the third time on its rest becomes a gap, which can be taken apart, and the head moves on.
#[must_use]
pub fn after_head_failure(
    window: Window,
    pieces: &[Window],
    failures: u32,
    alive_at: Option<Ticks>,
    coverage: &Coverage,
    options: &Options,
) -> CoverageMove {
    match alive_at.and_then(|until| Window::new(window.from(), until)) {
        Some(rest) if failures >= HEAD_FAILURES => CoverageMove {
            covered_until: rest.until(),
            head_failures: Some(0),
            gaps: std::iter::once(GapEdit::Open(NewGap { attempts: 1, ..fresh(rest, GapReason::Failed) }))
                .chain(second_looks(pieces, coverage, options))
                .collect(),
            ..CoverageMove::default()
        },
        _ => CoverageMove { head_failures: Some(failures), ..CoverageMove::default() },
    }
}

/// Whether the service should be asked for a sign of life before the head's failure is counted.
#[must_use]
pub const fn wants_sign_of_life(failures: u32) -> bool {
    failures >= HEAD_FAILURES
}

/// The next gap to read: of those that may be tried now, the one with the fewest failures, then the oldest, because
/// the service forgets the oldest first.
#[must_use]
pub fn next_gap(coverage: &Coverage, now: Ticks) -> Option<&Gap> {
    // A time further off than any wait was set before the clock was set back.
    let may = |time: Ticks| time <= now || time.since(now) > STUCK_RETRY;
    let ready = coverage.gaps.iter().filter(|gap| gap.not_before.is_none_or(may));
    ready.min_by_key(|gap| (gap.attempts, gap.window.from()))
}

/// When the first of the gaps that wait may be tried.
#[must_use]
pub fn next_retry(coverage: &Coverage) -> Option<Ticks> {
    coverage.gaps.iter().filter_map(|gap| gap.not_before).min()
}

/// The request for a gap.
#[must_use]
pub fn gap_query(gap: &Gap, order: Order, options: &Options) -> Query {
    let thin = gap.attempts >= THIN_AFTER && is_smallest(gap.window);
    Query {
        until: gap.window.until(),
        after_id: gap.after_id.clone(),
        order: if is_one_tick(gap.window) { by_id(order) } else { order },
        evidence: !thin,
        lenient: gap.attempts >= LENIENT_AFTER,
        ..Query::since(gap.window.from(), gap.top.unwrap_or(options.page_size))
    }
}

/// The way to ask for rows by id: a service that refuses `$orderby` sorts by id unasked.
#[must_use]
pub const fn by_id(order: Order) -> Order {
    match order {
        Order::Time | Order::Id => Order::Id,
        Order::Unasked => Order::Unasked,
    }
}

/// What an answer to a gap proves.
#[derive(Debug, PartialEq, Eq)]
pub enum Proof {
    /// This happens to the gap.
    Edits(Vec<GapEdit>),
    /// More alerts share one tick than fit one answer: they must be read by ranges of id.
    Instant,
}

/// What an answer to [`gap_query`] proves.
#[must_use]
pub fn after_gap(gap: &Gap, query: &Query, page: &Page, options: &Options) -> Proof {
    if page.rows < u64::from(query.top) {
        return Proof::Edits(vec![GapEdit::Close(gap.id)]);
    }
    let (from, until) = (gap.window.from(), gap.window.until().unwrap_or(Ticks::MAX));
    if is_one_tick(gap.window) {
        let known = if proves_id_order(query, page) { page.last_id().cloned() } else { None };
        let read_to =
            |after_id| GapEdit::Shrink { id: gap.id, from, after_id: Some(after_id), top: more(gap, options) };
        return known.map_or(Proof::Instant, |last| Proof::Edits(vec![read_to(last)]));
    }
    if proves_time_order(query, page)
        && let Some(read_to) = page.latest().map(Ticks::previous).filter(|read_to| *read_to > from)
        && Window::new(read_to, until).is_some()
    {
        let top = more(gap, options);
        return Proof::Edits(vec![GapEdit::Shrink { id: gap.id, from: read_to, after_id: None, top }]);
    }
    let middle = page.median().unwrap_or(from.midpoint(until)).clamp(from.next(), until.previous());
    let half = |window| GapEdit::Open(NewGap { window, reason: gap.reason, attempts: 0, top: gap.top });
    let halves = [Window::new(from, middle), Window::new(middle, until)].into_iter().flatten().map(half);
    Proof::Edits(std::iter::once(GapEdit::Close(gap.id)).chain(halves).collect())
}

/// What follows when the answer to a gap failed: first chance is ruled out, then fewer rows are asked for, then the
/// window is halved until the trouble is alone in it, then evidence is left out; at last the gap stays.
#[must_use]
pub fn after_gap_failure(gap: &Gap, error: &str, now: Ticks, options: &Options) -> Vec<GapEdit> {
    let attempts = gap.attempts + 1;
    let rows = gap.top.unwrap_or(options.page_size);
    let error = error.to_owned();
    let defer = |attempts, top, wait: Option<Duration>| {
        let not_before = wait.map(|wait| now.plus(wait));
        vec![GapEdit::Defer { id: gap.id, attempts, top, not_before, error: error.clone() }]
    };
    match attempts {
        1 => defer(attempts, gap.top, Some(FIRST_RETRY)),
        n if FEWER_ROWS.contains(&n) && rows > LEAST_ROWS && gap.after_id.is_none() => {
            defer(attempts, Some((rows / 10).max(LEAST_ROWS.min(rows))), None)
        }
        n if n <= THIN_AFTER && !is_smallest(gap.window) => {
            let (from, until) = (gap.window.from(), gap.window.until().unwrap_or(Ticks::MAX));
            let middle = from.midpoint(until);
            let half = |window| NewGap { window, reason: GapReason::Failed, attempts: *FEWER_ROWS.end(), top: gap.top };
            let halves = [Window::new(from, middle), Window::new(middle, until)].into_iter().flatten();
            let halves = halves.map(|window| GapEdit::Open(half(window)));
            std::iter::once(GapEdit::Close(gap.id)).chain(halves).collect()
        }
        n if n <= THIN_AFTER => defer(THIN_AFTER, gap.top, None),
        _ => defer(attempts, gap.top, Some(STUCK_RETRY)),
    }
}

/// The gaps that end before what the service still keeps: nobody can read them any more.
pub fn expired<'a>(coverage: &'a Coverage, now: Ticks, options: &Options) -> impl Iterator<Item = &'a Gap> {
    // Whoever backfills further than the documented retention knows that the service keeps more.
    let oldest = now.minus(RETENTION.max(options.backfill));
    coverage.gaps.iter().filter(move |gap| gap.window.until().is_some_and(|until| until <= oldest))
}

fn fresh(window: Window, reason: GapReason) -> NewGap {
    NewGap { window, reason, attempts: 0, top: None }
}

/// After a success twice as many rows are asked for, up to the usual number.
fn more(gap: &Gap, options: &Options) -> Option<u32> {
    gap.top.map(|top| top.saturating_mul(2)).filter(|top| *top < options.page_size)
}

/// Whether the rows show that the service sorted them by time, as asked, rather than happen to ascend.
///
/// Rows in the order of ids may ascend in time because old ids hold the time; few rows may ascend by chance.
fn proves_time_order(query: &Query, page: &Page) -> bool {
    query.order == Order::Time && page.in_time_order && !page.in_id_order && orders(&page.times) > CERTAIN
}

/// Whether the rows show that the service sorts by id, byte by byte, and goes on behind the id that was named.
fn proves_id_order(query: &Query, page: &Page) -> bool {
    let follows = query.after_id.as_ref().is_none_or(|after| page.ids.first().is_some_and(|first| first > after));
    let rows = page.ids.len() as f64;
    query.order != Order::Time && page.in_id_order && follows && rows * (rows / std::f64::consts::E).log2() > CERTAIN
}

/// An order that one of 2^64 random ones would show is no chance.
const CERTAIN: f64 = 64.0;

/// The number of ways, as a power of two, in which these times could have been ordered: n! over the factorials of the
/// sizes of the groups of equal times (by Stirling's lower bound).
fn orders(times: &[Ticks]) -> f64 {
    let log2_factorial = |n: usize| {
        let n = n as f64;
        if n < 2.0 { 0.0 } else { n * (n / std::f64::consts::E).log2() }
    };
    let groups: f64 = times.chunk_by(|a, b| a == b).map(|group| log2_factorial(group.len())).sum();
    log2_factorial(times.len()) - groups
}

fn is_one_tick(window: Window) -> bool {
    window.until().is_some_and(|until| window.from().next() >= until)
}

fn is_smallest(window: Window) -> bool {
    window.until().is_some_and(|until| until.since(window.from()) <= SMALLEST)
}
