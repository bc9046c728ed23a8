//! S11: alerts that would run in the spreadsheet of who opens a CSV file.
//!
//! That the texts come back whole, and that `--raw-csv` leaves them as they are, is in `tests/snapshots/harmless.rs`,
//! `tests/reading_commands/formats.rs` and `tests/export/forms.rs`.

use crate::support::on_threads;
use crate::texts;

/// What makes a spreadsheet take a text for a formula, or a cell for several.
const STARTS: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

#[test]
fn s11_no_cell_of_any_csv_is_a_formula() {
    on_threads(async {
        let sim = texts::simulator().await;
        let house = texts::house(&sim);
        texts::read(&house).await.stop().await;
        let target = house.path("alerts.csv").display().to_string();
        let mut defused = 0;
        for arguments in [
            ["alerts", "list", "--format", "csv"].as_slice(),
            &["alerts", "tail", "--format", "csv"],
            &["alerts", "search", "calc", "--format", "csv"],
            &["hunt", "--alerts", "=HYPERLINK*", "--format", "csv"],
            &["hunt", "=HYPERLINK*", "--format", "csv"],
            &["stats", "--by", "severity", "--format", "csv"],
            &["tenant", "list", "--format", "csv"],
            &["query", "SELECT * FROM alerts", "--format", "csv"],
            &["query", "SELECT *, file_name AS \"=1+1\" FROM evidence", "--format", "csv"],
            &["export", "alerts", "--format", "csv"],
            &["export", "evidence", "--format", "csv"],
            &["export", "changes", "--format", "csv"],
            &["export", "alerts", "--out", &target],
        ] {
            let said = house.run(arguments);
            let text = if arguments.contains(&"--out") {
                std::fs::read_to_string(&target).expect("a file")
            } else {
                said.stdout.clone()
            };
            assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("CSV")).collect();
            assert!(rows.len() > 1, "{arguments:?}: {text}");
            for cell in rows.iter().flatten() {
                let number = cell.parse::<f64>().is_ok();
                assert!(number || !cell.starts_with(STARTS), "{arguments:?}: {cell:?}");
                defused += usize::from(cell.starts_with('\'') && cell[1..].starts_with(STARTS));
            }
        }
        assert!(defused > 50, "{defused} cells would have been formulas");
    });
}
