//! Owns the store that is shown: a world that always is the same, stored by a real `sync`.
//!
//! The world stands still in 2015, so that how long ago that is has as many digits for years to come.

use std::process::Command;

use alertferry_simulator::{Edit, Licence, NewAlert, Options, Simulator, World};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::hostile::{TENANT_NAME, TEXTS};
use crate::rig::guid;
use crate::support::{Config, House, PROGRAM, SELDOM, Said, on_threads, said};

/// When the world stands still.
const NOW: &str = "2015-05-14T08:00:00Z";
/// The tenant with everyday alerts.
pub const CONTOSO: &str = "Contoso";
/// An everyday alert with a history and evidence.
pub const EVERYDAY: &str = "da638512345678901234_-1";
/// Tenants by number: their names, as TOML writes them.
const NAMES: [&str; 4] = [CONTOSO, "=Ev\\u202eil\\u200b \\u2028{Ltd} 株式", "Fabrikam", "Northwind Traders"];

/// A store with its world.
pub struct Stage {
    pub house: House,
    pub sim: Simulator,
}

/// Runs a test on a filled store.
pub fn on_stage(test: impl AsyncFnOnce(Stage)) {
    on_threads(async { test(Stage::filled().await).await });
}

/// Runs a test on a house without a store.
pub fn on_empty_stage(test: impl AsyncFnOnce(Stage)) {
    on_threads(async { test(Stage::empty().await).await });
}

fn everyday(world: &mut World) {
    let mut rng = StdRng::seed_from_u64(7);
    for (number, minutes) in [3, 50, 900].into_iter().enumerate() {
        let created = world.now() - std::time::Duration::from_secs(60 * minutes);
        let id = Some(format!("da638512345678901234_-{}", number + 1));
        let new = NewAlert { id, created: Some(created), ..NewAlert::default() };
        world.new_alert(&guid(1), &mut rng, &new).expect("an alert");
    }
}

/// The world: everyday alerts, hostile ones, a tenant without a licence, and one that is left alone.
fn world() -> World {
    let start = alertferry_simulator::Ticks::parse(NOW).expect("a time");
    let mut world = World::new(Options { start: Some(start), speed: 0.0, ..Options::default() });
    for tenant in 1..=4 {
        world.add_tenant(&guid(tenant));
    }
    everyday(&mut world);
    for (number, hostile) in TEXTS.into_iter().enumerate() {
        world.add_text(&guid(2), &hostile.alert(&guid(2), number), std::time::Duration::ZERO).expect("an alert");
    }
    world.set_state(&guid(3), |state| state.licence = Licence::Inactive403);
    world
}

impl Stage {
    async fn empty() -> Self {
        let sim = Simulator::start(world()).await.expect("a simulator");
        let mut config = Config::of(&sim);
        config.schedule = SELDOM;
        config.log = "level = \"error\"".to_owned();
        config.customers[0].lines = "tags = [\"gold\", \"eu\"]".to_owned();
        config.customers[1].lines = r#"tags = ["\u202edlog", "=1+1", "\u200b"]"#.to_owned();
        config.customers[3].lines = "enabled = false".to_owned();
        let house = House::with(&config);
        let named = |text: String, (at, name): (usize, &&str)| {
            text.replace(&crate::support::name_of(&guid(at as u64 + 1)), name)
        };
        house.write("main.toml", &NAMES.iter().enumerate().fold(config.text(), named));
        Self { house, sim }
    }

    async fn filled() -> Self {
        let stage = Self::empty().await;
        // One after another, so that the changes have the same numbers each time.
        for (name, code) in [(CONTOSO, 0), (TENANT_NAME, 0), ("Fabrikam", 75)] {
            stage.runs(&["sync", "--tenant", name], code);
        }
        let edit = Edit {
            status: Some("Resolved".to_owned()),
            assigned_to: Some("anna.lind@corp.example".to_owned()),
            comment: Some("Looked into it.\nNothing \u{1b}[31mred\u{1b}[0m.".to_owned()),
            ..Edit::default()
        };
        stage.sim.world().with(|world| {
            world.advance(std::time::Duration::from_secs(60));
            world.edit(&guid(1), EVERYDAY, &edit).expect("an alert");
        });
        stage.runs(&["sync", "--tenant", CONTOSO], 0);
        stage
    }

    /// The program in the house's directory, with nothing in its environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.env_clear().current_dir(self.house.path(".")).args(["--config", "main.toml"]).args(arguments);
        command.stdin(std::process::Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        said(&mut self.command(arguments))
    }

    /// Runs a command that must end so; what it shows.
    pub fn runs(&self, arguments: &[&str], code: i32) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, Some(code), "{arguments:?}: {said:?}");
        said.stdout
    }
}
