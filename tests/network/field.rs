//! Owns a simulator, a daemon beside it, and what must be true of the store while the network is broken and once it is
//! whole again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use alertferry_simulator::{Simulator, Step, Template};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::rig::campaign::{Row, is_large};
use crate::rig::{guid, query_all};
use crate::scene::holds_secret;
use crate::support::{Config, Daemon, House, real_time_world, told, wait_until};

/// Between two looks at the store.
const GLANCE: Duration = Duration::from_millis(100);
/// Between two requests for a poll, which end a wait that the daemon has chosen itself.
const HURRY: Duration = Duration::from_millis(700);
/// Nothing takes this long to be read once the network is whole, unless it is never read.
const PATIENCE: Duration = Duration::from_secs(200);

/// A simulator and a house whose daemon reads it.
pub struct Field {
    pub sim: Simulator,
    pub house: House,
    pub config: Config,
    rng: StdRng,
    watch: Watch,
}

impl Field {
    /// The tenants `1..=tenants` with so many alerts each; `change` makes the configuration what a row wants.
    pub async fn new(row: &Row, tenants: u64, alerts: usize, change: impl FnOnce(&mut Config)) -> Self {
        let mut world = real_time_world();
        for n in 1..=tenants {
            let template = Template { evidence: 1, bytes: 1_200, seed: row.seed ^ n, ..Template::default() };
            world.add_tenant(&guid(n));
            world.fill(&guid(n), alerts, &template);
        }
        let sim = Simulator::start(world).await.expect("a simulator");
        sim.faults().seed(row.seed);
        Self::around(row, sim, change)
    }

    /// Around a simulator that is there.
    pub fn around(row: &Row, sim: Simulator, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::of(&sim);
        config.poll = "request_timeout = \"2s\"".to_owned();
        change(&mut config);
        let house = House::with(&config);
        let watch = Watch::over(house.store());
        Self { sim, house, config, rng: StdRng::seed_from_u64(row.seed), watch }
    }

    /// Random things happen in random tenants.
    pub fn live(&mut self, steps: usize) {
        let rng = &mut self.rng;
        self.sim.world().with(|world| {
            for (tenant, step) in world.live(rng, steps) {
                // It would come into sight at some time of its own, perhaps behind the last look.
                if let Step::CreatedLate(id) = step {
                    world.forget_alert(&tenant, &id).expect("it was made");
                }
            }
        });
    }

    /// How many passes of the tenant have ended badly so far.
    pub fn failures(&self, tenant: &str) -> usize {
        let lines = self.house.all_lines();
        lines.iter().filter(|line| is_failure(line) && line["tenant"] == tenant).count()
    }

    /// Waits until so many more passes of the tenant have ended badly, which are asked for.
    pub async fn suffer(&self, daemon: &Daemon, tenant: &str, more: usize) {
        let wanted = self.failures(tenant) + more;
        self.wait_asking(daemon, &["USR1"], "failures", || self.failures(tenant) >= wanted).await;
    }

    /// Waits until something holds, and sends these signals to the daemon all the while.
    pub async fn wait_asking(&self, daemon: &Daemon, signals: &[&str], what: &str, mut holds: impl FnMut() -> bool) {
        // Before a program listens to signals they end it, and a busy machine takes its time to start one.
        daemon.hear("daemon.ready").await;
        let mut asked = Instant::now();
        wait_until(what, || {
            if asked.elapsed() > HURRY {
                signals.iter().for_each(|name| daemon.signal(name));
                asked = Instant::now();
            }
            holds()
        })
        .await;
    }

    /// Waits until a pass of the tenant that began after this call has gone well; it is asked for.
    pub async fn read(&self, daemon: &Daemon, tenant: &str) {
        let before = if self.house.store_is_there() { self.of(tenant, "last_success_at") } else { String::new() };
        self.wait_asking(daemon, &["USR1"], "a pass that goes well", || {
            self.house.store_is_there() && self.of(tenant, "last_success_at") > before
        })
        .await;
    }

