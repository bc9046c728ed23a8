//! Figures: what is open, what came, and how long it took.

use alertferry_simulator::Edit;
use serde_json::{Value, json};

use crate::filled::{Filled, assert_harmless, filled};
use crate::rig::guid;

/// One alert of the first tenant came an hour ago and is resolved now, and its severity is a word nobody knows.
fn lived_in(filled: &Filled) {
    let members = [
        ("severity", json!("=Odd\u{1b}[2J").to_string()),
        ("alertCreationTime", json!(time(filled, "-1 hours")).to_string()),
        ("status", json!("Resolved").to_string()),
        ("resolvedTime", json!(time(filled, "-0 hours")).to_string()),
    ];
    filled.sim.world().with(|world| world.set_members(&guid(1), &filled.ids[1], &members)).expect("an alert");
    filled.shows(&["sync"]);
}

fn time(filled: &Filled, ago: &str) -> String {
    let sql = format!("SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '{ago}')");
    filled.house.query(&sql)[0][0].clone()
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// The days of a row.
fn days(row: &Value) -> Vec<i64> {
    serde_json::from_str(row["created_by_day"].as_str().expect("text")).expect("an array")
}

#[test]
fn tenants_are_counted_as_the_views_count_them() {
    filled(2, async |filled| {
        lived_in(&filled);
        let rows = filled.json(&["stats"]);
        let rows = rows.as_array().expect("rows");
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0]["tenant_name"], "Customer 0001", "it has an open alert of high severity");
        for row in rows {
            let id = row["tenant_id"].as_str().expect("an id");
            let open = format!("SELECT coalesce(sum(alerts), 0) FROM open_alerts WHERE tenant_id = '{id}'");
            assert_eq!(number(&row["open"]), filled.house.number(&open));
            let high = format!("{open} AND severity = 'High'");
            assert_eq!(number(&row["open_high"]), filled.house.number(&high));
            assert_eq!(number(&row["total"]), 3);
            let parts = ["open_high", "open_medium", "open_low", "open_informational", "open_other"];
            assert_eq!(parts.iter().map(|part| number(&row[*part])).sum::<i64>(), number(&row["open"]));
            assert_eq!((days(row).len(), days(row).iter().sum::<i64>()), (14, number(&row["created"])));
            assert_eq!(number(&row["created"]), 3, "all came in the last days: {row}");
        }
        assert_eq!((number(&rows[0]["open"]), number(&rows[0]["open_other"])), (2, 0));
        let seconds = number(&rows[0]["median_seconds_to_resolve"]);
        assert!((3_600..3_660).contains(&seconds), "an hour: {seconds}");
        assert_eq!((number(&rows[0]["resolved"]), &rows[1]["median_seconds_to_resolve"]), (1, &Value::Null));
    });
}

#[test]
fn severities_and_filters_cut_the_same_figures() {
    filled(2, async |filled| {
        lived_in(&filled);
        let rows = filled.json(&["stats", "--by", "severity"]);
        let rows = rows.as_array().expect("rows");
        let names: Vec<_> = rows.iter().map(|row| row["severity"].as_str().expect("a word")).collect();
        assert_eq!(names, ["High", "Medium", "Low", "Informational", "other"]);
        assert_eq!(rows.iter().map(|row| number(&row["total"])).sum::<i64>(), 6);
        assert_eq!((number(&rows[4]["total"]), number(&rows[4]["open"]), number(&rows[4]["resolved"])), (1, 0, 1));
        let both = filled.json(&["stats", "--by", "tenant-severity", "--tenant", "customer 0001"]);
        let both = both.as_array().expect("rows");
        assert!(both.iter().all(|row| row["tenant_id"] == guid(1) && number(&row["total"]) > 0), "{both:?}");
        assert_eq!(both.iter().map(|row| number(&row["total"])).sum::<i64>(), 3);
        let gold = filled.json(&["stats", "--tag", "GOLD"]);
        assert_eq!((gold.as_array().map(Vec::len), &gold[0]["tenant_id"]), (Some(1), &json!(guid(1))));
        assert_eq!(filled.json(&["stats", "--tag", "none"]), json!([]));
        // Of three alerts one came within a day; ten days ago all others did.
        let week = filled.json(&["stats", "--days", "3", "--tag", "gold"]);
        assert_eq!(
            (number(&week[0]["created"]), days(&week[0]).iter().sum::<i64>(), number(&week[0]["total"])),
            (1, 1, 3)
        );
        for (arguments, word) in
            [(["--days", "0"], "1..=366"), (["--days", "400"], "1..=366"), (["--tenant", "nobody"], "`nobody`")]
        {
            filled.fails(&[&["stats"], &arguments[..]].concat(), 64, &[word]);
        }
    });
}

#[test]
fn a_page_for_people_has_bars_and_a_sum() {
    filled(2, async |filled| {
        lived_in(&filled);
        for (by, lines) in [("tenant", 2 + 2 + 1), ("severity", 2 + 5 + 1)] {
            let table = filled.shows(&["stats", "--by", by]);
            assert_harmless(&table);
            assert_eq!(table.lines().count(), lines, "{table}");
            assert!(table.lines().all(|line| line.chars().count() <= 160), "{table}");
            let last = table.lines().last().expect("a sum");
            let words: Vec<&str> = last.split_whitespace().collect();
            assert!(words[0] == "all" && words.contains(&"6") && last.contains('█'), "{table}");
            assert!(!table.contains("Odd"), "a strange severity is counted and not shown: {table}");
        }
        let tenants = filled.shows(&["stats"]);
        assert!(tenants.contains("1 ████████") && tenants.contains("60 min"), "{tenants}");
        let csv = filled.shows(&["stats", "--format", "csv"]);
        assert!(csv.starts_with("\"tenant_name\",\"open\",\"open_high\"") && csv.lines().count() == 3, "{csv}");
        std::fs::remove_file(filled.house.store()).expect("gone");
        for arguments in [["stats"].as_slice(), &["hunt", "x"], &["alerts", "search", "x"]] {
            filled.fails(arguments, 66, &["no store"]);
        }
    });
}

#[test]
fn counting_follows_what_is_edited() {
    filled(1, async |filled| {
        let before = filled.json(&["stats"]);
        let edit = Edit { status: Some("Resolved".to_owned()), ..Edit::default() };
        filled.sim.world().with(|world| world.edit(&guid(1), &filled.ids[0], &edit)).expect("an alert");
        filled.shows(&["sync"]);
        let after = filled.json(&["stats"]);
        assert_eq!(number(&before[0]["open_high"]) - 1, number(&after[0]["open_high"]));
        assert_eq!((number(&before[0]["total"]), number(&after[0]["resolved"])), (number(&after[0]["total"]), 1));
    });
}
