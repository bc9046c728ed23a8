//! Owns the course of a simulated life: its operations one after the other with a look after each, then peace, then the
//! verdict.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use alertferry::clock::Clock;
use alertferry::domain::Tenant;
use alertferry::pass::Options;
use alertferry_simulator::{RateLimits, Route, RuleId, Simulator, TenantState};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::house::{Config, Fuse, House, Meters, Moment, Settled, Times, directory, lock};
use crate::ops::{Op, Setup};
use crate::oracle::Manners;
use crate::support::{self, rows};
use crate::trouble::Trouble;
use crate::worlds::life::{Life, now};
use crate::worlds::watch::Watch;

const DAY: Duration = Duration::from_secs(86_400);
/// The daemon looks every second who is due.
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);
/// So many ticks are given in one operation.
const MOST_TICKS: usize = 16;
/// So often the world changes while it is being read: there is an end to what has to be read again for it.
const MOST_CHANGES: u32 = 40;
/// Everything is read after so many ticks once nothing goes wrong any more.
const TICKS_IN_PEACE: usize = 600;

/// What a life did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    pub ops: u64,
    pub ticks: u64,
    pub requests: u64,
    pub deaths: u64,
    pub alerts: u64,
    pub changes: u64,
    pub simulated_seconds: u64,
}

impl std::ops::AddAssign for Report {
    fn add_assign(&mut self, more: Self) {
        self.ops += more.ops;
        self.ticks += more.ticks;
        self.requests += more.requests;
        self.deaths += more.deaths;
        self.alerts += more.alerts;
        self.changes += more.changes;
        self.simulated_seconds += more.simulated_seconds;
    }
}

/// What is left of a life.
pub struct Trace {
    pub report: Report,
    /// Every request in order, and at the end the rows of the store; kept on demand.
    pub lines: Vec<String>,
}

/// Lives a life; panics when a promise is broken. `reached` tells which operation it is at.
pub async fn live(setup: Setup, ops: &[Op], tells: bool, reached: &std::sync::atomic::AtomicUsize) -> Trace {
    // A wrong date makes the hour that every poll looks back shorter; what that costs is for the daily look to find.
    let lied_to = ops.iter().any(|op| matches!(op, Op::Begin { trouble, .. } if trouble.lies()));
    let mut run = Run::begin(Setup { sweep: setup.sweep || lied_to, ..setup }, tells).await;
    for (at, op) in ops.iter().enumerate() {
        reached.store(at, std::sync::atomic::Ordering::Relaxed);
        run.carry_out(*op).await;
        run.look(false);
        run.report.ops += 1;
    }
    reached.store(ops.len(), std::sync::atomic::Ordering::Relaxed);
    run.peace(if lied_to { 27 * HOUR } else { 2 * HOUR }).await;
    run.verdict()
}

struct Run {
    setup: Setup,
    times: Times,
    config: Config,
    all: Vec<Tenant>,
    meters: Arc<Meters>,
    house: Option<House>,
    begun: Vec<Begun>,
    watch: Watch,
    manners: Manners,
    report: Report,
    tells: bool,
    lines: Vec<String>,
}

struct Begun {
    tenant: usize,
    trouble: Trouble,
    rule: Option<RuleId>,
}

