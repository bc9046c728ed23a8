//! Owns one tenant for the length of a pass: sign in, read the head window, then gaps, and say how it ended.
//!
//! A pass never sleeps on a throttled or failing tenant: it ends, and its record says when to come back. Whatever it
//! knows it has committed; one that is dropped at any await point leaves nothing to clean up.

mod ending;
#[cfg(test)]
mod ending_tests;
mod instant;
mod neighbours;
mod plan;
#[cfg(test)]
mod plan_edge_tests;
#[cfg(test)]
mod plan_tests;
mod reader;
mod thin;
mod windows;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

pub use plan::Options;
pub use reader::Tally;

use crate::clock::Clock;
use crate::defender::Defender;
use crate::domain::{Failure, FailureClass, Tenant, TenantId, TenantState, Ticks};
use crate::entra::Entra;
use crate::event::Event;
use crate::stop::Stop;
use crate::store::{PassRecord, Standing, Store, StoreError};
use ending::Times;
use reader::{Reader, Stumble};

/// A local clock further than this from the service's is worth a line.
pub const SKEW_WORTH_TELLING: Duration = Duration::from_secs(60);

/// What every pass works with.
#[derive(Clone)]
pub struct Context {
    /// Where rows go, and the only way back.
    pub store: Arc<Store>,
    /// Tenants to access tokens.
    pub entra: Entra,
    /// Windows to rows.
    pub defender: Defender,
    /// The local time.
    pub clock: Clock,
    /// How to read.
    pub options: Options,
}

/// How a pass ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It came to an end of its own, which is committed.
    Recorded(Box<PassRecord>),
    /// It was told to stop; what it had committed counts, and the tenant stays due.
    Stopped,
}

/// Reads one tenant once, within the budget of a pass, and commits how it ended.
///
/// `slot_after` tells the next instant of the schedule for this tenant after a time, which is when it comes next if all goes
/// well.
///
/// # Errors
/// When the end itself cannot be committed.
pub async fn run(
    ctx: &Context,
    tenant: &Tenant,
    before: &Standing,
    slot_after: impl Fn(Ticks) -> Ticks,
    stop: &Stop,
) -> Result<Ended, StoreError> {
    let (started_at, begun) = (ctx.clock.now(), Instant::now());
    if let Some(counted_at) = before.calls_counted_at {
        ctx.defender.restore_spent(tenant.id, before.calls_spent, started_at.since(counted_at));
    }
    let (result, tally) = attempt(ctx, tenant, before, stop).await;
    let finished_at = ctx.clock.now();
    let times = Times {
        started_at,
        finished_at,
        took: begun.elapsed(),
        next_slot: slot_after(ending::begun_by(started_at, finished_at)),
        roll: roll(tenant.id, started_at),
    };
    let calls_spent = ctx.defender.spent(tenant.id);
    let record = match result {
        Ok(read) => ending::of_read(&read, tally, calls_spent, times),
        Err(Stumble::Stopped(_)) => return Ok(Ended::Stopped),
        // No failure of the tenant: it stays due, and whoever looks after all tenants hears of it.
        Err(Stumble::Store(error)) if error.concerns_all() => return Err(error),
        Err(stumble) => {
            let failure = stumble.failure().unwrap_or_else(|| Failure::new(FailureClass::Transient, "stopped"));
            tell_failure(tenant, &stumble, &failure);
            ending::of_failure(failure, before, tally, calls_spent, times)
        }
    };
    let ended = ctx.store.finish_pass(before.key, record.clone()).await?;
    tell(tenant, before, &record, &ended, tally);
    Ok(Ended::Recorded(Box::new(record)))
}

