//! Owns times as column text.

use rusqlite::Row;
use rusqlite::types::Type;

use crate::domain::Ticks;

/// A time column that may be null.
pub(super) fn read(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Ticks>> {
    let text: Option<String> = row.get(index)?;
    let parse = |text: String| {
        Ticks::parse(&text).map_err(|e| rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(e)))
    };
    text.map(parse).transpose()
}

/// A time column that may not be null.
pub(super) fn must(row: &Row<'_>, index: usize) -> rusqlite::Result<Ticks> {
    read(row, index)?.ok_or_else(|| rusqlite::Error::InvalidColumnType(index, "time".to_owned(), Type::Null))
}