impl Run {
    async fn begin(setup: Setup, tells: bool) -> Self {
        let mut rng = StdRng::seed_from_u64(setup.seed);
        let ids: Vec<String> = (1..=setup.tenants as u64).map(support::guid).collect();
        let mut world = support::world();
        world.options.stored_precision = setup.stored_precision;
        world.options.rate_limits = Some(RateLimits::default());
        world.apps[0].token_lifetime = 3_599..=3_599;
        let mut life = Life::new(rng.random(), ids.clone(), support::ticks(support::START));
        let start = world.now();
        for id in &ids {
            world.add_tenant(id);
            world.set_now(start - Duration::from_secs(*[3_000, 90_000, 800_000].choose(&mut rng).expect("some")));
            let room = u64::try_from((start.unix_ticks() - world.now().unix_ticks()) / 10_000).unwrap_or(0);
            // Many at one instant are what takes longest to read with tiny answers, more requests than an hour allows, and
            // adds nothing there.
            let most = if setup.page_size < 13 { 12.min(3 * setup.page_size as usize) } else { 60 };
            for _ in 0..rng.random_range(0..7) {
                world.advance(Duration::from_millis(rng.random_range(0..room / 10)));
                let alike = *[1, 1, 1, 2, 5, most].choose(&mut rng).expect("some");
                life.create(&mut world, id, alike, Duration::ZERO);
            }
        }
        world.set_now(start);
        let sim = Arc::new(Simulator::start(world).await.expect("a simulator"));
        sim.faults().seed(rng.random());
        let all: Vec<Tenant> = ids.iter().map(|id| support::tenant(&sim, id)).collect();
        let sweep = if setup.sweep { Options::default().sweep } else { Duration::ZERO };
        let options = Options { page_size: setup.page_size, sweep, ..Options::default() };
        let config = Config { tenants: all.clone(), options, at_once: setup.at_once };
        let clock = Clock::Manual(life.clock.clone());
        let times = Times { sim, life: Arc::new(Mutex::new(life)) };
        let meters = Arc::new(Meters::default());
        change_while_reading(&times, &meters, rng.random(), f64::from(setup.change) / 100.0, setup.tenants == 1);
        let watch = Watch::new(&all, setup.stored_precision);
        let house = House::start(new_store(), &config, clock, &meters).await;
        let house = Some(house);
        let (begun, manners, report, lines) = (Vec::new(), Manners::default(), Report::default(), Vec::new());
        Self { setup, times, config, all, meters, house, begun, watch, manners, report, tells, lines }
    }

    async fn carry_out(&mut self, op: Op) {
        match op {
            Op::Live { seconds } => self.live(Duration::from_secs(seconds)).await,
            Op::Happen { seed, times, apart } => {
                lock(&self.times.life).reseed(seed);
                for _ in 0..times {
                    self.times.sim.world().with(|world| lock(&self.times.life).happen(world));
                    self.advance(Duration::from_secs(apart)).await;
                }
            }
            Op::Begin { tenant, chance, trouble } => self.begin_trouble(tenant, chance, trouble),
            Op::End if !self.begun.is_empty() => {
                let over = self.begun.remove(0);
                self.end_trouble(over);
            }
            Op::End => {}
            Op::EndAll => self.end_all(),
            Op::DieAtCommit { commits, copied } => {
                self.meters.arm(Fuse { at: Moment::Commit, left: commits, copied });
            }
            Op::DieAtRequest { requests, copied } => {
                self.meters.arm(Fuse { at: Moment::Request, left: requests, copied });
            }
            Op::Restart => {
                let dir = self.house.take().expect("running").stop(&self.times).await;
                self.read_log(false);
                self.start(dir).await;
            }
            Op::Reload { tenants, page_size, backfill } => {
                let wanted = self.all.iter().enumerate().filter(|(at, _)| tenants & (1 << at) != 0);
                self.config.tenants = wanted.map(|(_, tenant)| tenant.clone()).collect();
                self.config.options.page_size = page_size;
                self.config.options.backfill = DAY * u32::try_from(backfill).expect("few");
                self.house.as_ref().expect("running").reload(&self.config).await;
            }
            Op::Jump { seconds } => {
                let wrong_by = lock(&self.times.life).wrong_by + seconds * 10_000_000;
                self.set_clock(wrong_by);
            }
            Op::Suspend { seconds } => {
                self.times.sleep(Duration::from_secs(seconds));
                self.report.simulated_seconds += seconds;
            }
            Op::PollNow => self.house.as_ref().expect("running").poll_now().await,
        }
    }

    /// Sets the machine's clock so that it is wrong by so many ticks.
    fn set_clock(&mut self, wrong_by: i64) {
        self.times.sim.world().with(|world| {
            let mut life = lock(&self.times.life);
            if life.wrong_by != wrong_by {
                life.wrong_by = wrong_by;
                life.set_clock(world);
                self.manners.clock_was_set(world.now(), wrong_by != 0);
            }
        });
    }

    async fn advance(&mut self, by: Duration) {
        self.times.advance(by).await;
        self.report.simulated_seconds += by.as_secs();
    }

