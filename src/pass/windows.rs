//! Owns the order of a pass: first contact, head window, then gaps, within its budget.

use tokio::time::Instant;

use super::instant;
use super::neighbours;
use super::plan::{self, Proof};
use super::reader::{Answered, Reader, Stumble};
use super::thin;
use crate::defender::{ApiError, Look, Order, Query};
use crate::domain::{Gap, GapReason, TenantId, Ticks};
use crate::event::Event;
use crate::store::{Coverage, CoverageMove, GapEdit};

/// A pass sends no further request after so many: other tenants and later polls have a claim too.
const MOST_REQUESTS: u32 = 60;
/// A pass begins no further gap after so long, and reads around no bad alert for longer.
pub(super) const MOST_TIME: std::time::Duration = std::time::Duration::from_secs(60);

/// What a pass leaves behind.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub coverage: Coverage,
    /// Whether gaps that could be read now were left for want of budget.
    pub unfinished: bool,
    /// Local clock less service clock, if the service said its time.
    pub skew_ms: Option<i64>,
}

/// Reads what is unread of one tenant.
pub(super) async fn read(reader: &mut Reader<'_>) -> Result<Read, Stumble> {
    let begun = Instant::now();
    let mut coverage = reader.ctx.store.coverage(reader.key).await?;
    if coverage.covered_until.is_none() {
        let look = reader.look().await?;
        let asked_at = reader.plausible(look.asked_at, &coverage);
        let change = plan::first_contact(reader.tenant.id, asked_at, &reader.ctx.options);
        coverage = change_coverage(reader, change).await?;
    }
    let (mut coverage, skew_ms) = read_head(reader, coverage).await?;
    let spent = |reader: &Reader<'_>| reader.tally.requests >= MOST_REQUESTS || begun.elapsed() >= MOST_TIME;
    while let Some(gap) = plan::next_gap(&coverage, reader.ctx.clock.now()).cloned() {
        if spent(reader) {
            return Ok(Read { coverage, unfinished: true, skew_ms });
        }
        coverage = read_gap(reader, &gap, &coverage).await?;
    }
    Ok(Read { coverage, unfinished: false, skew_ms })
}

/// Reads from an hour before what is covered to the present.
async fn read_head(reader: &mut Reader<'_>, coverage: Coverage) -> Result<(Coverage, Option<i64>), Stumble> {
    let Some(covered_until) = coverage.covered_until else { return Ok((coverage, None)) };
    let options = &reader.ctx.options;
    let believed = plan::believed(covered_until, reader.last_success_at, reader.ctx.clock.now());
    let (window, pieces) = plan::head(believed, &coverage, options);
    let mut query = Query::since(window.from(), options.page_size);
    query.order = plan::order(&coverage, reader.ctx.clock.now());
    let failures = coverage.head_failures + 1;
    // Asked before the head: after a failure that asks to wait, nothing may be asked any more.
    let alive = if plan::wants_sign_of_life(failures) {
        match sign_of_life(reader).await {
            // The head says the same if it is so. If the look alone is refused, the head must still be asked some time.
            Err(Stumble::Api(error)) if !error.asks_to_wait() => None,
            told => told?,
        }
    } else {
        None
    };
    match ask(reader, &mut query, false).await {
        Ok((mut answered, refused)) => {
            let skew_ms = answered.page.date.map(|date| skew_ms(reader, date));
            let told = answered.page.asked_at.or_else(|| answered.page.latest());
            answered.page.asked_at = told.map(|told| reader.plausible(told, &coverage));
            let change = plan::after_head(window, &pieces, &query, &answered.page, &coverage, options);
            let mut change = change.ok_or_else(|| {
                ApiError::Malformed("neither a `Date` nor a row tells how far the answer reaches".to_owned())
            })?;
            change.orderby_refused_at = refused.then(|| reader.ctx.clock.now());
            if let Some(now) = answered.page.asked_at {
                for gap in plan::expired(&coverage, now, options) {
                    change.gaps.push(GapEdit::Close(gap.id));
                    gap_event(reader, gap, |tenant, from, until, reason| Event::GapExpired {
                        tenant,
                        from,
                        until,
                        reason,
                    });
                }
            }
            announce(reader, &change);
            Ok((reader.land(answered, change).await?, skew_ms))
        }
        Err(Stumble::Api(error)) if error.may_lie_in_the_window() => {
            let alive_at = alive.map(|look| reader.plausible(look.asked_at, &coverage));
            let change = plan::after_head_failure(window, &pieces, failures, alive_at, &coverage, options);
            // When it keeps failing while the service is alive, its rest becomes a gap, and the pass goes on to gaps.
            let goes_on = change.covered_until.is_some() && !error.asks_to_wait();
            let coverage = change_coverage(reader, change).await?;
            if goes_on { Ok((coverage, None)) } else { Err(error.into()) }
        }
        Err(other) => Err(other),
    }
}

/// Whether the service answers other requests while one window keeps failing: what it says of its time, or `None`.
///
/// A look that fails as requests do in an outage says no more than the window's own failure. One that asks to wait, or
/// is refused, or for which there is no token any more, says more: it is not about the window, so the window's failure
/// is not counted. It is the error, so that the wait is kept and the tenant's state and remedy name what is in the
/// way.
async fn sign_of_life(reader: &mut Reader<'_>) -> Result<Option<Look>, Stumble> {
    match reader.look().await {
        Ok(look) => Ok(Some(look)),
        Err(Stumble::Api(error)) if !error.concerns_all_windows() => Ok(None),
        Err(other) => Err(other),
    }
}

