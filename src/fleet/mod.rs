//! Owns all tenants: who is due, how many passes run at once, and that no tenant waits for another.
//!
//! Who is due is asked of the store, so a restart goes on where the last process stood, the most stale first. Each
//! tenant has an instant of its own within the schedule's interval, so ten thousand do not start together.

mod ailing;
mod slots;
mod sync;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio::task::JoinSet;

pub use sync::{SyncEnd, Synced};

use crate::domain::{Failure, FailureClass, Tenant, TenantId};
use crate::event::Event;
use crate::pass::{self, Context, Ended};
use crate::schedule::Schedule;
use crate::stop::Stop;
use crate::store::{Lane, Roster, StoreError, TenantKey};
use ailing::Ailing;
use slots::Slots;

/// What the fleet works by; replaced as a whole when the configuration is reloaded.
#[derive(Clone)]
pub struct Plan {
    /// What passes work with.
    pub ctx: Context,
    /// The tenants.
    pub tenants: Arc<HashMap<TenantId, Arc<Tenant>>>,
    /// When tenants are polled.
    pub schedule: Schedule,
    /// Passes at once.
    pub max_concurrent: usize,
}

impl Plan {
    /// A plan for these tenants.
    #[must_use]
    pub fn new(ctx: Context, tenants: Vec<Tenant>, schedule: Schedule, max_concurrent: usize) -> Self {
        let tenants = tenants.into_iter().map(|tenant| (tenant.id, Arc::new(tenant))).collect();
        Self { ctx, tenants: Arc::new(tenants), schedule, max_concurrent }
    }
}

/// All tenants.
pub struct Fleet {
    plan: Mutex<Arc<Plan>>,
    ticks: AtomicU64,
    under_way: AtomicUsize,
}

/// A pass that has ended, with the tenant it was for.
type Done = (TenantKey, Result<Ended, StoreError>);

