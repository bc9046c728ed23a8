//! Owns what must be true of the store: whenever a pass has ended or was killed, and when all has been read.

use std::collections::{BTreeMap, HashMap};

use alertferry::domain::{Tenant, Ticks};
use alertferry_simulator::Simulator;
use rusqlite::Connection;

use super::life::{Life, now};
use crate::support::{self, rows};

/// What was seen of the store so far, to notice what may never happen between two looks.
pub struct Watch {
    tenants: Vec<String>,
    stored_precision: bool,
    covered_until: HashMap<String, Ticks>,
    last_seq: i64,
    /// Whether the service tells the right time, so that what is called covered can be believed at any moment.
    pub believes: bool,
}

/// An alert as it is stored.
struct Stored {
    version: Ticks,
    thin: bool,
    raw: String,
}

impl Watch {
    pub fn new(tenants: &[Tenant], stored_precision: bool) -> Self {
        let tenants = tenants.iter().map(|tenant| tenant.id.to_string()).collect();
        Self { tenants, stored_precision, covered_until: HashMap::new(), last_seq: 0, believes: true }
    }

    /// All that is stored of alerts and changes of tenants other than this one.
    pub fn others(&self, conn: &Connection, tenant: &Tenant) -> Vec<Vec<String>> {
        if self.tenants.len() == 1 {
            return Vec::new();
        }
        let mut all = Vec::new();
        for what in [
            "a.*, t.alert_count FROM alert AS a JOIN tenant AS t USING (tenant_key)",
            "c.* FROM alert_change AS c JOIN alert USING (alert_key) JOIN tenant AS t USING (tenant_key)",
        ] {
            all.extend(rows(conn, &format!("SELECT {what} WHERE t.tenant_id <> '{}' ORDER BY 1", tenant.id)));
        }
        all
    }

    /// Between two passes: what is called covered has been read.
    pub fn quiet(&mut self, conn: &Connection, sim: &Simulator, life: &Life) {
        for tenant in self.tenants.clone() {
            let sql = format!("SELECT covered_until, alert_count FROM tenants WHERE tenant_id = '{tenant}'");
            // Not every tenant of the world is one of the configuration.
            let Some(row) = rows(conn, &sql).pop() else { continue };
            let (covered, counted) = (&row[0], &row[1]);
            let stored = stored(conn, &tenant);
            assert_eq!(*counted, stored.len().to_string(), "the counter of alerts against the rows");
            let Ok(covered) = Ticks::parse(covered) else { continue };
            let before = self.covered_until.insert(tenant.clone(), covered);
            assert!(
                before.is_none_or(|before| before <= covered),
                "covered_until went back from {before:?} to {covered}"
            );
            if self.believes {
                self.covered_is_read(conn, sim, life, &tenant, covered, &stored);
            }
        }
        let seqs = rows(conn, "SELECT count(*), coalesce(max(seq), 0), coalesce(min(seq), 0) FROM alert_change");
        let [count, last, first] = [0, 1, 2].map(|at| seqs[0][at].parse::<i64>().expect("a number"));
        assert!(
            last >= self.last_seq && last - first + 1 >= count,
            "a change vanished: {seqs:?}, {} before",
            self.last_seq
        );
        self.last_seq = last;
    }

    /// Whatever the world shows, and showed already when the covering poll was asked, is stored in that version.
    ///
    /// A version that came into sight later is the business of the next poll, even when its time lies before.
    fn covered_is_read(
        &self,
        conn: &Connection,
        sim: &Simulator,
        life: &Life,
        tenant: &str,
        covered: Ticks,
        stored: &BTreeMap<String, Stored>,
    ) {
        let (gaps, present) = (gaps(conn, tenant), sim.world().with(|world| now(world)));
        // Of a row that is printed rounded up, the service may know an earlier time: it is read with the gap before.
        let rounding = i64::from(self.stored_precision);
        let open =
            |at: Ticks| gaps.iter().any(|(from, until)| *from <= at && at.as_ticks() < until.as_ticks() + rounding);
        for (alert, versions) in histories(sim, tenant) {
            let visible_from = life.visible_from(tenant, &alert);
            assert_eq!(visible_from.len(), versions.len(), "the test lost track of {alert}");
            let Some(owed) = visible_from.iter().rposition(|at| *at <= present) else { continue };
            if visible_from[owed] > covered {
                continue;
            }
            let stamp = versions[owed].0;
            if stamp >= covered || open(stamp) {
                continue;
            }
            let told = || format!("{alert}, version {owed} of {stamp}, covered until {covered}, gaps {gaps:?}");
            let Some(row) = stored.get(&alert) else { panic!("called covered and not stored: {}", told()) };
            assert!(row.version >= stamp, "called covered and stored as of {}: {}", row.version, told());
            if row.thin {
                assert!(open(row.version) || row.version >= covered, "evidence was given up: {}", told());
            } else {
                // Two versions may be alike to the byte: what counts is the text.
                let at = versions.iter().rposition(|(_, text)| *text == row.raw);
                assert!(row.raw == versions[owed].1, "called covered and stored as version {at:?}: {}", told());
            }
        }
    }

