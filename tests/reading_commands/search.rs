//! Finding alerts by words, whatever words they are.

use serde_json::{Value, json};

use crate::filled::{Filled, assert_harmless, filled};
use crate::rig::guid;

/// Evidence whose command line and file name have everything that could be taken for syntax.
fn told(filled: &Filled) {
    let evidence = json!([
        {"entityType": "Process", "fileName": "evil.exe", "parentProcessFileName": "winword.exe",
         "processCommandLine": "\"C:\\tools\\evil.exe\" -encq NOT=x* OR (title:y) \u{1b}[2J\u{202e}Größe"}
    ]);
    let members = [("evidence", evidence.to_string()), ("description", json!("Zebra crossing\nlookedfor").to_string())];
    filled.sim.world().with(|world| world.set_members(&guid(1), &filled.ids[0], &members)).expect("an alert");
    filled.shows(&["sync"]);
}

/// The rows that a search finds.
fn found(filled: &Filled, arguments: &[&str]) -> Vec<Value> {
    let text = filled.shows(&[&["alerts", "search", "--format", "json"], arguments].concat());
    serde_json::from_str(&text).expect("rows")
}

#[test]
fn words_are_found_whatever_they_are() {
    filled(2, async |filled| {
        told(&filled);
        for text in [
            ["zebra"].as_slice(),
            &["ZEBRA crossing"],
            &["crossing", "zebra"],
            &["evil.exe"],
            &["--", "-encq"],
            &[r"C:\tools\evil.exe"],
            &["\"C:\\tools"],
            &["(title:y)", "NOT=x*"],
            &["NOT", "OR"],
            &["lookedf*", "zeb*"],
            &["lookedfor", "❤", "--limit", "1"],
            &["größe"],
        ] {
            let rows = found(&filled, text);
            assert!(rows.len() == 1 && rows[0]["alert_id"] == json!(filled.ids[0]), "{text:?}: {rows:?}");
        }
        for text in ["zebra crossings", "zebr", "grosse*", "\"zebra\" OR nothing", "zebra AND crossing", "title:zebra"]
        {
            assert!(found(&filled, &[text]).is_empty(), "{text}");
        }
        assert_eq!(found(&filled, &["lookedfor"])[0]["match"], "Zebra crossing\n[lookedfor]");
        for text in ["", " ", "❤", "* \"\" --"] {
            filled.fails(&["alerts", "search", text], 64, &["no letter or digit"]);
        }
        filled.fails(&["alerts", "search"], 64, &["TEXT"]);
    });
}

#[test]
fn an_expression_is_taken_as_one_and_its_errors_are_told() {
    filled(1, async |filled| {
        told(&filled);
        for text in
            ["zebra OR nothing", "description : zebra", "\"zebra crossing\"", "NEAR(zebra lookedfor, 3)", "zeb*"]
        {
            assert_eq!(found(&filled, &["--expression", text]).len(), 1, "{text}");
        }
        assert!(found(&filled, &["--expression", "title : zebra"]).is_empty());
        assert_eq!(found(&filled, &["--expression", "zebra", "NOT", "crossing"]).len(), 0);
        for (text, word) in [
            ("zebra AND", "syntax error"),
            ("evil.exe", "syntax error"),
            ("\"open", "unterminated"),
            ("nowhere : x", "no such column"),
            (" ", "no letter"),
        ] {
            filled.fails(&["alerts", "search", "--expression", text], 64, &["refused", word]);
        }
    });
}

#[test]
fn what_is_found_can_be_filtered_and_does_no_harm() {
    filled(2, async |filled| {
        told(&filled);
        let id = json!(filled.ids[0]);
        for arguments in [
            ["zebra", "--severity", "hIGH", "--device", "@device"].as_slice(),
            &["zebra", "--tag", "Gold", "--status", "new", "--status", "InProgress", "--status", "Resolved"],
            &["--tenant", "customer 0001", "--since", "1h", "zebra"],
        ] {
            let rows = found(&filled, arguments);
            assert!(rows.len() == 1 && rows[0]["alert_id"] == id, "{arguments:?}: {rows:?}");
        }
        for arguments in [
            ["zebra", "--tenant", "customer 0002"].as_slice(),
            &["zebra", "--tag", "silver"],
            &["zebra", "--severity", "Low"],
            &["zebra", "--severity", "Odd", "--severity", "' OR 1=1"],
            &["zebra", "--device", "\" OR \"@device"],
            &["zebra", "--until", "2001-01-01"],
        ] {
            assert!(found(&filled, arguments).is_empty(), "{arguments:?}");
        }
        let table = filled.shows(&["alerts", "search", "zebra"]);
        assert_harmless(&table);
        assert!(table.contains("[Zebra]") && table.contains("=HYPERLINK"), "{table}");
        let shown = filled.shows(&["alerts", "search", "enc", "--format", "csv"]);
        assert!(shown.lines().next().is_some_and(|names| names.ends_with("\"alert_id\",\"match\"")), "{shown}");
        filled.fails(&["alerts", "search", "zebra", "--tenant", "nobody"], 64, &["`nobody`"]);
    });
}

#[test]
fn what_was_stored_last_comes_first_and_the_rest_is_told() {
    filled(2, async |filled| {
        let word = filled.house.query("SELECT title FROM alerts WHERE severity <> 'High' LIMIT 1")[0][0].clone();
        let stored = "SELECT a.alert_id FROM search AS s JOIN alerts AS a USING (tenant_id, alert_id) \
                      WHERE s.words MATCH 'a* OR e* OR s* OR h*'";
        assert!(!word.is_empty() && filled.house.query(stored).len() == 6);
        let rows = found(&filled, &["--expression", "a* OR e* OR s* OR h*"]);
        let seen: Vec<String> = rows.iter().map(|row| row["alert_id"].as_str().expect("an id").to_owned()).collect();
        let order = "SELECT alert_id FROM alert ORDER BY alert_key DESC";
        assert_eq!(seen, filled.house.query(order).concat());
        let said = filled.house.run(&["alerts", "search", "--expression", "a* OR e* OR s* OR h*", "--limit", "2"]);
        assert!(said.stderr.contains("more than 2 rows") && said.stdout.lines().count() == 4, "{said:?}");
    });
}