impl Fleet {
    /// A fleet that works by `plan`. [`Fleet::enrol`] comes before anything else.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        Self { plan: Mutex::new(Arc::new(plan)), ticks: AtomicU64::new(0), under_way: AtomicUsize::new(0) }
    }

    /// The plan in force.
    #[must_use]
    pub fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many ticks have been dealt with: a sign that the fleet makes progress.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// How many passes are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Works by `plan` from now on; passes under way go on as they began.
    pub fn replace(&self, plan: Plan) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(plan);
    }

    /// Makes the store know the tenants and when the schedule wants them, and lets those try again that waited for
    /// somebody to act.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn enrol(&self) -> Result<Roster, StoreError> {
        let plan = self.plan();
        let mut tenants: Vec<Tenant> = plan.tenants.values().map(|tenant| Tenant::clone(tenant)).collect();
        // New ones get their rows in an order that does not change from start to start.
        tenants.sort_unstable_by_key(|tenant| tenant.id);
        let roster = plan.ctx.store.enrol(tenants).await?;
        let now = plan.ctx.clock.now();
        let slot = |tenant: &TenantId| (*tenant, plan.schedule.slot_after(now, tenant.stable_hash()));
        plan.ctx.store.bring_forward(plan.tenants.keys().map(slot).collect()).await?;
        plan.ctx.store.retry_refused(None).await?;
        Ok(roster)
    }

    /// Reads whoever is due, at every `tick` and whenever a place becomes free, until the stop signal; then waits for
    /// the passes under way, which end at their next await point.
    ///
    /// A tick carries nothing; ticks that come while one is waiting are one.
    ///
    /// # Errors
    /// When the store can no longer be trusted.
    pub async fn run(&self, tick: &Notify, stop: &Stop) -> Result<(), StoreError> {
        let mut slots = Slots::new(self.plan().max_concurrent);
        let mut passes: JoinSet<Done> = JoinSet::new();
        let mut ailing = Ailing::default();
        let outcome = loop {
            if !ailing.pauses() {
                let started = self.start_due(&mut slots, &mut passes, stop).await;
                if let Err(error) = started.or_else(|error| ailing.failed(error)) {
                    break Err(error);
                }
            }
            self.under_way.store(slots.under_way(), Ordering::Relaxed);
            // Whoever is in line starts as soon as a place is free; whoever becomes due is found at the next tick.
            tokio::select! {
                biased;
                () = stop.stopped() => break Ok(()),
                Some(done) = passes.join_next() => {
                    if let Err(error) = self.ended(&mut slots, &mut ailing, done).await {
                        break Err(error);
                    }
                }
                () = tick.notified() => {
                    self.ticks.fetch_add(1, Ordering::Relaxed);
                    slots.set_most(self.plan().max_concurrent);
                    slots.forget_queue();
                }
            }
        };
        if outcome.is_err() {
            stop.stop();
        }
        while passes.join_next().await.is_some() {}
        outcome
    }

    /// Fills free places with due tenants.
    async fn start_due(&self, slots: &mut Slots, passes: &mut JoinSet<Done>, stop: &Stop) -> Result<(), StoreError> {
        let plan = self.plan();
        for lane in [Lane::Healthy, Lane::Failing] {
            if slots.wants(lane) {
                slots.queue_up(lane, plan.ctx.store.due(lane, slots.fetch()).await?);
            }
        }
        while let Some(due) = slots.start() {
            let Some(tenant) = plan.tenants.get(&due.id).map(Arc::clone) else {
                slots.end(due.key);
                continue;
            };
            let (plan, stop) = (Arc::clone(&plan), stop.clone());
            passes.spawn(async move { (due.key, pass(&plan, &tenant, &stop).await) });
        }
        Ok(())
    }

    /// Frees the place of a pass and tells what it found out about its app registration and about the store.
    async fn ended(
        &self,
        slots: &mut Slots,
        ailing: &mut Ailing,
        done: Result<Done, tokio::task::JoinError>,
    ) -> Result<(), StoreError> {
        let Ok((tenant, result)) = done else {
            // Passes catch their own panics; a task that was aborted belongs to a runtime that is going down.
            return Ok(());
        };
        slots.end(tenant);
        tell_app_news(&self.plan()).await;
        match result {
            Err(error) => ailing.failed(error),
            Ok(Ended::Recorded(_)) => {
                ailing.worked();
                Ok(())
            }
            Ok(Ended::Stopped) => Ok(()),
        }
    }
}

/// One pass; a panic in it becomes a failure of its tenant, recorded like any other.
async fn pass(plan: &Plan, tenant: &Tenant, stop: &Stop) -> Result<Ended, StoreError> {
    let Some(standing) = plan.ctx.store.standing(tenant.id).await? else { return Ok(Ended::Stopped) };
    let slot_after = |time| plan.schedule.slot_after(time, tenant.id.stable_hash());
    let work = pass::run(&plan.ctx, tenant, &standing, slot_after, stop);
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(ended) => ended,
        Err(panic) => {
            let failure = defect(panic.as_ref());
            pass::fail(&plan.ctx, tenant, &standing, failure).await
        }
    }
}

fn defect(panic: &(dyn std::any::Any + Send)) -> Failure {
    let what = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let reason = format!("a defect of alertferry: {}", what.unwrap_or("unknown panic"));
    Failure::new(FailureClass::Protocol, reason).with_remedy("please report it")
}

/// Tells once how the login service takes the app registrations; tenants of one that is accepted again need not wait.
async fn tell_app_news(plan: &Plan) {
    for news in plan.ctx.entra.news() {
        match &news.refused {
            Some(failure) => {
                let remedy = Some(failure.remedy.as_str()).filter(|remedy| !remedy.is_empty());
                Event::AppRefused { app: &news.app, reason: &failure.reason, remedy }.emit();
            }
            None => {
                Event::AppAccepted { app: &news.app }.emit();
                if let Err(error) = plan.ctx.store.retry_refused(Some(news.app.clone())).await {
                    let failure = error.failure();
                    Event::StoreFailed { reason: &failure.reason, class: failure.class }.emit();
                }
            }
        }
    }
}
