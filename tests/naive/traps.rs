//! Owns the worlds in which the usual ways of reading lose something.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use alertferry_simulator::{Edit, NewAlert, Simulator, Template, TieRow, World};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Deserialize;

use crate::say;
use crate::support::{self, guid};

type Spring = Box<dyn Fn(&mut World) + Send + Sync>;

/// A world, and what happens in it behind the back of the first full answer.
pub struct Trap {
    pub name: &'static str,
    world: Box<dyn Fn() -> World>,
    spring: fn() -> Spring,
}

impl Trap {
    /// Sets it: a world of its own for each reader.
    pub async fn set(&self) -> Simulator {
        let sim = Simulator::start((self.world)()).await.expect("a simulator");
        let (spring, sprung) = ((self.spring)(), AtomicBool::new(false));
        sim.on_snapshot(Box::new(move |info, world| {
            if info.rows > 0 && !sprung.swap(true, Ordering::SeqCst) {
                spring(world);
            }
        }));
        sim
    }
}

fn nothing() -> Spring {
    Box::new(|_| {})
}

fn filled(template: &Template) -> World {
    let mut world = support::world();
    world.fill(&guid(1), 60, template);
    world
}

fn small() -> Template {
    Template { evidence: 1, bytes: 900, ..Template::default() }
}

/// Groups of twenty share their times, as after an incident merge.
pub fn ties() -> Trap {
    let world = || filled(&Template { tie_group: 20, ..small() });
    Trap { name: "ties", world: Box::new(world), spring: nothing }
}

/// An alert is stamped, and shown only after one that was stamped later had been read.
pub fn late() -> Trap {
    let world = || {
        let (mut world, mut rng) = (support::world(), StdRng::seed_from_u64(1));
        let hidden = NewAlert { visible_after: Duration::from_secs(600), ..NewAlert::default() };
        world.new_alert(&guid(1), &mut rng, &hidden).expect("an alert");
        world.advance(Duration::from_secs(60));
        world.new_alert(&guid(1), &mut rng, &NewAlert::default()).expect("an alert");
        world.advance(Duration::from_secs(60));
        world
    };
    Trap { name: "late", world: Box::new(world), spring: nothing }
}

/// While the second page is asked for, somebody works on an alert of the first, which leaves the window that is being
/// read: every later row moves up by one.
pub fn edited() -> Trap {
    let spring = || -> Spring {
        Box::new(|world| {
            let first = world.truth(&guid(1))[0].id.clone();
            let edit = Edit { status: Some("InProgress".to_owned()), ..Edit::default() };
            world.edit(&guid(1), &first, &edit).expect("edited");
        })
    };
    Trap { name: "edits while paging", world: Box::new(|| filled(&small())), spring }
}

/// Rows come by id, and ids carry no time.
pub fn by_id() -> Trap {
    Trap { name: "order of ids", world: Box::new(|| filled(&small())), spring: nothing }
}

/// The ties, sizes and ages of a recorded tenant: 76 of its 111 alerts share one time. `None` without the recording.
pub fn recorded() -> Option<Trap> {
    #[derive(Deserialize)]
    struct Recorded {
        create_to_update_s: f64,
        tie_group: usize,
        evidence: usize,
        bytes: usize,
    }
    let path = samples().join("tie_profile.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        say(&format!("skipped: there is no {}", path.display()));
        return None;
    };
    let rows: Vec<Recorded> = serde_json::from_str(&text).expect("a tie profile");
    let row = |row: Recorded| TieRow {
        create_to_update_s: row.create_to_update_s,
        tie_group: row.tie_group,
        evidence: row.evidence,
        bytes: row.bytes,
    };
    let rows: Arc<[TieRow]> = rows.into_iter().map(row).collect();
    let world = move || {
        let mut world = support::world();
        world.add_from_tie_profile(&guid(1), &rows);
        world
    };
    Some(Trap { name: "recorded ties", world: Box::new(world), spring: nothing })
}

#[expect(clippy::disallowed_methods, reason = "the settings' own door to the environment is not for tests")]
fn samples() -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/samples");
    std::env::var_os("ALERTFERRY_SAMPLES").map_or(beside, PathBuf::from)
}