    /// One tenant's value in the view of tenants.
    pub fn of(&self, tenant: &str, column: &str) -> String {
        let sql = format!("SELECT coalesce({column}, '') FROM tenants WHERE tenant_id = '{tenant}'");
        self.house.query(&sql).pop().and_then(|mut row| row.pop()).unwrap_or_default()
    }

    /// The network is whole again, and life went on: everything is read, by the daemon itself where its waits are
    /// short, and else as if the time had passed. Then all that must hold is held.
    pub async fn healed(mut self, daemon: Daemon) -> Self {
        self.sim.faults().clear();
        self.live(2 * self.config.customers.len());
        let daemon = self.read_to_the_end(daemon).await;
        let seqs = self.house.changes();
        wait_until("a line for each change", || told(&self.house.all_lines()).is_superset(&seqs)).await;
        daemon.stop().await;
        self.assert_whole();
        self
    }

    /// The oracle, once all is read and no daemon runs.
    pub fn assert_whole(&self) {
        let tenants: Vec<String> = self.config.customers.iter().map(|customer| customer.id.clone()).collect();
        for tenant in &tenants {
            let (stored, truth) =
                (crate::rig::stored(&self.house.store(), tenant), crate::rig::truth(&self.sim, tenant));
            for (id, text) in truth.iter().filter(|(id, text)| stored.get(*id) != Some(*text)) {
                eprintln!("{tenant} {id}, covered until {}: {text:.400}", self.of(tenant, "covered_until"));
                for request in self.sim.stats().log_of(tenant, alertferry_simulator::Route::Any) {
                    eprintln!("{} {} {:?} {}", request.at, request.query, request.status, request.rows);
                }
            }
        }
        self.house.assert_equals_truth(&self.sim, &tenants);
        self.assert_sound();
    }

    /// The part of the oracle that looks at no single alert.
    pub fn assert_sound(&self) {
        self.watch.assert_never_back();
        assert_eq!(told(&self.house.all_lines()), self.house.changes(), "lines against changes");
        let counted = "SELECT count(*) FROM tenants AS t WHERE t.alert_count <>
                       (SELECT count(*) FROM alerts AS a WHERE a.tenant_id = t.tenant_id)";
        assert_eq!(self.house.number(counted), 0, "the counter of alerts against the alerts");
        self.assert_no_secret();
    }

    /// Waits until every tenant is well and read to the end. What waits for longer than a test may is made due as if
    /// its time had come: between two runs of the daemon, as a machine that slept would have it.
    async fn read_to_the_end(&self, mut daemon: Daemon) -> Daemon {
        let now = || self.house.query("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")[0][0].clone();
        let unread = |now: &str| {
            format!(
                "SELECT tenant_id, state, reason, open_gaps, next_attempt_at FROM tenants WHERE state <> 'disabled' AND
             (state <> 'ok' OR last_success_at IS NULL OR last_success_at < '{now}' OR open_gaps > 0)"
            )
        };
        // A pass that ends now may have asked before: whoever ended twice has begun once.
        let (mut wanted, mut again) = (unread(&now()), true);
        let by_itself = Duration::from_secs(if is_large() { 60 } else { 3 });
        let (begun, mut since, mut asked) = (Instant::now(), Instant::now(), Instant::now());
        loop {
            tokio::time::sleep(GLANCE).await;
            let left = if self.house.store_is_there() { self.house.query(&wanted) } else { vec![Vec::new()] };
            if left.is_empty() && self.house.number("SELECT count(*) FROM tenants") > 0 {
                if !again {
                    return daemon;
                }
                (wanted, again) = (unread(&now()), false);
                continue;
            }
            assert!(begun.elapsed() < PATIENCE, "unread: {left:?} {}", self.gaps());
            if since.elapsed() > by_itself && self.waits() {
                daemon.stop().await;
                self.house.time_passes();
                daemon = self.house.start();
                // Before it is ready it may hear no signal yet, and would end by one.
                daemon.hear("daemon.ready").await;
                (since, asked) = (Instant::now(), Instant::now());
            } else if !is_large() && asked.elapsed() > 3 * HURRY {
                daemon.signal("USR1");
                asked = Instant::now();
            }
        }
    }

