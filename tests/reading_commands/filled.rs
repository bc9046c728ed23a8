//! Owns a house whose store is filled from the simulator, with texts that would harm terminals and spreadsheets.

use alertferry_simulator::Simulator;
use serde_json::Value;

use crate::rig::guid;
use crate::support::{Config, House, SELDOM, Said, on_threads, simulator};

/// A title that clears the screen, turns text around, holds a NUL and begins like a formula.
pub const HOSTILE: &str = "=HYPERLINK(\"http://bad\")\u{1b}[2J\u{202e}gnp.exe\0\nend";

/// A store with so many tenants of three alerts each. The first alert of the first tenant has [`HOSTILE`] as title.
pub struct Filled {
    pub house: House,
    pub sim: Simulator,
    /// The first tenant's ids, that of the hostile alert first.
    pub ids: Vec<String>,
}

impl Filled {
    pub async fn with(tenants: u64) -> Self {
        let sim = simulator(tenants, 3).await;
        let ids = sim.world().with(|world| {
            let ids: Vec<String> = world.truth(&guid(1)).into_iter().map(|truth| truth.id).collect();
            let members = [
                ("title", Value::from(HOSTILE).to_string()),
                ("severity", "\"High\"".to_owned()),
                ("computerDnsName", "\"@device.example\"".to_owned()),
            ];
            world.set_members(&guid(1), &ids[0], &members).expect("an alert");
            ids
        });
        let mut config = Config::of(&sim);
        config.schedule = SELDOM;
        config.customers[0].lines = "tags = [\"gold\"]".to_owned();
        let house = House::with(&config);
        let said = house.run(&["sync"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        Self { house, sim, ids }
    }

    /// Runs a command that must succeed.
    pub fn shows(&self, arguments: &[&str]) -> String {
        let said = self.house.run(arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
        said.stdout
    }

    /// Runs a command that must succeed, and reads its JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["--format", "json"]].concat();
        serde_json::from_str(&self.shows(&arguments)).expect("JSON")
    }

    /// Runs a command that must fail so, saying these words.
    pub fn fails(&self, arguments: &[&str], code: i32, words: &[&str]) -> Said {
        let said = self.house.run(arguments);
        assert_eq!(said.code, Some(code), "{arguments:?}: {said:?}");
        assert!(!said.stderr.contains("panicked"), "{arguments:?}: {said:?}");
        for word in words {
            assert!(said.stderr.contains(word), "{arguments:?}: `{word}` is not said: {said:?}");
        }
        said
    }
}

/// Runs a test on a filled house.
pub fn filled(tenants: u64, test: impl AsyncFnOnce(Filled)) {
    on_threads(async { test(Filled::with(tenants).await).await });
}

/// Asserts that a text can be shown on a terminal without doing anything to it.
pub fn assert_harmless(text: &str) {
    let hostile = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{202a}'..='\u{202e}'));
    assert!(!text.contains(hostile), "{text:?}");
}
