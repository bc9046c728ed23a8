//! S8: alerts, and words on a command line, that would be SQL.
//!
//! What `alertferry query` refuses is in `tests/reading_commands/query.rs`, that statements are constant texts with a name in
//! `tests/tidy/sql.rs`.

use serde_json::Value;

use crate::rig::guid;
use crate::support::{House, on_threads};
use crate::texts::{self, TEXTS, meant};

/// Words that are no SQL, whatever they look like.
const WORDS: [&str; 4] =
    ["x' OR '1'='1", "'); DROP TABLE alert; --", "\" OR 1=1 --", "x' UNION SELECT raw, raw FROM alert --"];

fn schema(house: &House) -> Vec<Vec<String>> {
    house.query("SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2")
}

#[test]
fn s08_hostile_alerts_are_stored_to_the_byte_beside_untouched_neighbours() {
    on_threads(async {
        let sim = texts::simulator().await;
        let house = texts::house(&sim);
        // The neighbour first, so that there is something to harm.
        let said = house.run(&["sync", "--tenant", &guid(2)]);
        assert_eq!(said.code, Some(0), "{said:?}");
        let neighbours = format!("SELECT * FROM alerts WHERE tenant_id = '{}' ORDER BY alert_id", guid(2));
        let (made, before) = (schema(&house), house.query(&neighbours));
        assert_eq!(before.len(), 20);
        texts::read(&house).await.stop().await;
        assert_eq!(house.number(&format!("SELECT count(*) FROM alerts WHERE tenant_id = '{}'", guid(1))), 14);
        house.assert_equals_truth(&sim, &[guid(1), guid(2)]);
        assert_eq!(schema(&house), made);
        assert_eq!(house.query(&neighbours), before);
        assert_eq!(house.number("SELECT coalesce(sum(quarantined), 0) FROM tenants"), 0);
    });
}

#[test]
fn s08_each_text_comes_back_as_it_was_from_columns_and_by_its_id() {
    on_threads(async {
        let sim = texts::simulator().await;
        let house = texts::house(&sim);
        texts::read(&house).await.stop().await;
        for (number, text) in TEXTS.into_iter().enumerate() {
            let (id, text) = (format!("{}#{number}", meant(text)), meant(text));
            // No argument of a process can hold a zero byte.
            if text.contains('\0') {
                continue;
            }
            let said = house.run(&["alerts", "show", "--format", "json", "--tenant", &guid(1), "--", &id]);
            assert_eq!(said.code, Some(0), "{id:?}: {said:?}");
            let shown: Value = serde_json::from_str(&said.stdout).expect("JSON");
            for name in ["title", "severity", "category", "assigned_to", "computer_dns_name"] {
                assert_eq!(shown["alert"][name], text, "{name} of {id:?}");
            }
            assert_eq!(shown["evidence"][0]["processCommandLine"], text, "{id:?}");
        }
    });
}

#[test]
fn s08_words_of_a_command_line_are_only_words() {
    on_threads(async {
        let sim = texts::simulator().await;
        let house = texts::house(&sim);
        texts::read(&house).await.stop().await;
        let (made, all) = (schema(&house), house.number("SELECT count(*) FROM alerts"));
        for word in WORDS {
            for arguments in [
                ["alerts", "list", "--format", "json", "--status", word].as_slice(),
                &["alerts", "list", "--format", "json", "--severity", word],
                &["alerts", "list", "--format", "json", "--tenant", word],
                &["alerts", "search", "--format", "json", word],
                &["alerts", "show", word],
                &["hunt", "--format", "json", word],
                &["export", "alerts", "--tag", word],
                &["tenant", "purge", "--yes", word],
            ] {
                let said = house.run(arguments);
                assert!(said.code.is_some_and(|code| code != 70 && code != 101), "{arguments:?}: {said:?}");
                assert!(!said.stdout.contains(&guid(2)), "{arguments:?} shows what was not asked for: {said:?}");
                assert!(!said.stderr.contains("syntax error"), "{arguments:?}: {said:?}");
            }
        }
        assert_eq!((schema(&house), house.number("SELECT count(*) FROM alerts")), (made, all));
        house.assert_equals_truth(&sim, &[guid(1), guid(2)]);
    });
}
