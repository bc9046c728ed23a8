//! Each form holds what the store holds, in the order of changes, whatever attackers wrote.

use alertferry_simulator::Edit;
use serde_json::{Value, json};

use crate::filled::{Filled, HOSTILE, assert_harmless, filled};
use crate::read_back::{KINDS, csv, expected, ndjson, parquet, seqs};
use crate::rig::guid;

/// Evidence with values of the wrong type, with what is no object, and with a command that a spreadsheet would run.
const ODD_EVIDENCE: &str = r#"[{"entityType":"Process","processId":"4711","processCommandLine":"=cmd|' /C calc'!A0","a":"\ud800"},
    7, null, {"entityType":["Ip"],"processId":1.5,"ipAddress":"203.0.113.7"}, [{"entityType":"File"}]]"#;

/// Writes a title of four megabytes, odd evidence and a lone surrogate into the store.
fn poison(filled: &Filled) {
    let title = format!("={}", "long \u{202e}".repeat(600_000));
    filled.sim.world().with(|world| {
        let odd = [("evidence", ODD_EVIDENCE.to_owned()), ("description", "\"a\\ud800b\"".to_owned())];
        world.set_members(&guid(1), &filled.ids[1], &odd).expect("an alert");
        world.set_members(&guid(1), &filled.ids[2], &[("title", Value::from(title).to_string())]).expect("an alert");
        let edit =
            Edit { status: Some("Resolved".to_owned()), comment: Some("\0\u{1b}[2J".to_owned()), ..Edit::default() };
        world.edit(&guid(1), &filled.ids[0], &edit).expect("an alert");
    });
    filled.shows(&["sync"]);
}

#[test]
fn every_form_holds_what_the_store_holds() {
    filled(3, async |filled| {
        poison(&filled);
        let store = filled.house.store();
        for kind in KINDS {
            let truth = expected(&store, kind);
            assert!(truth.rows.len() >= 9, "{kind}: {}", truth.rows.len());
            let text = filled.shows(&["export", kind]);
            assert_harmless(&text);
            assert!(ndjson(&text) == truth, "{kind}: lines of JSON");

            let file = filled.house.path(&format!("{kind}.csv"));
            filled.shows(&["export", kind, "--raw-csv", "--out", &file.to_string_lossy()]);
            let (names, rows) = csv(&std::fs::read_to_string(&file).expect("text"));
            let plain = |value: &Value| match value.as_str() {
                Some(text) => text.replace('\0', "\u{fffd}"),
                None if value.is_null() => String::new(),
                None => value.to_string(),
            };
            let wanted: Vec<Vec<String>> = truth.rows.iter().map(|row| row.iter().map(plain).collect()).collect();
            assert!(names == truth.names && rows == wanted, "{kind}: CSV");

            let file = filled.house.path(&format!("{kind}.parquet"));
            filled.shows(&["export", kind, "--out", &file.to_string_lossy()]);
            let wanted: Vec<Vec<Value>> = truth
                .rows
                .iter()
                .map(|row| truth.names.iter().zip(row).map(|(name, value)| in_parquet(name, value)).collect())
                .collect();
            let read = parquet(&file);
            assert_eq!(read.names, truth.names);
            assert!(read.rows == wanted, "{kind}: Parquet");
        }
    });
}

/// A value as it is in Parquet. What is a whole number in the store is one there too, in every column that has any.
fn in_parquet(column: &str, value: &Value) -> Value {
    if !["process_id", "parent_process_id"].contains(&column) {
        return value.clone();
    }
    let number = value.as_str().map_or(value.as_i64(), |text| text.parse().ok());
    number.map_or(Value::Null, |number| json!(number))
}

#[test]
fn what_attackers_write_is_defused_in_csv_only() {
    filled(1, async |filled| {
        poison(&filled);
        let alerts = csv(&filled.shows(&["export", "alerts", "--format", "csv"]));
        let title = alerts.0.iter().position(|name| name == "title").expect("a column");
        let id = alerts.0.iter().position(|name| name == "alert_id").expect("a column");
        let hostile = alerts.1.iter().find(|row| row[id] == filled.ids[0]).expect("the alert");
        assert_eq!(hostile[title], format!("'{}", HOSTILE.replace('\0', "\u{fffd}")));
        let text = filled.shows(&["export", "evidence", "--format", "csv"]);
        assert!(text.contains("\"'=cmd|' /C calc'!A0\""), "{text}");
        assert!(
            filled.shows(&["export", "evidence", "--format", "csv", "--raw-csv"]).contains("\"=cmd|' /C calc'!A0\"")
        );
        let names: Vec<Value> =
            filled.exported("alerts", &[]).rows.into_iter().map(|mut row| row.remove(title)).collect();
        assert!(names.contains(&json!(HOSTILE)), "JSON keeps it to the letter");
    });
}

