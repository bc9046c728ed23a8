//! What must hold of every output beside being as it was: nothing steers a terminal or runs in a spreadsheet, and nothing
//! is lost.

use serde_json::Value;

use crate::hostile::{Hostile, TEXTS};
use crate::outputs::SHOWN;
use crate::shot::alters;
use crate::stage::{Stage, on_stage};

/// Asserts that a text does nothing to a terminal, and hides nothing from who reads it.
pub fn assert_plain(name: &str, text: &str) {
    let hostile = |c: char| c.is_control() || alters(c);
    // Persian and emoji need joiners; between letters of ASCII they only hide.
    let hides = |(before, c): (char, char)| before.is_ascii() && matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0f}');
    let bad = |line: &&str| line.contains(hostile) || line.chars().zip(line.chars().skip(1)).any(hides);
    let lines: Vec<&str> = text.lines().filter(bad).collect();
    assert!(lines.is_empty(), "{name}: {lines:?}");
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The rows of a CSV text, that of the names first.
fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.expect("CSV").iter().map(str::to_owned).collect()).collect()
}

#[test]
fn every_output_is_what_its_format_says_and_steers_nothing() {
    on_stage(async |stage| {
        for (name, arguments, formats) in SHOWN {
            for format in formats {
                let shown = stage.runs(&[arguments, &["--format", *format]].concat(), 0);
                match *format {
                    "json" => drop(json(&shown)),
                    "ndjson" => shown.lines().for_each(|line| assert!(json(line).is_object(), "{line}")),
                    "csv" => assert!(csv_rows(&shown).len() > 1, "{shown}"),
                    _ => {}
                }
                // Files of CSV have the texts as they are; those on a terminal are looked at where there is one.
                if *format != "csv" {
                    assert_plain(&format!("{name}.{format}"), &shown);
                }
                assert!(shown.lines().all(|line| line.trim_end() == line || *format == "csv"), "{name}.{format}");
            }
        }
    });
}

/// The row of an alert.
fn row(rows: &[Value], hostile: Hostile) -> &Value {
    rows.iter().find(|row| row["alert_id"] == hostile.id()).unwrap_or_else(|| panic!("no {}", hostile.name))
}

#[test]
fn json_gives_the_texts_back() {
    on_stage(async |stage| {
        let list = json(&stage.runs(&["alerts", "list", "--format", "json"], 0));
        let lines = stage.runs(&["alerts", "list", "--format", "ndjson"], 0);
        let lines: Vec<Value> = lines.lines().map(json).collect();
        let list = list.as_array().expect("rows");
        assert_eq!(list, &lines);
        let sql = "SELECT alert_id, file_name, process_command_line, entity FROM evidence";
        let evidence = json(&stage.runs(&["query", sql, "--format", "json"], 0));
        let evidence = evidence.as_array().expect("rows");
        for hostile in TEXTS {
            let text = hostile.text();
            for name in ["title", "computer_dns_name", "category", "assigned_to", "machine_id"] {
                assert_eq!(row(list, hostile)[name], text, "{} of {}", name, hostile.name);
            }
            let entity = row(evidence, hostile);
            assert_eq!(
                (&entity["file_name"], &entity["process_command_line"]),
                (&text.clone().into(), &text.clone().into())
            );
            let shown = json(&stage.runs(&["alerts", "show", &hostile.id(), "--format", "json"], 0));
            assert_eq!(
                (&shown["alert"]["title"], &shown["alert"]["description"]),
                (&text.as_str().into(), &text.as_str().into())
            );
            for name in ["fileName", "processCommandLine", "accountName"] {
                assert_eq!(shown["evidence"][0][name], text, "{} of {}", name, hostile.name);
            }
        }
    });
}

#[test]
fn csv_gives_the_texts_back_and_runs_none_of_them() {
    on_stage(async |stage| {
        let [guarded, raw] = [[].as_slice(), &["--raw-csv"]]
            .map(|more: &[&str]| csv_rows(&stage.runs(&[&["alerts", "list", "--format", "csv"], more].concat(), 0)));
        assert_eq!(guarded.len(), 1 + 3 + TEXTS.len());
        let unseen = |c: char| c.is_whitespace() || c.is_control() || alters(c);
        for cell in guarded.iter().flatten() {
            assert!(
                !cell.trim_start_matches(unseen).starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']),
                "{cell:?}"
            );
            assert!(!cell.starts_with(['\t', '\r', '\n']) && !cell.contains('\0'), "{cell:?}");
        }
        let column = |name: &str| raw[0].iter().position(|one| one == name).expect(name);
        for hostile in TEXTS {
            let row = raw.iter().position(|row| row[column("alert_id")] == hostile.id()).expect(hostile.name);
            let text = hostile.text().replace('\0', "\u{fffd}");
            for name in ["title", "computer_dns_name", "category"] {
                assert_eq!(raw[row][column(name)], text);
                let cell = &guarded[row][column(name)];
                assert!(*cell == text || *cell == format!("'{text}"), "{cell:?}");
            }
        }
    });
}

/// A title of four megabytes and a device with a name of ten kilobytes.
fn giant() -> String {
    let (title, device) = ("A\\u001b".repeat(600_000), "d".repeat(10_240));
    let text = Hostile { name: "giant", json: "TEXT" }.alert(&crate::rig::guid(1), 59);
    text.replace(r#""title":"TEXT""#, &format!(r#""title":"{title}""#))
        .replace(r#""computerDnsName":"TEXT""#, &format!(r#""computerDnsName":"{device}""#))
}

#[test]
fn an_alert_of_megabytes_is_cut_in_tables_and_whole_elsewhere() {
    on_stage(async |stage| {
        stage.sim.world().with(|world| {
            world.add_text(&crate::rig::guid(1), &giant(), std::time::Duration::ZERO).expect("an alert");
        });
        stage.runs(&["sync", "--tenant", "Contoso"], 0);
        let id = "da638512345678901234_giant";
        for arguments in [
            ["alerts", "list"].as_slice(),
            &["alerts", "tail"],
            &["alerts", "show", id],
            &["query", "SELECT title, computer_dns_name, raw FROM alerts ORDER BY alert_id LIKE '%giant' DESC"],
            &["query", "SELECT * FROM alerts ORDER BY alert_id LIKE '%giant' DESC"],
        ] {
            let table = stage.runs(arguments, 0);
            assert_plain("giant", &table);
            assert!(
                table.len() < 200_000 && table.contains("A\\u{1b}A\\u{1b}"),
                "{arguments:?}: {} bytes",
                table.len()
            );
            let shown = with_little_memory(&stage, &[arguments, &["--format", "json"]].concat());
            let shown = json(&shown);
            let rows = shown.as_array().map_or_else(|| std::slice::from_ref(&shown["alert"]), Vec::as_slice);
            let longest = rows.iter().filter_map(|row| row["title"].as_str()).map(str::len).max();
            assert_eq!(longest, Some(1_200_000), "{arguments:?}");
        }
    });
}

/// Runs a command that must succeed in half a gigabyte.
fn with_little_memory(stage: &Stage, arguments: &[&str]) -> String {
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "ulimit -v 524288 && exec \"$0\" --config main.toml \"$@\"", crate::support::PROGRAM]);
    let said = crate::support::said(command.args(arguments).env_clear().current_dir(stage.house.path(".")));
    assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.stderr);
    said.stdout
}
