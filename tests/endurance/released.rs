//! Owns stores as released programs left them, and a service that shows the alerts in them.

use std::path::Path;
use std::time::Duration;

use alertferry_simulator::{Options, Simulator, Ticks, World};

use crate::rig::query_all;
use crate::support::{Config, House};

/// The schema of each store, and its dump.
pub const RELEASED: [(i64, &str); 2] =
    [(1, include_str!("../upgrade/schema-1.sql")), (2, include_str!("../upgrade/schema-2.sql"))];

/// The program that wrote a store has ended so long ago.
const LATER: Duration = Duration::from_secs(60);

/// A store that a released program left, and the service that it was read from, a little later.
pub struct Released {
    pub sim: Simulator,
    pub house: House,
    pub tenants: Vec<String>,
    /// The last of its changes, whose lines that program wrote.
    pub told: i64,
}

impl Released {
    /// The store of this dump.
    pub async fn of(dump: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("alerts.db");
        let conn = rusqlite::Connection::open(&path).expect("a file");
        conn.execute_batch("PRAGMA journal_mode = wal").expect("a log");
        conn.execute_batch(dump).expect("an earlier schema");
        conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("all in one file");
        drop(conn);
        let covered = query_all(&path, "SELECT max(covered_until) FROM tenant").remove(0).remove(0);
        let start = Ticks::parse(&covered).expect("a time") + LATER;
        let mut world = World::new(Options { start: Some(start), speed: 1.0, ..Options::default() });
        for row in
            query_all(&path, "SELECT tenant_id, raw FROM alert JOIN tenant USING (tenant_key) ORDER BY alert_key")
        {
            world.add_tenant(&row[0]);
            world.add_text(&row[0], &row[1], Duration::ZERO).expect("an alert");
        }
        let tenants = world.tenant_ids();
        let sim = Simulator::start(world).await.expect("a simulator");
        let house = House::with(&Config::of(&sim));
        std::fs::copy(&path, house.store()).expect("a copy");
        // A daemon of that time had written the lines of some of its changes, and not of the last ones.
        let told = house.number("SELECT max(seq) FROM alert_change") - 5;
        let conn = rusqlite::Connection::open(house.store()).expect("a store");
        conn.execute("INSERT OR REPLACE INTO cursor (name, seq) VALUES ('log', ?1)", [told]).expect("its cursor");
        drop(conn);
        Self { sim, house, tenants, told }
    }

    /// The schema of the store as it is now.
    pub fn schema(&self) -> i64 {
        self.house.number("SELECT max(version) FROM refinery_schema_history")
    }

    /// Puts a file in the place of the store.
    pub fn replace(&self, by: &Path) {
        for file in alertferry::store::files(&self.house.store()) {
            drop(std::fs::remove_file(file));
        }
        std::fs::copy(by, self.house.store()).expect("a copy");
    }
}
