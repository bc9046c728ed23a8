//! Owns how these tests run the program: worlds in real time, a house for the program, and waiting by looking.

mod config;
mod daemon;
mod house;

use std::future::Future;
use std::time::{Duration, Instant};

use alertferry_simulator::{Options, Simulator, Template, World};

pub use config::{Config, Customer, EACH_SECOND, SELDOM, name_of};
pub use daemon::{Daemon, PROMISED_STOP, told};
pub use house::{House, PROGRAM, Said, said};

use crate::rig;

/// Nothing in these tests takes this long unless it never comes.
pub const PATIENCE: Duration = Duration::from_secs(60);

const GLANCE: Duration = Duration::from_millis(15);

/// Waits until `look` finds something; panics with `what` when it never does.
pub async fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_within(PATIENCE, what, look).await
}

/// As [`wait_for`], for what may take longer.
pub async fn wait_within<T>(patience: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < patience, "{what} did not come");
        tokio::time::sleep(GLANCE).await;
    }
}

/// Waits until `holds` is true.
pub async fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    wait_for(what, || holds().then_some(())).await;
}

/// Runs `work` on a runtime with threads of its own for the simulator, so that the test may block.
pub fn on_threads<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

/// A world in real time, as the daemon's own clock has it.
pub fn real_time_world() -> World {
    World::new(Options::default())
}

/// A real-time simulator with the tenants `1..=tenants`, each with so many alerts.
pub async fn simulator(tenants: u64, alerts: usize) -> Simulator {
    let mut world = real_time_world();
    for n in 1..=tenants {
        let id = rig::guid(n);
        world.add_tenant(&id);
        world.fill(&id, alerts, &Template { evidence: 1, bytes: 1_200, seed: n, ..Template::default() });
    }
    Simulator::start(world).await.expect("a simulator")
}

/// What is hidden for a while comes out now, and then the world stands still.
pub fn settle(sim: &Simulator) {
    sim.world().with(|world| {
        world.advance(Duration::from_secs(700));
        world.clock.set_speed(0.0);
    });
}
