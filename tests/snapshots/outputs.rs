//! What every command shows of a store with everyday and hostile alerts, in each of its formats.
//!
//! A new command is a line in [`SHOWN`] and the files that the test then makes.

use crate::shot::Album;
use crate::stage::{CONTOSO, EVERYDAY, on_empty_stage, on_stage};

/// How the formats of a command are called.
const ROWS: &[&str] = &["table", "json", "ndjson", "csv"];
const DOCUMENT: &[&str] = &["table", "json"];
const LINES: &[&str] = &["ndjson", "csv"];
const TEXT: &[&str] = &[];

const HOSTILE: &str = "da638512345678901234_csi";
const QUERY: &str = "SELECT alert_id, title, length(raw) AS bytes, 1.5 AS half, NULL AS none, x'00ff' AS blob \
                     FROM alerts ORDER BY alert_id";

/// A view that SQLite reads out of the JSON text.
const EVIDENCE: &str = "SELECT alert_id, file_name, process_command_line FROM evidence ORDER BY alert_id, position";

/// A name, the command line, and its formats.
pub const SHOWN: [(&str, &[&str], &[&str]); 27] = [
    ("status", &["status"], DOCUMENT),
    ("tenant-list", &["tenant", "list"], ROWS),
    ("alerts-list", &["alerts", "list"], ROWS),
    ("alerts-list-everyday", &["alerts", "list", "--tenant", CONTOSO, "--limit", "2"], ROWS),
    ("alerts-show", &["alerts", "show", EVERYDAY], DOCUMENT),
    ("alerts-show-hostile", &["alerts", "show", HOSTILE], DOCUMENT),
    ("alerts-tail", &["alerts", "tail"], ROWS),
    ("alerts-search", &["alerts", "search", "device", "--limit", "3"], ROWS),
    ("hunt", &["hunt", "powershell.exe", "hxxp://nobody[.]example/x", "desk*"], ROWS),
    ("hunt-alerts", &["hunt", "--alerts", "desk*", "nobody[.]example"], ROWS),
    ("stats", &["stats"], ROWS),
    ("stats-by-severity", &["stats", "--by", "severity"], ROWS),
    ("prune-dry-run", &["prune", "--dry-run", "--older-than", "365d", "--include-open"], DOCUMENT),
    ("export-alerts", &["export", "alerts", "--tenant", CONTOSO], LINES),
    ("export-evidence", &["export", "evidence", "--tenant", CONTOSO], LINES),
    ("export-changes", &["export", "changes", "--tenant", CONTOSO], LINES),
    ("export-ecs", &["export", "alerts", "--as", "ecs", "--since-seq", "26"], &["ndjson"]),
    ("export-cursor-list", &["export", "cursor", "list"], DOCUMENT),
    ("query-open-alerts", &["query", "SELECT * FROM open_alerts ORDER BY tenant_name, severity"], ROWS),
    ("query-alert-times", &["query", "SELECT * FROM alert_times ORDER BY alert_id DESC LIMIT 3"], &["table", "json"]),
    ("query", &["query", QUERY], ROWS),
    ("query-evidence", &["query", EVIDENCE], DOCUMENT),
    ("query-all-columns", &["query", "SELECT * FROM alerts LIMIT 2"], &["table"]),
    ("schema", &["schema"], TEXT),
    ("consent", &["consent", CONTOSO], &["json"]),
    ("consent-in-words", &["consent", CONTOSO], TEXT),
    ("check-offline", &["check", "--offline"], DOCUMENT),
];

#[test]
fn what_commands_show_of_a_store() {
    on_stage(async |stage| {
        let mut album = Album::of_a_store();
        for (name, arguments, formats) in SHOWN {
            if formats.is_empty() {
                album.take(&format!("shown-{name}"), arguments, &stage.run(arguments));
            }
            for format in formats {
                let arguments = [arguments, &["--format", *format]].concat();
                album.take(&format!("shown-{name}.{format}"), &arguments, &stage.run(&arguments));
            }
        }
        album.close("shown");
    });
}

#[test]
fn what_sync_shows_of_a_first_look() {
    let mut album = Album::of_a_store();
    for format in DOCUMENT {
        on_empty_stage(async |stage| {
            let arguments = ["sync", "--format", format];
            album.take(&format!("sync.{format}"), &arguments, &stage.run(&arguments));
        });
    }
    album.close("sync");
}
