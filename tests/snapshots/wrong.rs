//! What is said to wrong input: what, where, what to do, and the exit code.

use crate::outputs::SHOWN;
use crate::shot::Album;
use crate::stage::{CONTOSO, EVERYDAY, Stage, on_empty_stage, on_stage};

/// A tenant that is not configured.
const NOBODY: &str = "00000000-0000-0000-0000-000000000009";

/// A name, and a command line that is wrong on a store that is right.
const WRONG: [(&str, &[&str]); 51] = [
    ("no-command", &[]),
    ("unknown-command", &["frobnicate"]),
    ("unknown-option", &["status", "--frobnicate"]),
    ("unknown-tenant-status", &["status", "--tenant", "nobody"]),
    ("unknown-tenant-sync", &["sync", "--tenant", "nobody"]),
    ("unknown-tenant-check", &["check", "--offline", "--tenant", "nobody"]),
    ("unknown-tenant-alerts-list", &["alerts", "list", "--tenant", "nobody"]),
    ("unknown-tenant-alerts-show", &["alerts", "show", EVERYDAY, "--tenant", "nobody"]),
    ("unknown-id", &["alerts", "show", "da0_0"]),
    ("unknown-id-of-tenant", &["alerts", "show", EVERYDAY, "--tenant", "Fabrikam"]),
    ("bad-time-since", &["alerts", "list", "--since", "yesterday"]),
    ("bad-time-until", &["alerts", "list", "--until", "2026-13-01"]),
    ("bad-sort", &["alerts", "list", "--sort", "title"]),
    ("bad-limit", &["alerts", "list", "--limit", "-1"]),
    ("tail-json-without-end", &["alerts", "tail", "-f", "--format", "json"]),
    ("tail-two-beginnings", &["alerts", "tail", "-n", "3", "--since-seq", "3"]),
    ("search-nothing", &["alerts", "search"]),
    ("search-no-words", &["alerts", "search", "!!!"]),
    ("search-expression", &["alerts", "search", "--expression", "title:(a AND"]),
    ("hunt-nothing", &["hunt"]),
    ("hunt-empty", &["hunt", "  "]),
    ("hunt-wrong-type", &["hunt", "--type", "ip", "powershell.exe"]),
    ("hunt-no-file", &["hunt", "--file", "nowhere.txt"]),
    ("stats-no-days", &["stats", "--days", "0"]),
    ("prune-nothing", &["prune"]),
    ("prune-too-young", &["prune", "--older-than", "2d"]),
    ("purge-unknown", &["tenant", "purge", "nobody", "--yes"]),
    ("purge-configured", &["tenant", "purge", CONTOSO, "--yes"]),
    ("purge-unasked", &["tenant", "purge", CONTOSO]),
    ("consent-nobody", &["consent", "nobody"]),
    ("consent-no-app", &["consent", CONTOSO, "--app", "second"]),
    ("tenant-add-bad-id", &["tenant", "add", "contoso.com", "--name", "Contoso"]),
    ("tenant-add-bad-region", &["tenant", "add", NOBODY, "--name", "Adatum", "--region", "mars"]),
    ("tenant-add-twice", &["tenant", "add", "00000000-0000-0000-0000-000000000001", "--name", "Adatum"]),
    ("tenant-add-same-name", &["tenant", "add", NOBODY, "--name", CONTOSO]),
    ("tenant-import-no-file", &["tenant", "import", "nowhere.csv"]),
    ("tenant-import-no-list", &["tenant", "import", "main.toml"]),
    ("export-as-csv", &["export", "alerts", "--as", "ecs", "--format", "csv"]),
    ("export-as-evidence", &["export", "evidence", "--as", "ocsf"]),
    ("export-bad-cursor", &["export", "changes", "--cursor", "a/b"]),
    ("export-bad-seq", &["export", "changes", "--since-seq", "-1"]),
    ("export-no-directory", &["export", "changes", "--out", "nowhere/changes.ndjson"]),
    ("query-writes", &["query", "DELETE FROM alerts"]),
    ("query-syntax", &["query", "SELEC 1"]),
    ("query-empty", &["query", ""]),
    ("query-two", &["query", "SELECT 1; SELECT 2"]),
    ("query-timeout", &["query", "SELECT 1", "--timeout", "soon"]),
    ("backup-exists", &["backup", "main.toml"]),
    ("hostile-id", &["alerts", "show", "\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}"]),
    ("hostile-tenant", &["status", "--tenant", "\u{1b}[2J\u{200b}\u{202e}x"]),
    ("hostile-format", &["status", "--format", "\u{1b}[2J\u{9b}\u{202e}x"]),
];

