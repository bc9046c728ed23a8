//! Owns looking whether a store is whole after something was taken out: its counts, and both indexes to the last entry.

use std::collections::BTreeSet;
use std::path::Path;

use alertferry::domain::{Columns, Findable, ObservableKind};

use crate::rig::query_all;

/// A connection that writes, for what no command does.
pub fn writer(path: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE).expect("a store")
}

/// Asserts that file, counts and indexes agree with the rows. Nobody else may be writing.
pub fn assert_whole(path: &Path) {
    assert_eq!(query_all(path, "PRAGMA integrity_check"), [["ok"]]);
    assert_eq!(query_all(path, "PRAGMA foreign_key_check"), [[""; 0]; 0]);
    let counted = query_all(
        path,
        "SELECT tenant_key, severity, status, alerts FROM alert_count WHERE alerts <> 0 ORDER BY 1, 2, 3",
    );
    let real = query_all(
        path,
        "SELECT tenant_key, coalesce(severity, ''), coalesce(status, ''), count(*) FROM alert GROUP BY 1, 2, 3",
    );
    assert_eq!(counted, real);
    let totals =
        "SELECT t.alert_count, (SELECT count(*) FROM alert AS a WHERE a.tenant_key = t.tenant_key) FROM tenant AS t";
    for row in query_all(path, totals) {
        assert_eq!(row[0], row[1], "the count of a tenant");
    }
    let orphans = "SELECT count(*) FROM alert_change WHERE alert_key NOT IN (SELECT alert_key FROM alert)";
    assert_eq!(query_all(path, orphans), [["0"]]);
    let conn = writer(path);
    conn.execute("INSERT INTO text_index (text_index) VALUES ('integrity-check')", []).expect("words agree");
    conn.execute("INSERT INTO value_index (value_index) VALUES ('integrity-check')", []).expect("values agree");
    assert_eq!(entered(&conn), expected(&conn), "what the index of values has, and what the alerts have");
    assert_words(&conn);
}

/// Asserts that the index of words is, word for word, what one that is filled anew would be.
fn assert_words(conn: &rusqlite::Connection) {
    conn.execute_batch(
        "CREATE VIRTUAL TABLE temp.fresh USING fts5(title, description, command_lines, file_names,
             tokenize = 'unicode61 remove_diacritics 2');
         INSERT INTO temp.fresh (rowid, title, description, command_lines, file_names) SELECT * FROM alert_text;
         CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, 'text_index', 'instance');
         CREATE VIRTUAL TABLE temp.fresh_words USING fts5vocab(temp, 'fresh', 'instance')",
    )
    .expect("an index filled anew");
    for (one, other) in [("words", "fresh_words"), ("fresh_words", "words")] {
        let sql = format!("SELECT count(*) FROM (SELECT * FROM temp.{one} EXCEPT SELECT * FROM temp.{other})");
        let more: i64 = conn.query_row(&sql, [], |row| row.get(0)).expect("words");
        assert_eq!(more, 0, "{one} has more than {other}");
    }
}

type Entry = (String, i64, String);

/// Every value in the index, with its alert and its kind.
fn entered(conn: &rusqlite::Connection) -> BTreeSet<Entry> {
    conn.execute_batch("CREATE VIRTUAL TABLE temp.entered USING fts5vocab(main, 'value_index', 'instance')")
        .expect("a view of the index");
    let mut statement = conn.prepare("SELECT term, doc, col FROM temp.entered").expect("SQL");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("rows");
    rows.collect::<Result<_, _>>().expect("rows")
}

/// Every value that the stored alerts have.
fn expected(conn: &rusqlite::Connection) -> BTreeSet<Entry> {
    let mut statement = conn.prepare("SELECT alert_key, raw FROM alert").expect("SQL");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    let mut values = BTreeSet::new();
    for (key, raw) in rows.map(|row: rusqlite::Result<(i64, String)>| row.expect("a row")) {
        let found = Findable::of(&raw, &Columns::of(&raw).expect("an object"));
        for kind in ObservableKind::ALL {
            values.extend(found.values_of(kind).map(|value| (value.to_owned(), key, kind.name().to_owned())));
        }
    }
    values
}
