//! Listing alerts, and everything about one of them.

use alertferry_simulator::{Edit, NewAlert};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::filled::{Filled, HOSTILE, assert_harmless, filled};
use crate::rig::guid;

/// The ids of a list, in its order.
fn ids(filled: &Filled, arguments: &[&str]) -> Vec<String> {
    let rows = filled.json(&[&["alerts", "list"], arguments].concat());
    let id = |row: &Value| row["alert_id"].as_str().expect("an id").to_owned();
    rows.as_array().expect("rows").iter().map(id).collect()
}

#[test]
fn filters_keep_what_fits() {
    filled(2, async |filled| {
        let one = std::slice::from_ref(&filled.ids[0]);
        for arguments in [
            ["--severity", "hIgh", "--device", "@device"].as_slice(),
            &["--device", "@DEVICE.example", "--tenant", "customer 0001"],
            &[
                "--since",
                "1h",
                "--status",
                "new",
                "--status",
                "InProgress",
                "--status",
                "Resolved",
                "--status",
                "Unknown",
            ],
        ] {
            assert_eq!(ids(&filled, arguments), one, "{arguments:?}");
        }
        let gold = ids(&filled, &["--tag", "Gold"]);
        assert_eq!((gold.len(), &gold[0]), (3, &filled.ids[0]), "the newest first");
        assert_eq!(ids(&filled, &["--tenant", &guid(1)]), gold);
        let category = filled.json(&["alerts", "list"])[0]["category"].as_str().expect("a category").to_owned();
        assert!(ids(&filled, &["--category", &category.to_uppercase()]).contains(&filled.ids[0]));
        for arguments in [
            ["--severity", "' OR 1 = 1 --"].as_slice(),
            &["--tag", "%"],
            &["--device", "@dev"],
            &["--category", "none"],
            &["--until", "2001-01-01"],
            &["--since", "2999-01-01T00:00:00Z"],
        ] {
            assert_eq!(ids(&filled, arguments), [""; 0], "{arguments:?}");
        }
        assert_eq!(ids(&filled, &["--sort", "severity"])[0], filled.ids[0]);
        assert_eq!(ids(&filled, &["--until", "1h"]).len(), 5);
        let rows = filled.json(&["alerts", "list", "--sort", "created"]);
        let times: Vec<_> =
            rows.as_array().expect("rows").iter().map(|row| row["alert_creation_time"].as_str()).collect();
        assert!(times.len() == 6 && times.is_sorted_by(|a, b| a >= b), "{times:?}");
    });
}

#[test]
fn a_list_is_harmless_and_says_when_it_is_cut() {
    filled(1, async |filled| {
        let said = filled.house.run(&["alerts", "list", "--limit", "2"]);
        assert!(said.stderr.contains("more than 2 rows"), "{said:?}");
        assert_eq!(said.stdout.lines().count(), 4, "{said:?}");
        assert_harmless(&said.stdout);
        for word in ["=HYPERLINK", "High", "Customer 0001"] {
            assert!(said.stdout.contains(word), "`{word}` is not said: {said:?}");
        }
        let csv = filled.shows(&["alerts", "list", "--severity", "High", "--format", "csv"]);
        assert!(csv.contains("\"'=HYPERLINK") && csv.contains("\"'@device.example\""), "{csv}");
        filled.fails(&["alerts", "list", "--since", "yesterday"], 64, &["yesterday", "24h"]);
        filled.fails(&["alerts", "list", "--tenant", "nobody"], 64, &["`nobody`", "alertferry status"]);
    });
}

