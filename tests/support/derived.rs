//! Owns holding what is derived from alerts against the alerts: indexes and counts lack nothing, and hold nothing stale.

use std::path::Path;

use alertferry::domain::{Columns, Findable, ObservableKind};

/// A value of an alert: the alert's key, the kind and the value.
type Entry = (i64, String, String);

/// Asserts that every stored alert can be found by its values and words and by nothing else, and that it is counted.
pub fn assert_derived(path: &Path) {
    let counts = "SELECT tenant_key, severity, status, alerts FROM alert_count WHERE alerts <> 0 ORDER BY 1, 2, 3";
    let real = "SELECT tenant_key, coalesce(severity, ''), coalesce(status, ''), count(*) FROM alert GROUP BY 1, 2, 3
                ORDER BY 1, 2, 3";
    assert_eq!(super::query_all(path, counts), super::query_all(path, real), "the counts against the alerts");
    assert_eq!(entered(path), stored(path), "the index of values against the alerts, each entry once");
    assert_words(path);
}

/// Asserts that the index of words holds every word of every text at its place, and no other: the same texts in an
/// index of their own give the same.
fn assert_words(path: &Path) {
    let conn = super::open(path);
    conn.execute_batch(
        "CREATE VIRTUAL TABLE temp.anew USING fts5(title, description, command_lines, file_names,
             tokenize = \"unicode61 remove_diacritics 2\");
         INSERT INTO temp.anew (rowid, title, description, command_lines, file_names)
         SELECT alert_key, title, description, command_lines, file_names FROM main.alert_text;
         CREATE VIRTUAL TABLE temp.words_anew USING fts5vocab(temp, anew, instance);
         CREATE VIRTUAL TABLE temp.words_entered USING fts5vocab(main, text_index, instance);",
    )
    .expect("an index beside");
    let count = |index: &str| {
        let sql = format!("SELECT count(*) FROM temp.{index}");
        conn.query_row(&sql, [], |row| row.get::<_, i64>(0)).expect("a number")
    };
    assert_eq!(count("words_entered"), count("words_anew"), "words entered against words there are");
    let differ = |one: &str, other: &str| {
        let sql = format!("SELECT count(*) FROM (SELECT * FROM temp.{one} EXCEPT SELECT * FROM temp.{other})");
        conn.query_row(&sql, [], |row| row.get::<_, i64>(0)).expect("a number")
    };
    assert_eq!(differ("words_anew", "words_entered"), 0, "words that cannot be found");
    assert_eq!(differ("words_entered", "words_anew"), 0, "words that are found and are not there");
}

fn stored(path: &Path) -> Vec<Entry> {
    let conn = super::open(path);
    let mut statement = conn.prepare("SELECT alert_key, raw FROM alert").expect("a statement");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).expect("rows");
    let mut entries = Vec::new();
    for (key, raw) in rows.map(|row| row.expect("a row")) {
        let found = Findable::of(&raw, &Columns::of(&raw).expect("columns"));
        for kind in ObservableKind::ALL {
            entries.extend(found.values_of(kind).map(|value| (key, kind.name().to_owned(), value.to_owned())));
        }
    }
    entries.sort();
    entries
}

fn entered(path: &Path) -> Vec<Entry> {
    let conn = super::open(path);
    conn.execute_batch("CREATE VIRTUAL TABLE temp.entered USING fts5vocab(main, value_index, instance)")
        .expect("a view of the index");
    let mut statement = conn.prepare("SELECT doc, col, term FROM temp.entered").expect("a statement");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("rows");
    let mut entries: Vec<Entry> = rows.map(|row| row.expect("a row")).collect();
    entries.sort();
    entries
}