    /// When all has been read: the store is the truth, and tells each alert's life once.
    pub fn verdict(&self, conn: &Connection, sim: &Simulator, life: &Life, seed: u64) {
        let path = std::path::Path::new(conn.path().expect("a file"));
        for tenant in &self.tenants {
            support::assert_equals_truth(path, sim, tenant);
            one_change_a_version(conn, sim, tenant);
            for (alert, versions) in histories(sim, tenant) {
                assert_eq!(life.visible_from(tenant, &alert).len(), versions.len(), "the test lost track of {alert}");
            }
        }
        let count = |what: &str| rows(conn, &format!("SELECT count(*) FROM {what}"))[0][0].clone();
        assert_eq!(count("alert WHERE thin"), "0", "evidence is missing");
        assert_eq!(count("quarantine"), "0", "something was set aside");
        support::derived::assert_derived(path);
        if seed.is_multiple_of(8) {
            assert_eq!(rows(conn, "PRAGMA integrity_check"), [["ok"]]);
        }
    }
}

/// Each alert was created first and once; no version was told more often than it had different contents.
fn one_change_a_version(conn: &Connection, sim: &Simulator, tenant: &str) {
    let sql = format!(
        "SELECT alert_id, kind, last_update_time, fields FROM alert_changes WHERE tenant_id = '{tenant}' ORDER BY seq"
    );
    let mut changes: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for row in rows(conn, &sql) {
        changes.entry(row[0].clone()).or_default().push(row);
    }
    for (alert, versions) in histories(sim, tenant) {
        let Some(told) = changes.remove(&alert) else { continue };
        assert!(told[0][1] == "created" && told[1..].iter().all(|row| row[1] == "updated"), "{alert}: {told:?}");
        let mut left: HashMap<Ticks, usize> = HashMap::new();
        for (stamp, _) in &versions {
            *left.entry(*stamp).or_default() += 1;
        }
        for row in told.iter().filter(|row| !only_completes(&row[3])) {
            let stamp = support::ticks(&row[2]);
            let left = left.get_mut(&stamp).unwrap_or_else(|| panic!("{alert} never had the version {stamp}"));
            assert!(*left > 0, "{alert}: the version {stamp} was told too often: {told:?}");
            *left -= 1;
        }
    }
    assert!(changes.is_empty(), "changes of alerts that never were: {changes:?}");
}

/// Whether a change adds what a read without evidence had left out, which is no version of its own.
fn only_completes(fields: &str) -> bool {
    let Ok(fields) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(fields) else { return false };
    fields.keys().all(|name| name == "evidence" || name == "related_user")
}

/// Every alert of a tenant with its versions, as time and text, oldest first.
fn histories(sim: &Simulator, tenant: &str) -> Vec<(String, Vec<(Ticks, String)>)> {
    sim.world().with(|world| {
        assert!(now(world) >= support::ticks(support::START), "time went back");
        let ids: Vec<String> = world.truth(tenant).into_iter().map(|alert| alert.id).collect();
        let versions = |id: &String| {
            let history = world.history(tenant, id).expect("known");
            history.into_iter().map(|version| (support::ticks(&version.last_update_time), version.expanded)).collect()
        };
        ids.iter().map(versions).collect::<Vec<_>>().into_iter().zip(ids.clone()).map(|(a, b)| (b, a)).collect()
    })
}

fn stored(conn: &Connection, tenant: &str) -> BTreeMap<String, Stored> {
    let sql = format!(
        "SELECT alert_id, last_update_time, thin, raw FROM alert JOIN tenant USING (tenant_key)
         WHERE tenant_id = '{tenant}'"
    );
    let row = |row: Vec<String>| {
        let [id, version, thin, raw] = <[String; 4]>::try_from(row).expect("four columns");
        (id, Stored { version: support::ticks(&version), thin: thin == "1", raw })
    };
    rows(conn, &sql).into_iter().map(row).collect()
}

fn gaps(conn: &Connection, tenant: &str) -> Vec<(Ticks, Ticks)> {
    let open = rows(conn, &format!("SELECT \"from\", \"until\" FROM gaps WHERE tenant_id = '{tenant}'"));
    open.iter().map(|row| (support::ticks(&row[0]), support::ticks(&row[1]))).collect()
}
