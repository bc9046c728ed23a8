//! Owns tenants in a CSV file: one row each, its cells made into the values a `[[tenant]]` table would have.

use config::{Map, Value, ValueKind};
use csv::{ReaderBuilder, StringRecord, Trim};

use super::keys::{self, TENANT};
use super::report::{At, Report};
use super::table::Table;

/// What stands between two tags in one cell.
const TAG_SEPARATOR: char = ';';

/// Reads the tenants of a file; rows that cannot be read are reported.
pub(super) fn read(text: &str, file: usize, report: &mut Report) -> Vec<Table> {
    // Spreadsheets open a UTF-8 file with a mark that is no part of the first column's name.
    let skipped = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let body = &text[skipped..];
    let rows = Rows { text, skipped, file };
    let mut reader =
        ReaderBuilder::new().flexible(true).trim(Trim::All).comment(Some(b'#')).from_reader(body.as_bytes());
    let columns = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => {
            report.error(&rows.at_line(0), "", format!("cannot read the header: {error}"));
            return Vec::new();
        }
    };
    let header_at = rows.at(columns.position());
    if !header_fits(&columns, &header_at, report) {
        return Vec::new();
    }
    let mut tenants = Vec::new();
    for row in reader.records() {
        match row {
            Ok(row) => tenants.extend(tenant(&columns, &row, rows.at(row.position()), report)),
            Err(error) => {
                let at = rows.at(error.position());
                report.error(&at, "tenant", format!("cannot read this row: {}", reason(&error)));
            }
        }
    }
    tenants
}

fn header_fits(columns: &StringRecord, at: &At, report: &mut Report) -> bool {
    const HELP: &str = "the first line names the columns: id,name,region,app,tags,enabled (only id is needed)";
    let known: Vec<_> = TENANT.iter().map(|key| key.name).collect();
    let mut fits = true;
    if columns.len() == 1 && columns.iter().any(|column| column.contains([';', '\t'])) {
        report.error(at, "tenant", "the columns are not separated by commas").help(HELP);
        return false;
    }
    for (index, column) in columns.iter().enumerate() {
        if !known.contains(&column) {
            keys::unknown(report, at, &format!("tenant.{column}"), column, &known);
            fits = false;
        } else if columns.iter().take(index).any(|earlier| earlier == column) {
            report.error(at, format!("tenant.{column}"), "this column is there twice");
            fits = false;
        }
    }
    if !columns.iter().any(|column| column == "id") {
        report.error(at, "tenant.id", "the column `id` is missing").help(HELP);
        fits = false;
    }
    fits
}

/// The table of one row; empty cells are as good as left out.
fn tenant(columns: &StringRecord, row: &StringRecord, at: At, report: &mut Report) -> Option<Table> {
    if row.iter().all(str::is_empty) {
        return None;
    }
    if row.len() != columns.len() {
        let message = format!("this row has {} cells, the header has {}", row.len(), columns.len());
        report.error(&at, "tenant", message).help("a cell that holds a comma is written in quotes");
        return None;
    }
    let origin = at.to_origin();
    let text = |text: &str| Value::new(origin.as_ref(), ValueKind::String(text.to_owned()));
    let mut values = Map::new();
    for (column, cell) in columns.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
        let value = if column == "tags" {
            let tags = cell.split(TAG_SEPARATOR).map(str::trim).filter(|tag| !tag.is_empty()).map(text).collect();
            Value::new(origin.as_ref(), ValueKind::Array(tags))
        } else {
            text(cell)
        };
        values.insert(column.to_owned(), value);
    }
    Some(Table { at, path: "tenant".to_owned(), values })
}

fn reason(error: &csv::Error) -> String {
    error.to_string().split(": ").last().unwrap_or_default().to_owned()
}

/// Where rows stand in the file.
struct Rows<'a> {
    text: &'a str,
    skipped: usize,
    file: usize,
}

impl Rows<'_> {
    fn at(&self, position: Option<&csv::Position>) -> At {
        let byte = position.and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(0);
        self.at_line(byte + self.skipped)
    }

    /// The line that holds the first text at or after `byte`: the reader counts the blank lines and the comments
    /// before a row to the row.
    fn at_line(&self, byte: usize) -> At {
        let mut start = byte.min(self.text.len());
        loop {
            let rest = self.text.get(start..).unwrap_or_default();
            let end = start + rest.find('\n').unwrap_or(rest.len());
            let line = self.text.get(start..end).unwrap_or_default();
            if end < self.text.len() && (line.trim().is_empty() || line.starts_with('#')) {
                start = end + 1;
            } else {
                return At::Span { file: self.file, start, end: start + line.trim_end().len() };
            }
        }
    }
}
