//! Owns the course of a case: passes that fail and are killed while the world changes, then peace, then the verdict.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use alertferry::clock::Clock;
use alertferry::domain::Tenant;
use alertferry::pass::{self, Ended};
use alertferry_simulator::{Route, Simulator};
use rand::RngExt;
use rand::seq::IndexedRandom;
use tokio::sync::Notify;

use crate::case::Case;
use crate::say;
use crate::support::{self, Rig};
use crate::worlds::life::Life;
use crate::worlds::watch::Watch;

/// Everything is read by so many passes once nothing goes wrong any more.
const PASSES_IN_PEACE: usize = 300;

/// What a case, or all of them, did.
#[derive(Debug, Default, Clone, Copy)]
pub struct Report {
    pub passes: u64,
    pub crashes: u64,
    pub requests: u64,
    pub alerts: u64,
    pub versions: u64,
}

impl std::ops::AddAssign for Report {
    fn add_assign(&mut self, more: Self) {
        self.passes += more.passes;
        self.crashes += more.crashes;
        self.requests += more.requests;
        self.alerts += more.alerts;
        self.versions += more.versions;
    }
}

/// Runs the case of a seed; panics when a promise is broken. With `tells`, it then prints what went before.
pub async fn case(seed: u64, tells: bool) -> Report {
    let mut case = Case::draw(seed);
    let (mut world, life) = case.populate();
    case.draw_faults(&mut world);
    let sim = Simulator::start(world).await.expect("a simulator");
    sim.faults().seed(case.rng.random());
    for rule in &case.faults {
        sim.faults().add(rule.clone());
    }
    let tenants: Vec<Tenant> = case.tenants.iter().map(|id| support::tenant(&sim, id)).collect();
    let clock = Clock::Manual(life.clock.clone());
    let life = Arc::new(Mutex::new(life));
    let dir = Arc::new(tempfile::tempdir().expect("a directory"));
    let rig = Rig::in_dir(dir, case.options.clone(), vec![support::app()], clock);
    rig.enrol(&tenants).await;
    let watch = Watch::new(&tenants, case.stored_precision);
    let mut run = Run { case, sim, life, tenants, watch, tells, report: Report::default() };
    let rig = run.trouble(rig).await;
    run.peace(&rig).await;
    run.watch.verdict(&support::open(&rig.path), &run.sim, &lock(&run.life), seed);
    run.report.requests = run.sim.stats().total(Route::Any);
    run.report.alerts = rig.query::<i64>("SELECT count(*) FROM alert").unsigned_abs();
    run.report.versions = rig.query::<i64>("SELECT count(*) FROM alert_change").unsigned_abs();
    rig.close();
    run.report
}

struct Run {
    case: Case,
    sim: Simulator,
    life: Arc<Mutex<Life>>,
    tenants: Vec<Tenant>,
    watch: Watch,
    tells: bool,
    report: Report,
}

impl Run {
    /// Passes while the world changes and things go wrong.
    async fn trouble(&mut self, mut rig: Rig) -> Rig {
        let crash_at = self.change_while_reading();
        for _ in 0..self.case.passes {
            self.between_passes();
            let tenant = self.tenants.choose(&mut self.case.rng).expect("some").clone();
            let others = self.watch.others(&support::open(&rig.path), &tenant);
            rig = if self.case.rng.random_bool(self.case.crash) {
                self.report.crashes += 1;
                self.crashing_pass(rig, &tenant, &crash_at).await
            } else {
                rig.pass(&tenant).await;
                rig
            };
            self.report.passes += 1;
            assert_eq!(
                others,
                self.watch.others(&support::open(&rig.path), &tenant),
                "rows of tenants that were not read"
            );
            self.watch.quiet(&support::open(&rig.path), &self.sim, &lock(&self.life));
        }
        rig
    }

    fn between_passes(&mut self) {
        let most = *[1, 60, 600, 3_000, 10_000].choose(&mut self.case.rng).expect("some");
        let times = self.case.rng.random_range(0..3);
        self.sim.world().with(|world| {
            let mut life = lock(&self.life);
            for _ in 0..times {
                life.happen(world);
                life.pass_time(world, most);
            }
        });
    }

