//! Rows as tables, JSON, lines of JSON and CSV: true to their types, and harmless.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::filled::{HOSTILE, assert_harmless, filled};

const TYPES: &str = "SELECT 7 AS whole, -2.5 AS part, NULL AS none, 'x' AS word, x'00ff' AS bytes, \
                     CAST(x'ff4100' AS TEXT) AS torn, 1 AS whole";

#[test]
fn json_keeps_types_and_names() {
    filled(1, async |filled| {
        let row = json!({
            "whole": 7, "part": -2.5, "none": null, "word": "x", "bytes": "00ff", "torn": "\u{fffd}A\0", "whole_2": 1
        });
        assert_eq!(filled.json(&["query", TYPES]), json!([row]));
        assert_eq!(filled.json(&["query", "SELECT 1 WHERE 0"]), json!([]));
        let lines = filled.shows(&["query", "VALUES (1), (2)", "--format", "ndjson"]);
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines, [json!({"column1": 1}), json!({"column1": 2})]);
    });
}

#[test]
fn what_attackers_write_harms_no_terminal() {
    filled(1, async |filled| {
        let sql = "SELECT title, raw FROM alerts ORDER BY severity = 'High' DESC";
        for format in ["table", "json", "ndjson"] {
            let text = filled.shows(&["query", sql, "--format", format]);
            assert_harmless(&text);
            assert!(text.contains("HYPERLINK"), "{format}: {text}");
        }
        let table = filled.shows(&["query", sql]);
        assert!(table.contains("\\u{1b}[2J\\u{202e}gnp"), "{table}");
        assert!(table.lines().all(|line| line.chars().count() <= 160) && table.contains('…'), "{table}");
        assert_eq!(table.lines().count(), 2 + 3, "a line a row: {table}");
        assert_eq!(filled.json(&["query", sql])[0]["title"], HOSTILE);
    });
}

/// The rows of a CSV text.
fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.expect("CSV").iter().map(str::to_owned).collect()).collect()
}

#[test]
fn csv_runs_no_formula_unless_asked_for() {
    filled(1, async |filled| {
        let sql = "SELECT title, computer_dns_name FROM alerts WHERE severity = 'High' AND title LIKE '=%'";
        let shown = filled.shows(&["query", sql, "--format", "csv"]);
        let hostile = HOSTILE.replace('\0', "\u{fffd}");
        assert_eq!(csv_rows(&shown)[0], ["title", "computer_dns_name"]);
        assert_eq!(csv_rows(&shown)[1], [format!("'{hostile}"), "'@device.example".to_owned()]);
        let raw = filled.shows(&["query", sql, "--format", "csv", "--raw-csv"]);
        assert_eq!(csv_rows(&raw)[1], [hostile, "@device.example".to_owned()]);
        let cells = "SELECT '=1' AS '=a', '+1', '-1', '@a', char(9), char(13), char(10), -1, NULL, 'a\"b'";
        let shown = filled.shows(&["query", cells, "--format", "csv"]);
        assert_eq!(csv_rows(&shown)[0][0], "'=a");
        assert_eq!(csv_rows(&shown)[1], ["'=1", "'+1", "'-1", "'@a", "'\t", "'\r", "'\n", "-1", "", "a\"b"]);
        assert!(shown.lines().last().is_some_and(|line| line.ends_with(",\"-1\",\"\",\"a\"\"b\"")), "{shown}");
        let help = filled.shows(&["query", "--help"]);
        assert!(help.contains("leading '") && help.contains("--raw-csv"), "{help}");
    });
}

#[test]
fn rows_that_nobody_reads_are_no_defect() {
    filled(1, async |filled| {
        let many =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50000) SELECT i, 'text' FROM n";
        for format in ["table", "json", "ndjson", "csv"] {
            let arguments = ["query", many, "--format", format];
            let closed = Stdio::from(std::io::pipe().expect("a pipe").1);
            let child = filled.house.command(&arguments).stdout(closed).stderr(Stdio::piped()).spawn();
            let output = child.and_then(std::process::Child::wait_with_output).expect("ended");
            assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "{format}");
            let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
            let status = filled.house.command(&arguments).stdout(full).stderr(Stdio::null()).status();
            assert_eq!(status.expect("ended").code(), Some(74), "{format}");
        }
    });
}