/// Every command that reads a configuration and a store, by the shortest command line that works.
fn all_commands() -> Vec<Vec<&'static str>> {
    let mut all: Vec<Vec<&str>> = SHOWN.iter().map(|(_, arguments, _)| arguments.to_vec()).collect();
    all.push(vec!["backup", "copy.db"]);
    let mut seen = std::collections::HashSet::new();
    // One command line for each command is enough: its words before the first that is not a name.
    all.retain(|words| seen.insert(words.iter().take(2).copied().filter(|word| plain(word)).collect::<Vec<_>>()));
    all
}

fn plain(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_lowercase())
}

/// Takes what all commands say.
fn take_all(album: &mut Album, name: &str, stage: &Stage, more: &[&'static str]) {
    let mut all = all_commands();
    all.extend(more.iter().map(|word| vec![*word]));
    let said: Vec<_> = all.iter().map(|arguments| stage.run(arguments)).collect();
    let shots: Vec<_> = all.iter().map(Vec::as_slice).zip(&said).collect();
    album.take_all(name, &shots);
}

#[test]
fn wrong_command_lines_are_told_what_is_wrong() {
    on_stage(async |stage| {
        let mut album = Album::of_a_store();
        for (name, arguments) in WRONG {
            let said = stage.run(arguments);
            assert!(!matches!(said.code, None | Some(0)) && said.stdout.is_empty(), "{name}: {said:?}");
            crate::harmless::assert_plain(name, &said.stderr);
            album.take(&format!("wrong-line-{name}"), arguments, &said);
        }
        album.close("wrong-line");
    });
}

#[test]
fn every_command_with_formats_refuses_others() {
    on_stage(async |stage| {
        for (name, arguments, formats) in SHOWN.into_iter().filter(|(_, _, formats)| !formats.is_empty()) {
            let said = stage.run(&[arguments, &["--format", "xml"]].concat());
            assert_eq!(said.code, Some(64), "{name}: {said:?}");
            assert!(formats.iter().all(|format| said.stderr.contains(format)), "{name}: {said:?}");
        }
    });
}

#[test]
fn every_command_says_that_there_is_no_store() {
    on_empty_stage(async |stage| {
        let mut album = Album::of_a_store();
        take_all(&mut album, "wrong-store-missing", &stage, &[]);
        std::fs::write(stage.house.store(), "just a few notes\n").expect("written");
        take_all(&mut album, "wrong-store-foreign", &stage, &["sync", "run"]);
        std::fs::remove_file(stage.house.path("main.toml")).expect("gone");
        take_all(&mut album, "wrong-config-missing", &stage, &["sync", "run"]);
        album.close("wrong-store");
    });
}

#[test]
fn every_command_refuses_a_newer_store() {
    on_stage(async |stage| {
        let conn = rusqlite::Connection::open(stage.house.store()).expect("a store");
        let newer = "INSERT INTO refinery_schema_history SELECT 99, 'future', applied_on, checksum
                     FROM refinery_schema_history LIMIT 1";
        conn.execute(newer, []).expect("from the future");
        drop(conn);
        let mut album = Album::of_a_store();
        take_all(&mut album, "wrong-newer", &stage, &["sync", "run"]);
        album.close("wrong-newer");
    });
}

#[test]
fn names_of_tenants_are_told_harmlessly() {
    on_stage(async |stage| {
        let twin = alertferry_simulator::NewAlert { id: Some(EVERYDAY.to_owned()), ..Default::default() };
        let mut rng = rand::SeedableRng::seed_from_u64(1);
        stage.sim.world().with(|world| {
            let rng: &mut rand::rngs::StdRng = &mut rng;
            world.new_alert(&crate::rig::guid(2), rng, &twin).expect("an alert");
        });
        stage.runs(&["sync", "--tenant", crate::hostile::TENANT_NAME], 0);
        let said = stage.run(&["alerts", "show", EVERYDAY]);
        assert!(said.stderr.contains(CONTOSO) && said.stderr.contains("=Ev\\u{202e}il"), "{said:?}");
        crate::harmless::assert_plain("several", &said.stderr);
        let mut album = Album::of_a_store();
        album.take("wrong-several-tenants", &["alerts", "show", EVERYDAY], &said);
        album.close("wrong-several");
    });
}
