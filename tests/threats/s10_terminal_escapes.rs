//! S10: alerts that would steer the terminal of who reads them.
//!
//! Every output of every command over many more texts, also on a real terminal with its colours, is in `tests/snapshots`
//! (`hostile.rs`, `harmless.rs`, `terminal.rs`); which letters are shown by their number is beside `src/logging/visible.rs`.

use crate::rig::guid;
use crate::support::on_threads;
use crate::texts::{self, TEXTS, meant};

/// Whether a letter does something to a terminal, or to the order in which a line is read.
fn steers(letter: char) -> bool {
    letter != '\n' && letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[test]
fn s10_no_table_or_message_steers_a_terminal() {
    on_threads(async {
        let sim = texts::simulator().await;
        let house = texts::house(&sim);
        texts::read(&house).await.stop().await;
        let escape = meant(TEXTS[6]);
        let id = format!("{escape}#6");
        for (arguments, code) in [
            (["alerts", "list"].as_slice(), 0),
            (&["alerts", "tail"], 0),
            (&["alerts", "search", "DROP"], 0),
            (&["alerts", "show", "--", &id], 0),
            (&["hunt", "--alerts", "=HYPERLINK*"], 0),
            (&["stats", "--by", "severity"], 0),
            (&["stats"], 0),
            (&["status"], 0),
            (&["tenant", "list"], 0),
            (&["query", "SELECT * FROM alerts"], 0),
            (&["query", "SELECT entity, file_name, process_command_line FROM evidence"], 0),
            (&["export", "alerts"], 0),
            (&["export", "alerts", "--as", "ocsf"], 0),
            // What is typed comes back in an error, too.
            (&["alerts", "show", "--", &escape], 66),
            (&["alerts", "list", "--tenant", &escape], 66),
            (&["query", &escape], 64),
        ] {
            let said = house.run(arguments);
            if code == 0 {
                assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
                assert!(!said.stdout.is_empty(), "{arguments:?}");
            } else {
                assert!(
                    said.code.is_some_and(|found| found != 0 && found != 101) && !said.stderr.is_empty(),
                    "{said:?}"
                );
            }
            for text in [&said.stdout, &said.stderr] {
                let bad = text.lines().find(|line| line.contains(steers));
                assert!(bad.is_none(), "{arguments:?}: {bad:?}");
            }
        }
        // The looks above met the texts: they are shown, by number.
        let list = house.run(&["alerts", "list", "--tenant", &guid(1)]);
        assert!(list.stdout.contains("\\u{1b}"), "{list:?}");
    });
}
