//! Owns reading exports back in each form, and what should be in them, asked from the store in other words.

use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Map, Value, json};

use crate::filled::Filled;
use crate::rig::open;

/// What there is to export.
pub const KINDS: [&str; 3] = ["alerts", "evidence", "changes"];

/// A table of named columns.
#[derive(Debug, PartialEq)]
pub struct Table {
    pub names: Vec<String>,
    pub rows: Vec<Vec<Value>>,
}

/// What an export of everything should hold.
pub fn expected(store: &Path, kind: &str) -> Table {
    let newest =
        "(SELECT max(c.seq) FROM alert_changes AS c WHERE c.tenant_id = v.tenant_id AND c.alert_id = v.alert_id)";
    let sql = match kind {
        "alerts" => format!("SELECT {newest} AS seq, v.* FROM alerts AS v ORDER BY 1"),
        "evidence" => format!("SELECT {newest} AS seq, v.* FROM evidence AS v ORDER BY 1, position"),
        _ => {
            "SELECT v.*, t.name AS tenant_name FROM alert_changes AS v JOIN tenants AS t USING (tenant_id) ORDER BY seq"
                .to_owned()
        }
    };
    let conn = open(store);
    let mut statement = conn.prepare(&sql).expect("a statement");
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let rows = statement.query_map([], |row| {
        (0..names.len())
            .map(|at| {
                Ok(match row.get_ref(at)? {
                    rusqlite::types::ValueRef::Null => Value::Null,
                    rusqlite::types::ValueRef::Integer(number) => json!(number),
                    rusqlite::types::ValueRef::Real(number) => json!(number),
                    rusqlite::types::ValueRef::Text(text) | rusqlite::types::ValueRef::Blob(text) => {
                        // Half a surrogate, as SQLite reads it out of JSON, is one letter that cannot be shown.
                        json!(String::from_utf8_lossy(text).replace("\u{fffd}\u{fffd}\u{fffd}", "\u{fffd}"))
                    }
                })
            })
            .collect::<rusqlite::Result<Vec<Value>>>()
    });
    let rows = rows.expect("rows").collect::<Result<_, _>>().expect("rows");
    Table { names, rows }
}

/// Lines of JSON; each has the same columns in the same order.
pub fn ndjson(text: &str) -> Table {
    assert!(text.is_empty() || text.ends_with('\n'), "a torn line");
    let lines: Vec<Map<String, Value>> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let mut names: Vec<String> = Vec::new();
    if let Some(first) = text.lines().next() {
        // The order of the text, which a map does not keep.
        names = lines[0].keys().cloned().collect();
        names.sort_by_key(|name| first.find(&format!("\"{name}\":")).expect("a name"));
    }
    let row = |line: &Map<String, Value>| {
        assert_eq!(line.len(), names.len());
        names.iter().map(|name| line[name].clone()).collect()
    };
    Table { rows: lines.iter().map(row).collect(), names }
}

/// CSV: all texts.
pub fn csv(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut rows = reader.records().map(|row| row.expect("CSV").iter().map(str::to_owned).collect());
    (rows.next().expect("names"), rows.collect())
}

/// A Parquet file, by the reader of the library.
pub fn parquet(path: &Path) -> Table {
    let reader = SerializedFileReader::new(std::fs::File::open(path).expect("a file")).expect("Parquet");
    let fields = reader.metadata().file_metadata().schema().get_fields();
    let names = fields.iter().map(|field| field.name().to_owned()).collect();
    let value = |field: &Field| {
        if let Field::Long(number) = field {
            return json!(number);
        }
        if let Field::Str(text) = field {
            return json!(text);
        }
        assert_eq!(field, &Field::Null, "a type that is not expected");
        Value::Null
    };
    let rows = reader.get_row_iter(None).expect("rows");
    let rows = rows.map(|row| row.expect("a row").get_column_iter().map(|(_, field)| value(field)).collect());
    Table { names, rows: rows.collect() }
}

impl Filled {
    /// Exports to standard output.
    pub fn exported(&self, kind: &str, arguments: &[&str]) -> Table {
        ndjson(&self.shows(&[&["export", kind], arguments].concat()))
    }
}

/// The numbers in the first column.
pub fn seqs(table: &Table) -> Vec<i64> {
    table.rows.iter().map(|row| row[0].as_i64().expect("a number")).collect()
}

/// The names of the files in a directory that begin so.
pub fn names_in(directory: &Path, begin: &str) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut found: Vec<String> = names.filter(|name| name.starts_with(begin)).collect();
    found.sort();
    found
}
