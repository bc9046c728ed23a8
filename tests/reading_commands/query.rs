//! `query` reads, and nothing else, whatever is typed.

use std::io::Write;
use std::process::Stdio;

use serde_json::json;

use crate::filled::filled;

/// What must not work, and a word of why.
const ATTACKS: [(&str, &str); 22] = [
    ("INSERT INTO cursor VALUES ('mine', 1)", "only reading"),
    ("WITH a AS (SELECT 1) UPDATE alert SET severity = 'Low'", "only reading"),
    ("DELETE FROM alerts", "cannot modify"),
    ("DELETE FROM alert RETURNING alert_id", "only reading"),
    ("ATTACH 'PLACE/other.db' AS other", "attaching"),
    ("VACUUM INTO 'PLACE/copy.db'", "more than read"),
    ("VACUUM", "more than read"),
    ("PRAGMA journal_mode = DELETE", "PRAGMA journal_mode"),
    ("PRAGMA writable_schema = ON", "PRAGMA writable_schema"),
    ("PRAGMA query_only = OFF", "PRAGMA query_only"),
    ("PRAGMA user_version = 7", "PRAGMA user_version"),
    ("PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA wal_checkpoint"),
    ("SELECT load_extension('PLACE/evil.so')", "load_extension"),
    ("SELECT 1; DELETE FROM alert", "only reading"),
    ("SELECT 1; SELECT 2", "more than one"),
    ("CREATE TEMP TABLE mine AS SELECT 1", "only reading"),
    ("CREATE TEMP TRIGGER t INSTEAD OF DELETE ON alerts BEGIN DELETE FROM alert; END", "only reading"),
    ("SELECT readfile('/etc/passwd')", "readfile"),
    ("SELECT writefile('PLACE/made', 'x')", "writefile"),
    ("BEGIN IMMEDIATE", "transactions"),
    ("DROP VIEW alerts", "only reading"),
    ("CREATE VIRTUAL TABLE mine USING fts5(x)", "only reading"),
];

#[test]
fn nothing_but_reading_is_done() {
    filled(1, async |filled| {
        let place = filled.house.path("place");
        std::fs::create_dir(&place).expect("a directory");
        let before = std::fs::read(filled.house.store()).expect("a store");
        let log = std::fs::read(filled.house.path("alerts.db-wal")).expect("a log");
        for (sql, why) in ATTACKS {
            let sql = sql.replace("PLACE", &place.to_string_lossy());
            let said = filled.fails(&["query", &sql], 64, &["refused", why]);
            assert_eq!(said.stdout, "", "{sql}");
        }
        for sql in ["", "-- nothing", "SELEC 1", "SELECT * FROM nowhere", "SELECT abs(-9223372036854775808)"] {
            filled.fails(&["query", sql], 64, &["refused"]);
        }
        assert!(std::fs::read(filled.house.store()).expect("a store") == before, "the store was changed");
        assert!(std::fs::read(filled.house.path("alerts.db-wal")).expect("a log") == log, "the log was changed");
        assert_eq!(std::fs::read_dir(&place).expect("a directory").count(), 0, "a file was made");
    });
}

#[test]
fn a_query_without_end_ends() {
    filled(1, async |filled| {
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
        filled.fails(&["query", endless, "--timeout", "1s"], 65, &["ended after 1 s"]);
        let heavy = "SELECT length(randomblob(900000000))";
        filled.fails(&["query", heavy], 64, &["too big"]);
    });
}

#[test]
fn rows_beyond_the_limit_are_cut_and_told() {
    filled(2, async |filled| {
        let arguments = ["query", "SELECT alert_id FROM alerts", "--format", "csv"];
        for (limit, lines, note) in [("5", 6, "more than 5 rows"), ("6", 7, ""), ("0", 7, "")] {
            let said = filled.house.run(&[&arguments[..], &["--limit", limit]].concat());
            assert_eq!((said.code, said.stdout.lines().count()), (Some(0), lines), "{said:?}");
            assert!(said.stderr.contains(note) && said.stderr.is_empty() == note.is_empty(), "{said:?}");
        }
    });
}

#[test]
fn what_only_tells_is_answered() {
    filled(1, async |filled| {
        for sql in [
            "PRAGMA table_info(alerts)",
            "PRAGMA integrity_check",
            "SELECT name FROM pragma_table_info('alerts')",
            "EXPLAIN QUERY PLAN SELECT * FROM alerts",
            "SELECT e.value FROM alerts, json_each(raw, '$.evidence') AS e;  -- and a remark",
            "PRAGMA user_version",
        ] {
            assert!(filled.json(&["query", sql]).as_array().is_some_and(|rows| !rows.is_empty()), "{sql}");
        }
    });
}

#[test]
fn a_query_comes_from_standard_input_too() {
    filled(1, async |filled| {
        let mut command = filled.house.command(&["query", "-", "--format", "json"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(b"SELECT count(*) AS alerts FROM alerts;\n").expect("written");
        drop(stdin);
        let output = child.wait_with_output().expect("ended");
        let rows: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(rows, json!([{"alerts": 3}]));
        std::fs::remove_file(filled.house.store()).expect("gone");
        filled.fails(&["query", "SELECT 1"], 66, &["no store"]);
    });
}
