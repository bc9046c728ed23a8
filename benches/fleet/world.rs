//! Owns the simulated fleet: its tenants, what they have, and what was asked of it.

use std::time::Duration;

use alertferry_simulator::{Options, RateLimits, Route, Simulator, Template, World, numbered_guid};

/// Alerts of a tenant's past, and those of the last hour, which every poll meets again.
const PAST: usize = 4;
const RECENT: usize = 1;

/// The simulated fleet.
pub(crate) struct Fleet {
    pub(crate) simulator: Simulator,
    pub(crate) tenants: Vec<String>,
}

/// Requests since the beginning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) polls: u64,
    pub(crate) sign_ins: u64,
}

impl Fleet {
    /// Serves so many tenants, with the limits that the service has.
    pub(crate) async fn start(tenants: usize) -> Self {
        let limits = Some(RateLimits::default());
        let mut world = World::new(Options { rate_limits: limits, log_capacity: 1, ..Options::default() });
        let tenants: Vec<String> = (1..=tenants).map(|n| numbered_guid(n.try_into().expect("small"))).collect();
        let recent = world.now() - Duration::from_secs(600);
        for (tenant, seed) in tenants.iter().zip(1..) {
            let template = Template { evidence: 2, bytes: 2_400, seed, ..Template::default() };
            world.fill(tenant, PAST, &template);
            world.fill(tenant, RECENT, &Template { from: Some(recent), seed: seed + 1_000_000, ..template });
        }
        Self { simulator: Simulator::start(world).await.expect("a simulator"), tenants }
    }

    /// Alerts that there are.
    pub(crate) fn alerts(&self) -> usize {
        self.tenants.len() * (PAST + RECENT)
    }

    pub(crate) fn asked(&self) -> Asked {
        let stats = self.simulator.stats();
        Asked { polls: stats.total(Route::Alerts), sign_ins: stats.total(Route::Login) }
    }
}