#[test]
fn one_alert_is_shown_with_its_evidence_and_its_history() {
    filled(1, async |filled| {
        let id = filled.ids[0].as_str();
        let edit = Edit { status: Some("Resolved".to_owned()), ..Edit::default() };
        filled.sim.world().with(|world| world.edit(&guid(1), id, &edit)).expect("an alert");
        filled.shows(&["sync"]);
        let shown = filled.json(&["alerts", "show", id]);
        assert_eq!(shown["alert"]["title"], HOSTILE);
        assert_eq!((&shown["alert"]["status"], &shown["alert"]["evidence_count"]), (&"Resolved".into(), &1.into()));
        assert_eq!(shown["evidence"].as_array().map(Vec::len), Some(1));
        assert!(shown["evidence"][0]["entityType"].is_string(), "{shown}");
        let kinds: Vec<_> = shown["changes"].as_array().expect("changes").iter().map(|one| &one["kind"]).collect();
        assert_eq!(kinds, ["created", "updated"]);
        assert_eq!(shown["changes"][1]["fields"]["status"][1], "Resolved");
        let table = filled.shows(&["alerts", "show", id, "--tenant", "customer 0001"]);
        assert_harmless(&table);
        for word in ["=HYPERLINK", "\\u{202e}", "→ Resolved", "evidence", "created", "@device.example", id] {
            assert!(table.contains(word), "`{word}` is not said: {table}");
        }
    });
}

#[test]
fn what_cannot_be_meant_is_told() {
    filled(1, async |filled| {
        let list = |more: &[&'static str]| [&["alerts", "list"], more].concat();
        filled.fails(
            &list(&["--since", "2026-11-30", "--until", "2026-11-01"]),
            64,
            &["nothing lies between", "earlier"],
        );
        filled.fails(&list(&["--since", "-5h"]), 64, &["`-5h`", "a span like 24h"]);
        for option in [&["alerts", "list", "--limit"][..], &["alerts", "tail", "-n"], &["query", "SELECT 1", "--limit"]]
        {
            for number in ["-1", "many"] {
                filled.fails(&[option, &[number]].concat(), 64, &[number, "is no whole number from 0 on"]);
            }
        }
        let said = filled.house.run(&list(&["--severity", "Hihg", "--severity", "low"]));
        assert!(said.code == Some(0) && said.stderr.contains("Hihg: none of High, Medium"), "{said:?}");
        let said = filled.house.run(&list(&["--severity", "Hihg", "--severity", "High"]));
        assert!(said.code == Some(0) && said.stderr.is_empty(), "{said:?}");
    });
}

#[test]
fn a_number_beyond_all_bounds_hides_neither_evidence_nor_change() {
    filled(1, async |filled| {
        let id = filled.ids[0].as_str();
        let with = |account: &str| {
            let evidence = format!(r#"[{{"entityType":"User","accountName":"{account}","processId":1e400}}]"#);
            let world = filled.sim.world();
            world.with(|world| world.set_members(&guid(1), id, &[("evidence", evidence)])).expect("an alert");
            filled.shows(&["sync"]);
        };
        with("ann");
        with("bob");
        let shown = filled.json(&["alerts", "show", id]);
        assert_eq!(shown["evidence"], json!([{"entityType": "User", "accountName": "bob", "processId": "1e400"}]));
        let last = shown["changes"].as_array().and_then(|changes| changes.last()).expect("a change");
        assert_eq!(last["fields"]["evidence"][1][0]["accountName"], "bob");
        assert!(filled.shows(&["alerts", "show", id]).contains("processId: 1e400"));
        assert_eq!(filled.json(&["hunt", "bob", "--type", "account"])[0]["alerts"], 1);
        filled.house.assert_equals_truth(&filled.sim, &[guid(1)]);
    });
}

#[test]
fn an_id_of_several_tenants_asks_for_one() {
    filled(2, async |filled| {
        let id = filled.ids[1].clone();
        let twin = NewAlert { id: Some(id.clone()), ..NewAlert::default() };
        let made = filled.sim.world().with(|world| world.new_alert(&guid(2), &mut StdRng::seed_from_u64(1), &twin));
        made.expect("an alert");
        filled.shows(&["sync"]);
        filled.fails(&["alerts", "show", &id], 64, &["--tenant", "Customer 0001", &guid(2)]);
        for n in [1, 2] {
            let shown = filled.json(&["alerts", "show", &id, "--tenant", &guid(n)]);
            assert_eq!(shown["alert"]["tenant_id"], json!(guid(n)));
        }
        filled.fails(&["alerts", "show", &filled.ids[0], "--tenant", "Customer 0002"], 66, &["no alert"]);
        filled.fails(&["alerts", "show", "--\u{1b}[2J"], 66, &["no alert", "\\u{1b}"]);
        filled.fails(&["alerts", "show", &id, "--tenant", "nobody"], 64, &["`nobody`"]);
    });
}