    /// Lets time pass, with a tick whenever somebody becomes due.
    async fn live(&mut self, for_so_long: Duration) {
        let mut left = for_so_long;
        for _ in 0..MOST_TICKS {
            self.report.ticks += 1;
            if self.house.as_mut().expect("running").tick(&self.times).await == Settled::Struck {
                self.die().await;
            }
            if left.is_zero() {
                break;
            }
            let wait = self.until_due().clamp(SECOND, left.max(SECOND)).min(left);
            self.advance(wait).await;
            left -= wait;
        }
        if let Some(fuse) = self.meters.disarm() {
            self.meters.arm(fuse);
            self.die().await;
        }
    }

    /// How long until the first tenant is due.
    fn until_due(&self) -> Duration {
        let conn = self.house.as_ref().expect("running").reader();
        let due = rows(&conn, "SELECT min(next_attempt_at) FROM tenant WHERE active");
        let clock = lock(&self.times.life).clock.clone();
        let Ok(due) = alertferry::domain::Ticks::parse(&due[0][0]) else { return DAY };
        due.since(Clock::Manual(clock).now())
    }

    async fn die(&mut self) {
        let Some(fuse) = self.meters.disarm() else { return };
        self.report.deaths += 1;
        let dir = self.house.take().expect("running").die(fuse.copied, &self.times).await;
        self.times.sim.world().with(|world| self.manners.died(world.now()));
        self.read_log(true);
        self.start(dir).await;
    }

    async fn start(&mut self, dir: tempfile::TempDir) {
        self.manners.began_anew();
        let clock = Clock::Manual(lock(&self.times.life).clock.clone());
        self.house = Some(House::start(dir, &self.config, clock, &self.meters).await);
    }

    fn begin_trouble(&mut self, tenant: usize, chance: u32, trouble: Trouble) {
        let id = self.all[tenant.saturating_sub(1)].id.to_string();
        let rule = self.times.sim.world().with(|world| {
            if trouble == Trouble::NoConsent {
                world.tenant_mut(&id).expect("known").state.consented = false;
            }
            trouble.rule(world, &id)
        });
        let rule = rule.map(|rule| {
            let rule = if tenant == 0 { rule } else { rule.tenant(&id) };
            self.times.sim.faults().add(rule.with_probability(f64::from(chance) / 100.0))
        });
        self.begun.push(Begun { tenant, trouble, rule });
        self.watch.believes &= !trouble.lies();
    }

    fn end_trouble(&mut self, over: Begun) {
        if let Some(rule) = over.rule {
            self.times.sim.faults().remove(rule);
        }
        if over.trouble == Trouble::NoConsent {
            let id = self.all[over.tenant.saturating_sub(1)].id.to_string();
            self.times.sim.world().with(|world| world.tenant_mut(&id).expect("known").state = TenantState::default());
        }
    }

    fn end_all(&mut self) {
        for over in std::mem::take(&mut self.begun) {
            self.end_trouble(over);
        }
    }

    /// Holds what was asked since the last look against what may be asked.
    fn read_log(&mut self, died: bool) {
        let stats = self.times.sim.stats();
        let log = stats.log();
        stats.reset();
        let begun: Vec<_> = self.begun.iter().map(|begun| (begun.tenant, begun.trouble)).collect();
        self.report.requests += log.len() as u64;
        if self.tells {
            let line = |request: &alertferry_simulator::RequestRecord| {
                let route = if request.route == Route::Login { "login" } else { &request.target };
                let (at, tenant, query) =
                    (request.at, &request.tenant[request.tenant.len().saturating_sub(2)..], &request.query);
                format!("{at} {tenant} {route} {query} {:?} {} rows", request.status, request.rows)
            };
            self.lines.extend(log.iter().map(line));
        }
        self.manners.look(&log, &begun, died);
    }

    /// What must be true at any moment.
    fn look(&mut self, in_peace: bool) {
        self.read_log(false);
        let conn = self.house.as_ref().expect("running").reader();
        self.watch.quiet(&conn, &self.times.sim, &lock(&self.times.life));
        let sql = "SELECT tenant_id, reason FROM tenants WHERE reason LIKE 'a defect%'";
        assert_eq!(rows(&conn, sql), Vec::<Vec<String>>::new(), "a pass panicked");
        let sql = "SELECT (SELECT count(*) FROM alert), (SELECT count(*) FROM alert_changes WHERE kind = 'created')";
        let counted = rows(&conn, sql);
        assert_eq!(counted[0][0], counted[0][1], "alerts against their first changes");
        if in_peace {
            let sql = "SELECT tenant_id, reason FROM tenants WHERE state NOT IN ('ok', 'disabled')";
            assert_eq!(rows(&conn, sql), Vec::<Vec<String>>::new(), "nothing goes wrong any more");
        }
    }

