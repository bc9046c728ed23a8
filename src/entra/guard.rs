//! Owns the guard against login storms: how many token requests of one app may be under way, and for how long a
//! refusal of the app stands for all of its tenants.
//!
//! Ten thousand tenants with one wrong secret must not become ten thousand failed sign-ins, which the login service
//! would answer with throttling or a lock. So an app has to prove itself with a few requests before it gets many, and
//! when it is refused, only a few try again, at growing intervals.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::moment::Moment;
use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::domain::{Failure, FailureClass, TenantId};

/// Requests under way for an app that has not been accepted yet, or is being probed again.
const UNPROVEN: usize = 4;
/// Requests under way for an app that is known to be accepted.
const PROVEN: usize = 64;
/// How long one waits for the requests that came first.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// How long a refusal of an app stands before it is put to the test.
const PROBE: Backoff = Backoff { first: Duration::from_secs(60), most: Duration::from_secs(15 * 60) };

/// The guard of one app registration.
pub(super) struct Guard {
    state: Mutex<State>,
    /// Rings whenever those who wait may have something new to hear.
    changed: watch::Sender<()>,
    unproven: Arc<Semaphore>,
    proven: Arc<Semaphore>,
}

#[derive(Default)]
struct State {
    standing: Standing,
    /// Whether the credentials in use were ever accepted.
    was_proven: bool,
    /// What was told last by [`Guard::news`].
    told: Option<Told>,
}

#[derive(Default)]
enum Standing {
    #[default]
    Unproven,
    Proven,
    Refused(Refused),
}

struct Refused {
    why: AppFailure,
    /// Who met it.
    by: TenantId,
    /// Whether it stands for all tenants. An app that was accepted before may be refused in one tenant only, whatever
    /// the protocol says; then another tenant has to meet it, too.
    for_all: bool,
    /// The credentials that were refused.
    digest: u64,
    since: Moment,
    /// How often in a row.
    times: u32,
}

/// Why an app cannot sign in, whoever the tenant is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AppFailure {
    pub reason: String,
    pub remedy: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Accepted,
    Refused,
}

/// Leave to make a request. Dropping it makes room for the next.
#[derive(Debug)]
pub(super) struct Pass(Option<OwnedSemaphorePermit>);

/// Why there is no leave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoPass {
    /// The app is refused, and it is not yet time to try again.
    Refused(AppFailure),
    /// Those who came first take too long.
    Waited,
}

#[derive(Debug, PartialEq, Eq)]
enum Gate {
    Open,
    Few,
    /// Open for those who find room at once.
    Probe(AppFailure),
    Closed(AppFailure),
}

impl Pass {
    /// Makes room for the next although this request is not through: a tenant that hangs must not hold up others.
    pub fn lend(&mut self) {
        self.0 = None;
    }
}

impl Guard {
    pub fn new() -> Self {
        Self {
            state: Mutex::default(),
            changed: watch::Sender::new(()),
            unproven: Arc::new(Semaphore::new(UNPROVEN)),
            proven: Arc::new(Semaphore::new(PROVEN)),
        }
    }

    /// Waits for leave to make a request for `tenant`. `digest` looks at the credentials as they are now; it is only
    /// asked while a refusal stands, which other credentials lift.
    pub async fn admit(&self, tenant: TenantId, clock: &Clock, digest: impl Fn() -> u64) -> Result<Pass, NoPass> {
        let patience = tokio::time::sleep(MAX_WAIT);
        tokio::pin!(patience);
        loop {
            let mut changed = self.changed.subscribe();
            self.lift_unless(&digest);
            let gate = self.gate(tenant, clock);
            let room = match &gate {
                Gate::Open => &self.proven,
                Gate::Few => &self.unproven,
                Gate::Closed(why) => return Err(NoPass::Refused(why.clone())),
                Gate::Probe(why) => {
                    let permit = Arc::clone(&self.unproven).try_acquire_owned();
                    return permit.map(|permit| Pass(Some(permit))).map_err(|_| NoPass::Refused(why.clone()));
                }
            };
            tokio::select! {
                biased;
                // The semaphores are never closed, so this is a permit. While it was waited for, a verdict may have
                // come: then everything is looked at anew.
                permit = Arc::clone(room).acquire_owned() => {
                    if self.gate(tenant, clock) == gate {
                        return Ok(Pass(permit.ok()));
                    }
                }
                heard = changed.changed() => drop(heard),
                () = &mut patience => return Err(NoPass::Waited),
            }
        }
    }