/// One request for a gap; or, when more alerts share a tick than fit one answer, as many as that tick takes.
async fn read_gap(reader: &mut Reader<'_>, gap: &Gap, coverage: &Coverage) -> Result<Coverage, Stumble> {
    let order = plan::order(coverage, reader.ctx.clock.now());
    let mut query = plan::gap_query(gap, order, &reader.ctx.options);
    match step_through_gap(reader, gap, &mut query).await {
        Err(Stumble::Api(error)) if error.may_lie_in_the_window() || error.refuses_query() => {
            // A gap is only taken apart while the service answers other requests; an outage is no fault of the gap. Who
            // asks to wait is asked nothing more: that this pass has read the head is sign of life enough.
            let waits = error.asks_to_wait();
            if gap.attempts > 0 && !waits && sign_of_life(reader).await?.is_none() {
                return Err(error.into());
            }
            let edits = plan::after_gap_failure(gap, &error.to_string(), reader.ctx.clock.now(), &reader.ctx.options);
            tell_stuck(reader, gap, &edits, &error);
            let stuck = edits.iter().any(|edit| stuck_after(gap, edit).is_some());
            let coverage = change_coverage(reader, CoverageMove { gaps: edits, ..CoverageMove::default() }).await?;
            if waits {
                return Err(error.into());
            }
            if stuck {
                neighbours::read(reader, gap, &query).await?;
            }
            Ok(coverage)
        }
        other => other,
    }
}

async fn step_through_gap(reader: &mut Reader<'_>, gap: &Gap, query: &mut Query) -> Result<Coverage, Stumble> {
    let history = gap.reason.is_history();
    let (answered, refused) = match ask(reader, query, history).await {
        Err(Stumble::Api(error)) if error.refuses_query() && query.after_id.is_some() => {
            return instant::by_skipping(reader, gap, query).await;
        }
        other => other?,
    };
    let mut change =
        CoverageMove { orderby_refused_at: refused.then(|| reader.ctx.clock.now()), ..CoverageMove::default() };
    match plan::after_gap(gap, query, &answered.page, &reader.ctx.options) {
        Proof::Edits(edits) if query.evidence => {
            change.gaps = edits;
            announce_closed(reader, gap, &change);
            reader.land(answered, change).await
        }
        Proof::Edits(edits) => {
            let listed = answered.page.ids.clone();
            reader.land(answered, change).await?;
            thin::settle(reader, gap, listed, edits).await
        }
        Proof::Instant => {
            reader.land(answered, change).await?;
            instant::by_ranges(reader, gap, query).await
        }
    }
}

/// Asks, and asks again without `$orderby` if the service refuses the request with it; tells whether it did.
async fn ask(reader: &mut Reader<'_>, query: &mut Query, history: bool) -> Result<(Answered, bool), Stumble> {
    match reader.ask(query, history).await {
        Err(Stumble::Api(error)) if error.refuses_query() && query.order != Order::Unasked => {
            query.order = Order::Unasked;
            Ok((reader.ask(query, history).await?, true))
        }
        other => Ok((other?, false)),
    }
}

pub(super) async fn change_coverage(reader: &mut Reader<'_>, change: CoverageMove) -> Result<Coverage, Stumble> {
    announce(reader, &change);
    reader.change(change).await
}

/// Changes a gap without rows, and tells when that is its end.
pub(super) async fn edit_gap(reader: &mut Reader<'_>, gap: &Gap, gaps: Vec<GapEdit>) -> Result<Coverage, Stumble> {
    let change = CoverageMove { gaps, ..CoverageMove::default() };
    announce_closed(reader, gap, &change);
    change_coverage(reader, change).await
}

fn skew_ms(reader: &Reader<'_>, date: Ticks) -> i64 {
    (reader.ctx.clock.now().as_ticks() - date.as_ticks()) / 10_000
}

fn announce(reader: &Reader<'_>, change: &CoverageMove) {
    for edit in &change.gaps {
        if let GapEdit::Open(gap) = edit
            && let Some(until) = gap.window.until()
        {
            let (tenant, from, reason) = (reader.tenant.id, gap.window.from(), gap.reason);
            Event::GapOpened { tenant, from, until, reason }.emit();
        }
    }
}

fn announce_closed(reader: &Reader<'_>, gap: &Gap, change: &CoverageMove) {
    let opens = change.gaps.iter().any(|edit| matches!(edit, GapEdit::Open(_)));
    if !opens && change.gaps.contains(&GapEdit::Close(gap.id)) {
        gap_event(reader, gap, |tenant, from, until, reason| Event::GapClosed { tenant, from, until, reason });
    }
}

pub(super) fn tell_stuck(reader: &Reader<'_>, gap: &Gap, edits: &[GapEdit], error: &ApiError) {
    for attempts in edits.iter().filter_map(|edit| stuck_after(gap, edit)) {
        if let Some(until) = gap.window.until() {
            let (tenant, from, reason) = (reader.tenant.id, gap.window.from(), error.to_string());
            Event::GapStuck { tenant, from, until, attempts, reason: &reason }.emit();
        }
    }
}

/// The attempts of a gap that an edit leaves as it is for long.
fn stuck_after(gap: &Gap, edit: &GapEdit) -> Option<u32> {
    let GapEdit::Defer { attempts, .. } = edit else { return None };
    plan::is_stuck(&Gap { attempts: *attempts, ..gap.clone() }).then_some(*attempts)
}

fn gap_event(reader: &Reader<'_>, gap: &Gap, event: impl Fn(TenantId, Ticks, Ticks, GapReason) -> Event<'static>) {
    if let Some(until) = gap.window.until() {
        event(reader.tenant.id, gap.window.from(), until, gap.reason).emit();
    }
}