    /// Lets the world change before requests and while answers are on their way; what is returned is notified at
    /// every request.
    fn change_while_reading(&mut self) -> Arc<Notify> {
        let asked = Arc::new(Notify::new());
        let dice = Mutex::new(<rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(self.case.rng.random()));
        let dice = Arc::new(dice);
        let (life, stats, rings, chance) =
            (Arc::clone(&self.life), self.sim.stats(), Arc::clone(&asked), self.case.change);
        let roll = Arc::clone(&dice);
        self.sim.on_request(Box::new(move |_, world| {
            rings.notify_one();
            let mut dice = lock(&roll);
            if dice.random_bool(chance) {
                let mut life = lock(&life);
                life.happen(world);
                // An answer tells the time at its end. Time may not jump while another one, of a pass that was
                // killed, is between its rows and its end, or the two would not fit each other.
                if stats.in_flight() == 1 && dice.random_bool(0.5) {
                    life.pass_time(world, 900);
                }
            }
        }));
        let (life, roll) = (Arc::clone(&self.life), dice);
        self.sim.on_snapshot(Box::new(move |_, world| {
            if lock(&roll).random_bool(chance) {
                lock(&life).happen(world);
            }
        }));
        asked
    }

    /// A pass that is dropped at some await point, or told to stop; then the store is opened anew.
    async fn crashing_pass(&mut self, rig: Rig, tenant: &Tenant, asked: &Notify) -> Rig {
        let standing = rig.ctx.store.standing(tenant.id).await.expect("readable").expect("enrolled");
        let rng = &mut self.case.rng;
        let most = *[6, 40, 200].choose(rng).expect("some");
        let (requests, polls, politely) =
            (rng.random_range(0..most / 4), rng.random_range(1..most), rng.random_bool(0.3));
        {
            let pass = pass::run(&rig.ctx, tenant, &standing, |begun| begun, &rig.stop);
            let fuse = Fuse { pass: pin!(pass), polls: if rng.random_bool(0.5) { polls } else { u32::MAX } };
            let moment = async {
                for _ in 0..=requests {
                    asked.notified().await;
                }
                if politely {
                    rig.stop.stop();
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                biased;
                () = moment => {}
                ended = fuse => {
                    let stopped = matches!(ended, Some(Ok(Ended::Stopped)));
                    assert!(!stopped || politely, "nobody stopped it");
                    assert!(!matches!(ended, Some(Err(_))), "{ended:?}");
                }
            }
        }
        rig.reopened(vec![support::app()])
    }

    /// Nothing goes wrong any more, nothing changes but the time, and all that was late has become visible.
    async fn peace(&mut self, rig: &Rig) {
        self.sim.faults().clear();
        self.sim.clear_hooks();
        self.advance(Duration::from_secs(2 * 3_600));
        for tenant in self.tenants.clone() {
            self.read_all(rig, &tenant).await;
            // What became visible late within the hour before this is found by the next poll.
            self.advance(Duration::from_secs(300));
            self.read_all(rig, &tenant).await;
        }
    }

    async fn read_all(&mut self, rig: &Rig, tenant: &Tenant) {
        for _ in 0..PASSES_IN_PEACE {
            let record = rig.pass(tenant).await;
            self.report.passes += 1;
            self.watch.quiet(&support::open(&rig.path), &self.sim, &lock(&self.life));
            let open =
                format!("SELECT count(*) FROM gap JOIN tenant USING (tenant_key) WHERE tenant_id = '{}'", tenant.id);
            if record.outcome == "read" && rig.query::<i64>(&open) == 0 {
                return;
            }
            // Long enough for whatever waits to be tried again.
            self.advance(Duration::from_secs(if record.outcome == "partial" { 1 } else { 6 * 3_600 }));
        }
        panic!("not read after {PASSES_IN_PEACE} passes: {:?}", rig.query_all("SELECT * FROM gaps"));
    }

    fn advance(&self, by: Duration) {
        self.sim.world().with(|world| lock(&self.life).advance(world, by));
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if self.tells && std::thread::panicking() {
            say(&format!("{:?}, precision {}, {:#?}", self.case.options, self.case.stored_precision, self.case.faults));
            for request in self.sim.stats().log() {
                say(&format!("{} {} {:?} {} rows", request.at, request.query, request.status, request.rows));
            }
        }
    }
}

/// Drops a future after so many polls, wherever it then waits.
struct Fuse<'f, F> {
    pass: Pin<&'f mut F>,
    polls: u32,
}

impl<F: Future> Future for Fuse<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.polls -= 1;
        match self.pass.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.polls == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