    /// Nothing goes wrong any more, nothing changes but the time, and all that was late has become visible.
    async fn peace(&mut self, after: Duration) {
        self.end_all();
        self.times.sim.clear_hooks();
        self.meters.disarm();
        // While it is behind by more than a day, what is covered lags, and is read again and again.
        self.set_clock(0);
        self.config.tenants.clone_from(&self.all);
        self.house.as_ref().expect("running").reload(&self.config).await;
        self.advance(after).await;
        self.until_read().await;
        // What became visible late within the hour before this is found by the next poll.
        self.advance(301 * SECOND).await;
        self.until_read().await;
        self.look(true);
    }

    async fn until_read(&mut self) {
        let since = self.times.sim.world().with(|world| now(world));
        for _ in 0..TICKS_IN_PEACE {
            self.report.ticks += 1;
            self.house.as_mut().expect("running").tick(&self.times).await;
            let conn = self.house.as_ref().expect("running").reader();
            let sql = format!(
                "SELECT count(*) FROM tenants WHERE state = 'ok' AND open_gaps = 0 AND covered_until >= '{}'",
                since.minus(SECOND)
            );
            if rows(&conn, &sql)[0][0] == self.all.len().to_string() {
                return;
            }
            let wait = self.until_due().max(SECOND);
            self.advance(wait).await;
        }
        let conn = self.house.as_ref().expect("running").reader();
        let (tenants, gaps) = (rows(&conn, "SELECT * FROM tenants"), rows(&conn, "SELECT * FROM gaps"));
        panic!("not read after {TICKS_IN_PEACE} ticks since {since}: {tenants:?} {gaps:?}");
    }

    fn verdict(mut self) -> Trace {
        let house = self.house.take().expect("running");
        let conn = house.reader();
        self.watch.verdict(&conn, &self.times.sim, &lock(&self.times.life), self.setup.seed);
        let count = |what: &str| rows(&conn, &format!("SELECT count(*) FROM {what}"))[0][0].parse().expect("a number");
        self.report.alerts = count("alert");
        self.report.changes = count("alert_change");
        if self.tells {
            for table in ["alert", "alert_change", "tenant", "gap"] {
                let all = rows(&conn, &format!("SELECT * FROM {table} ORDER BY 1"));
                self.lines.extend(all.iter().map(|row| format!("{table} {row:?}")));
            }
        }
        Trace { report: self.report, lines: self.lines }
    }
}

/// Lets the world change before requests and while answers are on their way.
fn change_while_reading(times: &Times, meters: &Arc<Meters>, seed: u64, chance: f64, alone: bool) {
    let dice = Arc::new(Mutex::new((StdRng::seed_from_u64(seed), MOST_CHANGES)));
    let rolls = move |dice: &mut (StdRng, u32)| {
        let rolled = dice.1 > 0 && dice.0.random_bool(chance);
        dice.1 -= u32::from(rolled);
        rolled
    };
    let (life, roll, meters) = (Arc::clone(&times.life), Arc::clone(&dice), Arc::clone(meters));
    times.sim.on_request(Box::new(move |_, world| {
        meters.saw(Moment::Request);
        let mut dice = lock(&roll);
        if rolls(&mut dice) {
            let mut life = lock(&life);
            life.happen(world);
            // An answer tells the time at its end. Time may not jump while another one is between its rows and its end.
            if alone && dice.0.random_bool(0.5) {
                life.pass_time(world, 900);
            }
        }
    }));
    let (life, roll) = (Arc::clone(&times.life), dice);
    times.sim.on_snapshot(Box::new(move |_, world| {
        if rolls(&mut lock(&roll)) {
            lock(&life).happen(world);
        }
    }));
}

/// A store without tenants: made once, and then copied.
fn new_store() -> tempfile::TempDir {
    static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = EMPTY.get_or_init(|| {
        let dir = directory();
        let path = dir.path().join("alerts.db");
        drop(alertferry::store::Store::open_here(&path, Clock::System).expect("a store"));
        std::fs::read(&path).expect("read")
    });
    let dir = directory();
    std::fs::write(dir.path().join("alerts.db"), bytes).expect("written");
    dir
}