    fn gaps(&self) -> String {
        format!("{:?}", self.house.query("SELECT * FROM gaps"))
    }

    /// Whether something waits for a time to come. The daemon's own quota is not waited for by a restart: it only knows
    /// then how many calls there were in the hour, and not how long ago, and waits for longer.
    fn waits(&self) -> bool {
        self.house.number(
            "SELECT (SELECT count(*) FROM gap WHERE not_before > strftime('%Y-%m-%dT%H:%M:%f', 'now'))
            + (SELECT count(*) FROM tenants WHERE state IN ('throttled', 'unreachable', 'degraded')
               AND coalesce(reason, '') NOT LIKE 'the quota of API calls%'
               AND next_attempt_at > strftime('%Y-%m-%dT%H:%M:%f', 'now', '+2 seconds'))",
        ) > 0
    }

    /// Neither the secret nor a token stands in what was written, stored or told.
    fn assert_no_secret(&self) {
        for entry in std::fs::read_dir(self.house.path(".")).expect("a directory") {
            let path = entry.expect("an entry").path();
            let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default().to_owned();
            if !["out", "err"].contains(&kind.as_str()) && !kind.starts_with("db") {
                continue;
            }
            let bytes = std::fs::read(&path).expect("readable");
            assert!(!holds_secret(&bytes), "the secret in {}", path.display());
            for token in ["eyJ0eX", "eyJhbG"] {
                assert!(memchr::memmem::find(&bytes, token.as_bytes()).is_none(), "{token} in {}", path.display());
            }
        }
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let lines = self.house.all_lines();
            for line in &lines[lines.len().saturating_sub(25)..] {
                eprintln!("{line}");
            }
            let sql = "SELECT tenant_id, state, reason, next_attempt_at, open_gaps FROM tenants LIMIT 30";
            if self.house.store_is_there() {
                eprintln!("{:#?}", self.house.query(sql));
            }
        }
    }
}

/// Whether a line tells of a pass that ended badly.
pub fn is_failure(line: &serde_json::Value) -> bool {
    line["event"] == "pass.finished" && line["outcome"] == "failed"
}

/// Looks at what is covered all the time, since it may never go back.
struct Watch {
    wrong: Arc<Mutex<Vec<String>>>,
    looks: Arc<Mutex<u64>>,
    _task: tokio::task::JoinSet<()>,
}

impl Watch {
    fn over(store: PathBuf) -> Self {
        let (wrong, looks) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let (mut task, told, counted) = (tokio::task::JoinSet::new(), Arc::clone(&wrong), Arc::clone(&looks));
        task.spawn(async move {
            let mut before: BTreeMap<String, String> = BTreeMap::new();
            loop {
                tokio::time::sleep(GLANCE).await;
                if !House::has_store(&store) {
                    continue;
                }
                let sql = "SELECT tenant_id, covered_until FROM tenants WHERE covered_until IS NOT NULL";
                for row in query_all(&store, sql) {
                    let old = before.insert(row[0].clone(), row[1].clone());
                    if old.as_ref().is_some_and(|old| *old > row[1]) {
                        lock(&told).push(format!("{}: from {old:?} to {}", row[0], row[1]));
                    }
                }
                *lock(&counted) += 1;
            }
        });
        Self { wrong, looks, _task: task }
    }

    fn assert_never_back(&self) {
        assert!(*lock(&self.looks) > 0, "nobody looked");
        assert!(lock(&self.wrong).is_empty(), "what is covered went back: {:?}", lock(&self.wrong));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