    /// The login service accepted the app.
    pub fn accepted(&self) {
        let mut state = self.state();
        state.was_proven = true;
        if !matches!(state.standing, Standing::Proven) {
            state.standing = Standing::Proven;
            drop(state);
            self.ring();
        }
    }

    /// The login service refused the app with the credentials of this digest, in a request for `tenant`.
    pub fn refused(&self, tenant: TenantId, clock: &Clock, why: AppFailure, digest: u64) {
        let mut state = self.state();
        let for_all = !state.was_proven;
        match &mut state.standing {
            Standing::Refused(refused) if refused.digest == digest => {
                // Answers of one and the same round count once.
                if refused.is_due(clock) {
                    refused.times = refused.times.saturating_add(1);
                    refused.since = Moment::now(clock);
                }
                refused.for_all = refused.for_all || tenant != refused.by;
                refused.why = why;
            }
            Standing::Unproven | Standing::Proven | Standing::Refused(_) => {
                let since = Moment::now(clock);
                state.standing = Standing::Refused(Refused { why, by: tenant, for_all, digest, since, times: 1 });
            }
        }
        drop(state);
        self.ring();
    }

    /// Forgets a refusal: the configuration was read again.
    pub fn lift(&self) {
        let mut state = self.state();
        if matches!(state.standing, Standing::Refused(_)) {
            *state = State::default();
            drop(state);
            self.ring();
        }
    }

    /// Whether the app is accepted (`None`) or refused (`Some`), if that is other than what was told last.
    pub fn news(&self) -> Option<Option<Failure>> {
        let mut state = self.state();
        let (now, failure) = match &state.standing {
            Standing::Proven => (Told::Accepted, None),
            Standing::Refused(refused) if refused.for_all => {
                let AppFailure { reason, remedy } = refused.why.clone();
                (Told::Refused, Some(Failure::new(FailureClass::App, reason).with_remedy(remedy)))
            }
            Standing::Unproven | Standing::Refused(_) => return None,
        };
        let is_news = state.told != Some(now);
        state.told = Some(now);
        is_news.then_some(failure)
    }

    fn gate(&self, tenant: TenantId, clock: &Clock) -> Gate {
        match &self.state().standing {
            Standing::Proven => Gate::Open,
            Standing::Unproven => Gate::Few,
            Standing::Refused(refused) if !refused.for_all && refused.by != tenant => Gate::Few,
            Standing::Refused(refused) if refused.is_due(clock) => Gate::Probe(refused.why.clone()),
            Standing::Refused(refused) => Gate::Closed(refused.why.clone()),
        }
    }

    fn lift_unless(&self, digest: &impl Fn() -> u64) {
        let refused = match &self.state().standing {
            Standing::Refused(refused) => refused.digest,
            Standing::Unproven | Standing::Proven => return,
        };
        if digest() != refused {
            self.lift();
        }
    }