/// A number in `0.0..1.0` that is another one for each tenant and each pass, and the same for the same two.
fn roll(tenant: TenantId, started_at: Ticks) -> f64 {
    let bits = xxhash_rust::xxh3::xxh3_64_with_seed(&started_at.as_ticks().to_le_bytes(), tenant.stable_hash());
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// Commits a failure that came from outside of a pass as its end.
///
/// # Errors
/// When it cannot be committed.
pub async fn fail(ctx: &Context, tenant: &Tenant, before: &Standing, failure: Failure) -> Result<Ended, StoreError> {
    let now = ctx.clock.now();
    let times = Times { started_at: now, finished_at: now, took: Duration::ZERO, next_slot: now, roll: 1.0 };
    let tally = Tally::default();
    let record = ending::of_failure(failure, before, tally, ctx.defender.spent(tenant.id), times);
    let ended = ctx.store.finish_pass(before.key, record.clone()).await?;
    tell(tenant, before, &record, &ended, tally);
    Ok(Ended::Recorded(Box::new(record)))
}

async fn attempt(
    ctx: &Context,
    tenant: &Tenant,
    before: &Standing,
    stop: &Stop,
) -> (Result<windows::Read, Stumble>, Tally) {
    let token = match stop.or(ctx.entra.token(tenant)).await {
        Ok(Ok(token)) => token,
        Ok(Err(error)) => return (Err(error.into()), Tally::default()),
        Err(stopped) => return (Err(stopped.into()), Tally::default()),
    };
    if token.fresh {
        Event::TokenAcquired { tenant: tenant.id, app: &tenant.app, expires_at: token.expires_at }.emit();
    }
    let mut reader = Reader {
        ctx,
        tenant,
        key: before.key,
        last_success_at: before.last_success_at,
        token,
        tally: Tally::default(),
        stop,
    };
    let result = windows::read(&mut reader).await;
    (result, reader.tally)
}

fn tell_failure(tenant: &Tenant, stumble: &Stumble, failure: &Failure) {
    if let Stumble::Token(_) = stumble {
        let remedy = Some(failure.remedy.as_str()).filter(|remedy| !remedy.is_empty());
        let (tenant, app, class) = (tenant.id, tenant.app.as_str(), failure.class);
        Event::TokenFailed { tenant, app, class, reason: &failure.reason, remedy }.emit();
    }
}

fn tell(tenant: &Tenant, before: &Standing, record: &PassRecord, ended: &crate::store::PassEnd, tally: Tally) {
    let (id, name) = (tenant.id, tenant.name.as_str());
    Event::PassFinished {
        tenant: id,
        name,
        outcome: record.outcome,
        requests: u64::from(record.requests),
        rows: record.rows,
        created: record.counts.created,
        updated: record.counts.updated,
        unchanged: record.counts.unchanged,
        quarantined: record.counts.quarantined,
        bytes: record.bytes,
        ms: record.ms,
        covered_until: ended.covered_until,
        open_gaps: ended.open_gaps,
        gaps_moved: tally.gaps_moved,
        next_attempt_at: Some(record.next_attempt_at),
        class: record.failure.as_ref().map(|failure| failure.class),
        reason: record.failure.as_ref().map(|failure| failure.reason.as_str()),
    }
    .emit();
    if record.state != before.state && before.state != TenantState::Disabled {
        let (reason, remedy) = (record.reason.as_deref(), record.remedy.as_deref());
        Event::TenantStateChanged { tenant: id, name, from: before.state, to: record.state, reason, remedy }.emit();
    }
    let worth_telling = |skew: i64| u128::from(skew.unsigned_abs()) > SKEW_WORTH_TELLING.as_millis();
    if let Some(skew) = record.clock_skew_ms.filter(|skew| worth_telling(*skew))
        && !before.clock_skew_ms.is_some_and(worth_telling)
    {
        Event::ClockSkewed { seconds: skew / 1_000, tenant: id }.emit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_and_passes_are_spread_and_each_always_to_the_same_place() {
        let tenant = |n: u32| TenantId::parse(&format!("00000000-0000-0000-0000-{n:012}")).expect("a GUID");
        let at = |seconds| Ticks::from_unix_seconds(seconds);
        let rolls: Vec<f64> = (0..100).flat_map(|n| [roll(tenant(n), at(1_000)), roll(tenant(n), at(1_300))]).collect();
        assert!(rolls.iter().all(|roll| (0.0..1.0).contains(roll)), "{rolls:?}");
        for tenth in 0..10 {
            let here =
                rolls.iter().filter(|roll| **roll * 10.0 >= f64::from(tenth) && **roll * 10.0 < f64::from(tenth + 1));
            assert!(here.count() > 5, "{rolls:?}");
        }
        assert_eq!(rolls[0].to_bits(), roll(tenant(0), at(1_000)).to_bits());
    }
}