#[test]
fn two_exports_of_the_same_state_are_the_same_bytes_in_the_order_of_changes() {
    filled(3, async |filled| {
        for kind in KINDS {
            for format in ["ndjson", "csv", "parquet"] {
                let [first, second] = ["1", "2"].map(|run| {
                    let file = filled.house.path(&format!("{run}-{kind}.{format}"));
                    filled.shows(&["export", kind, "--format", format, "--out", &file.to_string_lossy()]);
                    std::fs::read(file).expect("a file")
                });
                assert!(!first.is_empty() && first == second, "{kind} {format}");
            }
            let numbers = seqs(&filled.exported(kind, &[]));
            assert!(numbers.is_sorted() && numbers.len() == 9, "{kind}: {numbers:?}");
        }
        // Standard output has the same bytes as a file, Parquet too.
        let output = filled.house.command(&["export", "alerts", "--format", "parquet"]).output().expect("ended");
        assert!(output.stdout == std::fs::read(filled.house.path("1-alerts.parquet")).expect("a file"));
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(said, "alertferry: 9 alerts after seq 0 up to seq 9\n");
    });
}

#[test]
fn many_rows_make_several_pages_and_row_groups() {
    crate::support::on_threads(async {
        let sim = crate::support::simulator(3, 3_400).await;
        let house = crate::support::House::with(&crate::support::Config::of(&sim));
        assert_eq!(house.run(&["sync"]).code, Some(0));
        let file = house.path("alerts.parquet");
        let said = house.run(&["export", "alerts", "--out", &file.to_string_lossy()]);
        assert_eq!(said.code, Some(0), "{said:?}");
        let reader = parquet::file::reader::SerializedFileReader::new(std::fs::File::open(&file).expect("a file"));
        let reader = reader.expect("Parquet");
        let groups = parquet::file::reader::FileReader::metadata(&reader).row_groups().to_vec();
        let rows: Vec<i64> = groups.iter().map(|group| group.num_rows()).collect();
        assert!(rows.len() > 1 && rows.iter().all(|rows| *rows <= 10_000) && rows.iter().sum::<i64>() == 10_200);
        let (read, truth) = (parquet(&file), expected(&house.store(), "alerts"));
        assert!(read == truth, "the rows of {} groups", rows.len());
        let output = house.command(&["export", "evidence"]).output().expect("ended");
        assert!(ndjson(&String::from_utf8(output.stdout).expect("text")) == expected(&house.store(), "evidence"));
    });
}

/// The documents of the alerts that an export has, in its order, are those of the mapping.
#[test]
fn alerts_become_documents_of_published_schemas() {
    use alertferry::mapping::{Schema, Source, map};
    filled(2, async |filled| {
        poison(&filled);
        for (name, schema) in [("ecs", Schema::Ecs), ("ocsf", Schema::Ocsf)] {
            let text = filled.shows(&["export", "alerts", "--as", name]);
            assert_harmless(&text);
            let alerts = expected(&filled.house.store(), "alerts");
            let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            assert_eq!(lines.len(), alerts.rows.len());
            for (line, row) in lines.iter().zip(&alerts.rows) {
                let column = |name: &str| &row[alerts.names.iter().position(|one| one == name).expect("a column")];
                let text = |name: &str| column(name).as_str().expect("a text");
                let source = Source {
                    tenant_id: text("tenant_id"),
                    tenant_name: text("tenant_name"),
                    seq: column("seq").as_i64().expect("a number"),
                    first_seen_at: text("first_seen_at"),
                    raw: text("raw"),
                };
                assert!(*line == map(schema, &source), "{name}: {}", text("alert_id"));
            }
        }
        let news = filled.shows(&["export", "alerts", "--as", "ocsf", "--cursor", "siem"]);
        assert_eq!(news.lines().count(), 6);
        assert_eq!(filled.shows(&["export", "alerts", "--as", "ocsf", "--cursor", "siem"]), "");
    });
}
