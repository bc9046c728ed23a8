//! Recorded alerts and the shape of a recorded tenant land in the store to the byte.

use std::path::{Path, PathBuf};

use alertferry_simulator::{Simulator, Ticks, TieRow};

use crate::rig::{self, guid};
use crate::support::{Config, House, on_threads, real_time_world};

/// Where the recordings are, which are not part of the repository.
const VARIABLE: &str = "ALERTFERRY_SAMPLES";

fn samples() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "a test may be told where its recordings are")]
    let told = std::env::var_os(VARIABLE);
    told.map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/samples"), PathBuf::from)
}

fn tie_rows(path: &Path) -> Vec<TieRow> {
    let rows: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).expect("text")).expect("JSON");
    let whole = |value: &serde_json::Value| usize::try_from(value.as_u64().expect("a count")).expect("a count");
    let row = |row: &serde_json::Value| TieRow {
        create_to_update_s: row["create_to_update_s"].as_f64().expect("seconds"),
        tie_group: whole(&row["tie_group"]),
        evidence: whole(&row["evidence"]),
        bytes: whole(&row["bytes"]),
    };
    rows.as_array().expect("rows").iter().map(row).collect()
}

#[test]
fn recorded_alerts_land_to_the_byte() {
    let [alerts, ties] = ["real_alerts.ndjson", "tie_profile.json"].map(|name| samples().join(name));
    if !alerts.exists() || !ties.exists() {
        println!("skipped: no recordings in {} (see {VARIABLE})", samples().display());
        return;
    }
    on_threads(async {
        let mut world = real_time_world();
        let loaded = world.load_file(&alerts, &guid(1)).expect("alerts");
        let rows = tie_rows(&ties);
        world.add_tenant(&guid(2));
        let profiled = world.add_from_tie_profile(&guid(2), &rows).len();
        assert_eq!(profiled, rows.len());
        let sim = Simulator::start(world).await.expect("a simulator");
        let tenants = sim.world().with(|world| world.tenant_ids());
        let mut config = Config::of(&sim);
        // Ties of 76 are then larger than a page.
        config.poll = "backfill = \"3650d\"\npage_size = 50".to_owned();
        let house = House::with(&config);
        let said = house.run(&["sync"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        house.assert_equals_truth(&sim, &tenants);
        let stored = usize::try_from(house.number("SELECT count(*) FROM alerts")).expect("a count");
        println!("{} recorded alerts of {} tenants, {profiled} by profile", loaded.alerts, tenants.len() - 1);
        assert_eq!(stored, loaded.alerts + profiled);

        let text = std::fs::read_to_string(&alerts).expect("text");
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            assert_columns_tell(&house, line);
        }
        assert!(house.number("SELECT count(*) FROM alerts WHERE evidence_count > 0") > 0);
        let again = house.run(&["sync", "--format", "json"]);
        let lines: serde_json::Value = serde_json::from_str(&again.stdout).expect("JSON");
        for line in lines.as_array().expect("lines") {
            assert_eq!((&line["created"], &line["updated"]), (&0.into(), &0.into()), "{line}");
        }
    });
}

/// The columns of an alert hold what its text says, in the form that the store promises.
fn assert_columns_tell(house: &House, line: &str) {
    let alert: serde_json::Value = serde_json::from_str(line).expect("an alert");
    let id = alert["id"].as_str().expect("an id");
    let sql = format!(
        "SELECT raw, severity, status, title, detection_source, category, incident_id, alert_creation_time, \
                last_update_time, evidence_count, machine_id \
         FROM alerts WHERE alert_id = '{id}'"
    );
    let row = house.query(&sql).pop().expect("a row");
    assert_eq!(row[0], line, "the text of {id}");
    let text = |key: &str| match &alert[key] {
        value if value.is_null() => "NULL".to_owned(),
        value => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    };
    let keys = ["severity", "status", "title", "detectionSource", "category", "incidentId"];
    for (column, key) in row[1..].iter().zip(keys) {
        assert_eq!(column, &text(key), "{key} of {id}");
    }
    for (column, key) in [(&row[7], "alertCreationTime"), (&row[8], "lastUpdateTime")] {
        assert_eq!(column.len(), "2026-11-23T10:15:30.1233333Z".len(), "{key} of {id}: {column}");
        assert_eq!(Ticks::parse(column), Ticks::parse(&text(key)), "{key} of {id}");
    }
    let evidence = alert["evidence"].as_array().map_or(0, Vec::len);
    assert_eq!(row[9], evidence.to_string(), "evidence of {id}");
    assert_eq!(row[10], text("machineId"), "machine of {id}");
    assert_eq!(rig::query_all(&house.store(), "SELECT count(*) FROM quarantine"), [["0"]]);
}
