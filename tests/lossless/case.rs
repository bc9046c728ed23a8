//! Owns drawing a case: how the world is made, how it is asked, and what goes wrong.

use std::time::Duration;

use alertferry::pass::Options;
use alertferry_simulator::{Cut, Fault, FaultBody, FaultRule, PoisonScope, RetryAfter, Route, Shape, World};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::support;
use crate::worlds::life::Life;

/// Sizes of answers, small ones more often: they take windows apart in more ways.
const PAGE_SIZES: [u32; 16] = [1, 2, 2, 3, 3, 5, 5, 8, 8, 13, 13, 50, 50, 100, 1_000, 10_000];

/// Everything about a case that is fixed before it begins.
pub struct Case {
    pub rng: StdRng,
    pub tenants: Vec<String>,
    pub options: Options,
    pub stored_precision: bool,
    pub faults: Vec<FaultRule>,
    /// How many passes are made while things go wrong.
    pub passes: usize,
    /// How likely a pass is to be killed.
    pub crash: f64,
    /// How likely the world is to change before a request, and while an answer is on its way.
    pub change: f64,
}

impl Case {
    pub fn draw(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let tenants = (1..=*[1, 1, 1, 2, 3].choose(&mut rng).expect("some")).map(support::guid).collect();
        let page_size = *PAGE_SIZES.choose(&mut rng).expect("some");
        // The daily second look would mend what was lost before it: most cases do without.
        let sweep = if rng.random_bool(0.2) { Options::default().sweep } else { Duration::ZERO };
        Self {
            tenants,
            options: Options { page_size, sweep, ..Options::default() },
            stored_precision: rng.random_bool(0.3),
            faults: Vec::new(),
            passes: rng.random_range(2..9),
            crash: *[0.0, 0.3, 0.6].choose(&mut rng).expect("some"),
            change: *[0.0, 0.1, 0.3].choose(&mut rng).expect("some"),
            rng,
        }
    }

    /// A world with a past, and the life that goes on in it.
    pub fn populate(&mut self) -> (World, Life) {
        let mut world = support::world();
        world.options.stored_precision = self.stored_precision;
        let start = world.now();
        let mut life = Life::new(self.rng.random(), self.tenants.clone(), support::ticks(support::START));
        for tenant in &self.tenants {
            world.add_tenant(tenant);
            world.set_now(start - Duration::from_secs(*[3_000, 90_000, 800_000].choose(&mut self.rng).expect("some")));
            let room = u64::try_from((start.unix_ticks() - world.now().unix_ticks()) / 10_000).unwrap_or(0);
            let groups = self.rng.random_range(0..10);
            // Many at one instant are what takes longest to read with tiny answers, and adds nothing there.
            let most = if self.options.page_size < 13 { 20 } else { 90 };
            for _ in 0..groups {
                world.advance(Duration::from_millis(self.rng.random_range(0..room / 10)));
                let alike = *[1, 1, 1, 2, 5, most].choose(&mut self.rng).expect("some");
                life.create(&mut world, tenant, alike, Duration::ZERO);
            }
        }
        world.set_now(start);
        (world, life)
    }

    /// Draws what goes wrong, now that the alerts are known.
    pub fn draw_faults(&mut self, world: &mut World) {
        let order = [
            Fault::RefuseOrderBy,
            Fault::IgnoreOrderBy { shuffled: false },
            Fault::IgnoreOrderBy { shuffled: true },
            Fault::RefuseIdRange,
            Fault::UnsortedIds,
        ];
        for fault in order {
            if self.rng.random_bool(0.15) {
                self.faults.push(FaultRule::new(fault));
            }
        }
        for _ in 0..self.rng.random_range(0..4) {
            let (fault, most) = self.passing_fault();
            let chance = self.rng.random_range(0.01..most);
            self.faults.push(FaultRule::new(fault).with_probability(chance));
        }
        if self.rng.random_bool(0.1) {
            self.faults.push(FaultRule::new(Fault::TooLarge { max_rows: self.rng.random_range(1..30) }));
        }
        let tenant = self.tenants[0].clone();
        if self.rng.random_bool(0.1)
            && let Some(alert) = world.truth(&tenant).choose(&mut self.rng)
        {
            let scopes = [PoisonScope::Lists, PoisonScope::ExpandedLists, PoisonScope::ExpandedListsAndGet];
            let scope = *scopes.choose(&mut self.rng).expect("some");
            self.faults.push(FaultRule::new(Fault::PoisonAlert { id: alert.id.clone(), scope }));
        }
        if self.rng.random_bool(0.05) {
            self.faults.push(FaultRule::new(status(503, FaultBody::Html)).on(Route::Login).with_probability(0.3));
        }
    }

    /// Something that passes by itself, and how likely it is at most.
    fn passing_fault(&mut self) -> (Fault, f64) {
        let part = self.rng.random_range(0.0..1.0);
        match self.rng.random_range(0..12) {
            0 | 1 => (Fault::CutBody(Cut::Fraction(part)), 0.4),
            2 => (Fault::CutBody(Cut::Bytes(self.rng.random_range(0..4_000))), 0.4),
            3 => (status(500, FaultBody::Empty), 0.4),
            4 => (status(503, FaultBody::Html), 0.4),
            5 => (Fault::ResetBeforeHeaders, 0.3),
            6 => (Fault::ResetAfterHeaders, 0.3),
            7 => (Fault::MalformedJson, 0.4),
            8 => (Fault::Unauthorized401, 0.2),
            9 => (status(200, FaultBody::Empty), 0.3),
            10 => (Fault::WrongShape(Shape::NoValue), 0.3),
            _ => (Fault::NoDateHeader, 0.3),
        }
    }
}

fn status(status: u16, body: FaultBody) -> Fault {
    Fault::Status { status, body, retry_after: RetryAfter::Absent }
}