    fn ring(&self) {
        self.changed.send_replace(());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Refused {
    fn is_due(&self, clock: &Clock) -> bool {
        self.since.elapsed(clock) >= PROBE.delay(self.times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::Ticks;

    struct Scene {
        guard: Guard,
        manual: ManualClock,
        clock: Clock,
    }

    impl Scene {
        fn new() -> Self {
            let manual = ManualClock::at(Ticks::from_unix_seconds(1_000));
            Self { guard: Guard::new(), clock: Clock::Manual(manual.clone()), manual }
        }

        async fn admit(&self, number: u32) -> Result<Pass, NoPass> {
            self.guard.admit(tenant(number), &self.clock, || 1).await
        }

        async fn is_closed(&self, number: u32) -> bool {
            matches!(self.admit(number).await, Err(NoPass::Refused(_)))
        }

        fn refused(&self, number: u32) {
            let why = AppFailure { reason: format!("refused in {number}"), remedy: String::new() };
            self.guard.refused(tenant(number), &self.clock, why, 1);
        }

        fn advance(&self, seconds: u64) {
            self.manual.advance(Duration::from_secs(seconds));
        }
    }

    fn tenant(number: u32) -> TenantId {
        TenantId::parse(&format!("00000000-0000-0000-0000-{number:012}")).expect("a GUID")
    }

    #[tokio::test(start_paused = true)]
    async fn an_unproven_app_gets_a_few_requests_and_a_bounded_wait() {
        let scene = Scene::new();
        let mut passes = Vec::new();
        for number in 0..4 {
            passes.push(scene.admit(number).await.expect("room"));
        }
        assert_eq!(scene.admit(5).await.err(), Some(NoPass::Waited));
        passes[0].lend();
        assert!(scene.admit(5).await.is_ok());
        scene.guard.accepted();
        let many: Vec<_> = futures_util::future::join_all((0..50).map(|number| scene.admit(number))).await;
        assert!(many.iter().all(Result::is_ok));
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_hear_the_verdict() {
        for good in [true, false] {
            let scene = Scene::new();
            let held: Vec<_> = futures_util::future::join_all((0..4).map(|number| scene.admit(number))).await;
            let waiting = scene.admit(9);
            let verdict = async {
                tokio::task::yield_now().await;
                if good { scene.guard.accepted() } else { scene.refused(0) }
            };
            let (admitted, ()) = tokio::join!(waiting, verdict);
            assert_eq!(admitted.is_ok(), good);
            drop(held);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn probes_come_at_growing_intervals() {
        let scene = Scene::new();
        scene.refused(1);
        for wait in [60, 120, 240, 480, 900, 900] {
            scene.advance(wait - 1);
            assert!(scene.is_closed(2).await, "{wait}");
            scene.advance(1);
            let probes: Vec<_> = futures_util::future::join_all((0..50).map(|number| scene.admit(number))).await;
            assert_eq!(probes.iter().filter(|probe| probe.is_ok()).count(), UNPROVEN, "{wait}");
            for number in 0..4 {
                scene.refused(number);
            }
        }
        scene.guard.accepted();
        scene.refused(1);
        scene.refused(2);
        scene.advance(60);
        assert!(scene.admit(3).await.is_ok(), "success starts the intervals anew");
    }

    #[tokio::test(start_paused = true)]
    async fn an_accepted_app_is_doubted_by_one_tenant_and_refused_by_two() {
        let scene = Scene::new();
        scene.guard.accepted();
        assert_eq!(scene.guard.news(), Some(None));
        scene.refused(1);
        assert!(scene.is_closed(1).await && !scene.is_closed(2).await);
        assert_eq!(scene.guard.news(), None);
        scene.refused(1);
        assert!(!scene.is_closed(2).await, "the same tenant again says nothing new");
        scene.refused(2);
        assert!(scene.is_closed(3).await);
        let news = scene.guard.news().flatten().expect("a refusal");
        assert_eq!((news.class, news.reason.as_str()), (FailureClass::App, "refused in 2"));
        scene.guard.lift();
        assert!(scene.admit(3).await.is_ok());
        scene.guard.accepted();
        assert_eq!(scene.guard.news(), Some(None));
    }

    #[tokio::test(start_paused = true)]
    async fn other_credentials_lift_a_refusal() {
        let scene = Scene::new();
        scene.refused(1);
        assert!(scene.is_closed(1).await);
        assert!(scene.guard.admit(tenant(1), &scene.clock, || 2).await.is_ok());
    }
}
