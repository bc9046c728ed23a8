//! What is wrong is said before anything is written, with the right exit code.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

use crate::filled::{Filled, filled};
use crate::support::{Said, said};

#[test]
fn a_wrong_command_line_is_refused() {
    filled(1, async |filled| {
        for (arguments, words) in [
            (&["--since-seq", "-1"][..], &["--since-seq", "-1"][..]),
            (&["--since-seq", "x"], &["--since-seq", "x"]),
            (&["--cursor", "a b"], &["--cursor", "1 to 64 letters"]),
            (&["--cursor", ""], &["--cursor"]),
            (&["--cursor", "a", "--since-seq", "1"], &["--since-seq", "--cursor"]),
            (&["--format", "xml"], &["xml", "parquet"]),
        ] {
            filled.fails(&[&["export", "alerts"], arguments].concat(), 64, words);
        }
        filled.fails(&["export"], 64, &["alerts", "evidence", "changes", "cursor"]);
        let help = filled.shows(&["export", "changes", "--help"]);
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains("changes-{seq}.ndjson") && help.contains("has the seq it had"), "{help}");
        std::fs::remove_file(filled.house.store()).expect("gone");
        filled.fails(&["export", "alerts"], 66, &["no store"]);
        filled.fails(&["export", "cursor", "list"], 66, &["no store"]);
    });
}

#[test]
fn a_foreign_or_newer_store_is_neither_read_nor_written() {
    filled(1, async |filled| {
        let store = filled.house.store();
        let change =
            |sql: &str| rusqlite::Connection::open(&store).and_then(|conn| conn.execute_batch(sql)).expect(sql);
        let all: [&[&str]; 4] = [
            &["export", "alerts"],
            &["export", "alerts", "--cursor", "a"],
            &["export", "cursor", "set", "alerts", "a", "1"],
            &["export", "cursor", "drop", "alerts", "a"],
        ];
        let refuses = |code: i32, word: &str| {
            for arguments in all {
                filled.fails(arguments, code, &[word]);
            }
            assert_eq!(filled.house.query("SELECT * FROM cursor WHERE name LIKE 'export%'").len(), 0);
        };
        change(
            "UPDATE refinery_schema_history SET version = version + 900 WHERE version = (SELECT max(version) FROM refinery_schema_history)",
        );
        refuses(65, "install a newer alertferry");
        change("DELETE FROM refinery_schema_history WHERE version > 1");
        refuses(66, "start `alertferry run` once to migrate");
        change("PRAGMA application_id = 7");
        refuses(65, "not an alertferry store");
    });
}

/// Runs a command as somebody who owns nothing here: another user when root runs the tests, the same one otherwise.
fn as_somebody(filled: &Filled, arguments: &[&str]) -> Said {
    let mut command = filled.house.command(arguments);
    if is_root() {
        command.uid(65_534).gid(65_534).current_dir("/");
    }
    said(&mut command)
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").expect("a process")) == 0
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn who_may_only_read_is_told_before_anything_is_written() {
    filled(1, async |filled| {
        let mode = |name: &str, mode: u32| {
            std::fs::set_permissions(filled.house.path(name), PermissionsExt::from_mode(mode)).expect("mode set");
        };
        let own = if is_root() { 0o004 } else { 0o400 };
        for name in ["alerts.db", "alerts.db-wal", "alerts.db-shm", "main.toml"] {
            mode(name, 0o440 | own);
        }
        std::fs::create_dir(filled.house.path("closed")).expect("a directory");
        std::fs::write(filled.house.path("closed/old.ndjson"), "old").expect("written");
        mode("closed", 0o555);
        mode(".", 0o755);
        let reading = as_somebody(&filled, &["export", "alerts"]);
        if reading.code != Some(0) && is_root() {
            println!("skipped: another user cannot run the program here: {reading:?}");
            return;
        }
        assert_eq!((reading.code, reading.stdout.lines().count()), (Some(0), 3), "{reading:?}");
        let out = filled.house.path("closed/new.ndjson").to_string_lossy().into_owned();
        let old = filled.house.path("closed/old.ndjson").to_string_lossy().into_owned();
        for arguments in [
            &["export", "alerts", "--cursor", "a"][..],
            &["export", "alerts", "--cursor", "a", "--out", &out],
            &["export", "cursor", "set", "alerts", "a", "1"],
        ] {
            let refused = as_somebody(&filled, arguments);
            assert_eq!((refused.code, refused.stdout.as_str()), (Some(77), ""), "{arguments:?}: {refused:?}");
            assert!(
                refused.stderr.contains("user of the daemon") && refused.stderr.contains("--since-seq"),
                "{refused:?}"
            );
        }
        for out in [&out, &old] {
            let refused = as_somebody(&filled, &["export", "alerts", "--out", out]);
            assert_eq!(refused.code, Some(77), "{refused:?}");
            assert!(refused.stderr.contains("cannot write") && refused.stderr.contains("closed"), "{refused:?}");
        }
        mode("closed", 0o755);
        assert_eq!(crate::read_back::names_in(&filled.house.path("closed"), ""), ["old.ndjson"]);
        assert_eq!(std::fs::read_to_string(filled.house.path("closed/old.ndjson")).expect("text"), "old");
    });
}
