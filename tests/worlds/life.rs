//! Owns what happens in the world while it is read, and the record of when each version could first be seen.

use std::collections::BTreeMap;
use std::time::Duration;

use alertferry::clock::ManualClock;
use alertferry::domain::Ticks;
use alertferry_simulator::{Edit, NewAlert, World, alert_id, tick_alert_id};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

/// Alerts become visible within the hour that every poll looks back, as promised; this is just under it.
const LATEST: u64 = 3_590;

/// The life of a world. Every change goes through here, because the simulator does not tell afterwards since when a
/// version has been visible.
pub struct Life {
    rng: StdRng,
    tenants: Vec<String>,
    /// For each tenant and alert: when each of its versions became or becomes visible.
    visible_from: BTreeMap<(String, String), Vec<Ticks>>,
    /// The reader's clock, which moves with the world's.
    pub clock: ManualClock,
    /// By how many ticks the reader's clock is wrong.
    pub wrong_by: i64,
}

impl Life {
    pub fn new(seed: u64, tenants: Vec<String>, start: Ticks) -> Self {
        let clock = ManualClock::at(start);
        Self { rng: StdRng::seed_from_u64(seed), tenants, visible_from: BTreeMap::new(), clock, wrong_by: 0 }
    }

    /// When each version of an alert became or becomes visible, oldest version first.
    pub fn visible_from(&self, tenant: &str, alert: &str) -> &[Ticks] {
        self.visible_from.get(&(tenant.to_owned(), alert.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Moves the world's and the reader's time on.
    pub fn advance(&self, world: &mut World, by: Duration) {
        world.advance(by);
        self.clock.advance(by);
        self.set_clock(world);
    }

    /// Sets the reader's clock to the world's time, or to what it takes for that.
    pub fn set_clock(&self, world: &World) {
        self.clock.set(Ticks::from_ticks(now(world).as_ticks().saturating_add(self.wrong_by)));
    }

    /// Draws what happens from now on from this number.
    pub fn reseed(&mut self, seed: u64) {
        self.rng = StdRng::seed_from_u64(seed);
    }

    /// Lets time pass as it does between two polls, or two requests.
    pub fn pass_time(&mut self, world: &mut World, most: u64) {
        let by = Duration::from_millis(self.rng.random_range(0..most * 1_000));
        self.advance(world, by);
    }

    /// Adds alerts that share one `lastUpdateTime`.
    pub fn create(&mut self, world: &mut World, tenant: &str, count: usize, lag: Duration) {
        // Some services' ids follow time, others' do not, and an order may look like the other.
        let by_time = self.rng.random_bool(0.3);
        for _ in 0..count {
            let id = if by_time { tick_alert_id("da", world.now(), &mut self.rng) } else { alert_id(&mut self.rng) };
            let new = NewAlert {
                evidence: self.rng.random_range(0..3),
                visible_after: lag,
                id: Some(id.clone()),
                ..NewAlert::default()
            };
            world.new_alert(tenant, &mut self.rng, &new).expect("a new alert");
            self.record(world, tenant, &id, lag);
        }
    }

    /// One thing happens to one tenant.
    pub fn happen(&mut self, world: &mut World) {
        let tenant = self.tenants.choose(&mut self.rng).expect("some").clone();
        let known: Vec<String> = world.truth(&tenant).into_iter().map(|alert| alert.id).collect();
        let late = self.rng.random_bool(0.3);
        let lag = Duration::from_secs(if late { self.rng.random_range(1..LATEST) } else { 0 });
        let some = if known.is_empty() { 0 } else { self.rng.random_range(0..100) };
        if some < 30 {
            let alike = *[1, 1, 1, 2, 9].choose(&mut self.rng).expect("some");
            return self.create(world, &tenant, alike, lag);
        }
        let one = known.choose(&mut self.rng).expect("some").clone();
        let many: Vec<String> = known.sample(&mut self.rng, known.len() / 2 + 1).cloned().collect();
        world.tenant_mut(&tenant).expect("known").visibility_lag = lag;
        let changed = match some {
            30..50 => world.grow_evidence(&tenant, &one, 1, &mut self.rng).map(|()| vec![one]),
            50..70 => {
                let number: u32 = self.rng.random();
                let edit = Edit { comment: Some(format!("seen {number}")), ..Edit::default() };
                world.edit(&tenant, &one, &edit).map(|()| vec![one])
            }
            70..80 => world.recur(&tenant, &one).map(|()| vec![one]),
            80..90 => world.bulk_resolve(&tenant, &many).map(|()| many),
            _ => world.merge_incidents(&tenant, &many, self.rng.random_range(1..1_000_000)).map(|()| many),
        };
        world.tenant_mut(&tenant).expect("known").visibility_lag = Duration::ZERO;
        for id in changed.expect("the alerts are known") {
            self.record(world, &tenant, &id, lag);
        }
    }

    fn record(&mut self, world: &World, tenant: &str, alert: &str, lag: Duration) {
        let versions = self.visible_from.entry((tenant.to_owned(), alert.to_owned())).or_default();
        let mut at = now(world).plus(lag);
        // No change of an alert can be seen before the alert itself.
        if let Some(first) = versions.first().filter(|_| versions.iter().all(|version| *version > now(world))) {
            at = at.max(*first);
        }
        versions.push(at);
    }
}

/// The world's time as the reader counts it.
pub fn now(world: &World) -> Ticks {
    Ticks::from_ticks(world.now().unix_ticks())
}
