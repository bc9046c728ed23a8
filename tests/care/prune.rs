//! Taking out by age: exactly what the rules say goes, whoever is writing beside it.

use std::collections::BTreeSet;

use alertferry_simulator::Simulator;
use serde_json::{Value, json};

use crate::rig::{guid, ticks};
use crate::support::{Config, House, SELDOM, on_threads, simulator};
use crate::whole::assert_whole;

/// So short that what is a day old may go.
const SHORT: &str = "backfill = \"1h\"\nsweep = \"0s\"\noverlap = \"1m\"";

/// Two tenants whose alerts have every severity, and are resolved or not, one to twenty days old; all are stored.
pub async fn aged() -> (House, Simulator, Config) {
    let sim = simulator(2, 120).await;
    let severities =
        ["\"High\"", "\"Medium\"", "\"Low\"", "\"Informational\"", "\"UnSpecified\"", "null", "\"Grim\\u001b\""];
    for n in 1..=2 {
        sim.world().with(|world| {
            let ids: Vec<String> = world.truth(&guid(n)).into_iter().map(|truth| truth.id).collect();
            for (number, id) in (0_u64..).zip(&ids) {
                let severity = severities[usize::try_from(number).expect("small") % severities.len()].to_owned();
                let status = if number % 3 == 0 { "\"New\"" } else { "\"Resolved\"" }.to_owned();
                let at = world.now() - std::time::Duration::from_secs(86_400 + number * 14_000);
                let members = [("severity", severity), ("status", status)];
                world.set_members_at(&guid(n), id, &members, at, std::time::Duration::ZERO).expect("an alert");
            }
        });
    }
    let mut config = Config::of(&sim);
    config.schedule = SELDOM;
    let house = House::with(&config);
    let said = house.run(&["sync"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    config.poll = SHORT.to_owned();
    house.configure(&config);
    (house, sim, config)
}

/// The ids of a tenant's alerts that fit, as the service has them.
fn ids(sim: &Simulator, tenant: u64, fits: impl Fn(&Value, i64) -> bool) -> BTreeSet<String> {
    sim.world().with(|world| {
        let now = ticks(&world.now().to_string());
        let days = |text: &str| i64::try_from(now.since(ticks(text)).as_secs() / 86_400).expect("small");
        let truths = world.truth(&guid(tenant)).into_iter().filter(|truth| {
            let alert: Value = serde_json::from_str(&truth.expanded).expect("JSON");
            fits(&alert, days(&truth.last_update_time))
        });
        truths.map(|truth| truth.id).collect()
    })
}

/// The ids of a tenant's alerts that are stored.
fn stored(house: &House, tenant: u64) -> BTreeSet<String> {
    house
        .query(&format!("SELECT alert_id FROM alerts WHERE tenant_id = '{}'", guid(tenant)))
        .concat()
        .into_iter()
        .collect()
}

fn prune(house: &House, arguments: &[&str]) -> Value {
    let said = house.run(&[&["prune", "--format", "json"], arguments].concat());
    assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
    serde_json::from_str(&said.stdout).expect("JSON")
}

/// How many alerts went, or would go, of this severity.
fn went(told: &Value, severity: &str) -> u64 {
    let lines = told["severities"].as_array().expect("lines");
    lines.iter().find(|line| line["severity"] == severity).expect("a line")["alerts"].as_u64().expect("a number")
}

#[test]
fn each_severity_goes_at_its_own_age() {
    on_threads(async {
        let (house, sim, mut config) = aged().await;
        config.log =
            "history = true\n[retention]\ndefault = \"10d\"\nhigh = \"forever\"\nlow = \"5d\"\nunspecified = \"15d\""
                .to_owned();
        house.configure(&config);
        let stays = |alert: &Value, days: i64| {
            let most = match alert["severity"].as_str() {
                Some("High") => i64::MAX,
                Some("Low") => 5,
                Some("UnSpecified") | None => 15,
                Some(_) => 10,
            };
            alert["status"] != "Resolved" || days < most
        };
        let before = house.query("SELECT * FROM alert ORDER BY alert_key");
        let would = prune(&house, &["--dry-run"]);
        assert_eq!(house.query("SELECT * FROM alert ORDER BY alert_key"), before, "nothing went");
        let did = prune(&house, &[]);
        assert_eq!((&would["severities"], &would["stay"]), (&did["severities"], &did["stay"]));
        assert_eq!((&would["dry_run"], &did["dry_run"], &did["finished"]), (&json!(true), &json!(false), &json!(true)));
        for n in 1..=2 {
            assert_eq!(stored(&house, n), ids(&sim, n, stays), "tenant {n}");
        }
        let gone = before.len() - house.query("SELECT 1 FROM alert").len();
        let told: u64 = did["severities"]
            .as_array()
            .expect("lines")
            .iter()
            .map(|line| line["alerts"].as_u64().expect("a number"))
            .sum();
        assert!(gone > 20 && told == gone as u64, "{gone}: {did}");
        assert_eq!(went(&did, "high"), 0);
        assert!(went(&did, "grim\u{1b}") > 0 && did["stay"]["open"].as_u64() > Some(0), "{did}");
        assert_whole(&house.store());
        // It stays so: what went is not read again, and a second time nothing goes.
        assert_eq!(house.run(&["sync"]).code, Some(0));
        assert_eq!(stored(&house, 1), ids(&sim, 1, stays));
        let table = house.run(&["prune"]);
        assert_eq!(table.code, Some(0), "{table:?}");
        crate::filled::assert_harmless(&table.stdout);
        assert!(table.stdout.contains("0 alerts and 0 changes") && table.stdout.contains("go after 5d"), "{table:?}");
    });
}

#[test]
fn the_command_line_says_what_goes() {
    on_threads(async {
        let (house, sim, _) = aged().await;
        let name = crate::support::name_of(&guid(1));
        prune(&house, &["--older-than", "8d", "--severity", "HIGH", "--severity", "low", "--tenant", &name]);
        let stays = |alert: &Value, days: i64| {
            let chosen = alert["severity"] == "High" || alert["severity"] == "Low";
            !chosen || alert["status"] != "Resolved" || days < 8
        };
        assert_eq!(stored(&house, 1), ids(&sim, 1, stays));
        assert_eq!(stored(&house, 2).len(), 120, "nothing of the other tenant went");
        let told = prune(&house, &["--older-than", "8d", "--include-open"]);
        assert_eq!(told["stay"]["open"], 0);
        for n in 1..=2 {
            assert_eq!(stored(&house, n), ids(&sim, n, |_, days| days < 8));
        }
        assert_whole(&house.store());
        let said = house.run(&["prune", "--older-than", "8d"]);
        assert!(said.stdout.contains("are free") && !said.stdout.contains("\n0 stay"), "{said:?}");
    });
}

#[test]
fn what_cannot_be_meant_is_refused() {
    on_threads(async {
        let (house, _, mut config) = aged().await;
        for (arguments, code, words) in [
            (["prune"].as_slice(), 64, ["nothing says what may go", "[retention]"]),
            (&["prune", "--dry-run"], 64, ["nothing says what may go", "--older-than"]),
            (&["prune", "--older-than", "59m"], 64, ["59m is less than the 1h", "come back"]),
            (&["prune", "--older-than", "x"], 64, ["no span of time", "older-than"]),
            (&["prune", "--severity", "High"], 64, ["--older-than", "required"]),
            (&["prune", "--older-than", "9d", "--severity", "dire"], 64, ["`dire` is no severity", "informational"]),
            (&["prune", "--older-than", "9d", "--tenant", "nobody"], 64, ["`nobody`", "alertferry status"]),
            (&["prune", "--older-than", "9d", "--dry-run", "--vacuum"], 64, ["--vacuum", "cannot be used"]),
        ] {
            let said = house.run(arguments);
            assert_eq!(said.code, Some(code), "{arguments:?}: {said:?}");
            for word in words {
                assert!(said.stderr.contains(word), "{arguments:?}: `{word}` is not said: {said:?}");
            }
        }
        config.log += "\n[retention]\nhigh = \"30m\"";
        house.configure(&config);
        assert_eq!(house.run(&["prune"]).code, Some(78));
        assert_eq!(house.number("SELECT count(*) FROM alerts"), 240);
        // Only a store that this program knows is written.
        let conn = crate::whole::writer(&house.store());
        conn.execute("UPDATE refinery_schema_history SET version = version + 97", []).expect("a newer one");
        drop(conn);
        config.log = "history = true".to_owned();
        house.configure(&config);
        let said = house.run(&["prune", "--older-than", "9d"]);
        assert!(said.code == Some(65) && said.stderr.contains("newer alertferry"), "{said:?}");
        assert_eq!(house.run(&["tenant", "purge", "x", "--yes"]).code, Some(65));
        for name in ["alerts.db", "alerts.db-wal", "alerts.db-shm"] {
            std::fs::remove_file(house.path(name)).expect("gone");
        }
        rusqlite::Connection::open(house.store()).expect("made").execute_batch("CREATE TABLE x (y)").expect("foreign");
        let bytes = std::fs::read(house.store()).expect("bytes");
        assert_eq!(house.run(&["prune", "--older-than", "9d"]).code, Some(65));
        assert!(std::fs::read(house.store()).expect("bytes") == bytes, "a foreign file is left alone");
        std::fs::remove_file(house.store()).expect("gone");
        assert_eq!(house.run(&["prune", "--older-than", "9d"]).code, Some(66));
        assert!(!house.store().exists(), "no store is made");
    });
}
