//! What is said of the store as a whole: its tenants and its schema.

use serde_json::json;

use crate::filled::filled;
use crate::rig::guid;

#[test]
fn tenants_have_every_column_of_their_view() {
    filled(2, async |filled| {
        let rows = filled.json(&["tenant", "list"]);
        let view = filled.house.query("SELECT name FROM pragma_table_info('tenants')").concat();
        let row = rows[0].as_object().expect("a row");
        assert!(row.len() == view.len() && view.iter().all(|name| row.contains_key(name)), "{row:?}");
        assert_eq!(
            (&row["tenant_id"], &row["alert_count"], &row["tags"]),
            (&json!(guid(1)), &json!(3), &json!("[\"gold\"]"))
        );
        let csv = filled.shows(&["tenant", "list", "--format", "csv"]);
        assert!(csv.starts_with("\"tenant_id\",\"name\",\"state\"") && csv.lines().count() == 3, "{csv}");
        let table = filled.shows(&["tenant", "list"]);
        assert!(table.lines().all(|line| line.chars().count() <= 160), "{table}");
        let rows = table.lines().skip_while(|line| !line.contains('─')).skip(1);
        assert_eq!(rows.count(), 2, "a line a tenant: {table}");
    });
}

#[test]
fn the_schema_can_be_run() {
    filled(1, async |filled| {
        let schema = filled.shows(&["schema"]);
        assert!(schema.starts_with("CREATE VIEW alert_changes AS -- one row an observed change"), "{schema}");
        let conn = rusqlite::Connection::open_in_memory().expect("a database");
        conn.execute_batch(&schema).expect("statements");
        for view in ["alerts", "alert_changes", "tenants", "gaps", "passes"] {
            conn.prepare(&format!("SELECT * FROM {view}")).expect(view);
        }
        assert!(!schema.contains("sqlite_sequence") && !schema.contains("refinery"), "{schema}");
        std::fs::remove_file(filled.house.store()).expect("gone");
        for arguments in [["schema"].as_slice(), &["tenant", "list"], &["alerts", "tail"], &["backup", "copy.db"]] {
            filled.fails(arguments, 66, &["no store"]);
        }
    });
}
