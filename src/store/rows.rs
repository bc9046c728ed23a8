//! Owns rows on their way out of the store: values of any column, handed over one row at a time.

use std::io;
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Params, Statement};

use super::StoreError;

/// A value of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// None.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// Text; what was no UTF-8 has the replacement character instead.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// Who takes rows, such as a writer of CSV.
pub trait Sink {
    /// Takes the names of the columns, once, before any row.
    ///
    /// # Errors
    /// When they cannot be written; then no row follows.
    fn columns(&mut self, names: &[String]) -> io::Result<()>;

    /// Takes a row.
    ///
    /// # Errors
    /// When it cannot be written; then no row follows.
    fn row(&mut self, values: Vec<Value>) -> io::Result<()>;
}

/// How much was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Rows.
    pub rows: u64,
    /// Whether there were more than the limit.
    pub cut: bool,
}

/// Why rows could not be read, or not be handed over.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Whoever takes the rows fails.
    #[error("cannot write rows: {0}")]
    Output(io::Error),
    /// The SQL is wrong, or does more than read.
    #[error("the query is refused: {0}")]
    Refused(String),
    /// The query took longer than it may.
    #[error("the query was ended after {} s", .0.as_secs_f64())]
    TooLong(Duration),
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Hands over the columns and rows of a statement, at most `limit` of them; 0 means all.
pub(super) fn send(
    statement: &mut Statement<'_>,
    params: impl Params,
    limit: u64,
    sink: &mut dyn Sink,
) -> Result<Sent, ReadError> {
    send_columns(statement, sink)?;
    send_rows(statement, params, limit, sink)
}

/// Hands over the columns, and the row of each key, at most `limit` of them; 0 means all.
pub(super) fn send_each(
    statement: &mut Statement<'_>,
    keys: &[i64],
    limit: u64,
    sink: &mut dyn Sink,
) -> Result<Sent, ReadError> {
    send_columns(statement, sink)?;
    let most = if limit == 0 { keys.len() } else { usize::try_from(limit).unwrap_or(usize::MAX).min(keys.len()) };
    let mut rows = 0;
    for key in &keys[..most] {
        rows += send_rows(statement, [key], 0, sink)?.rows;
    }
    Ok(Sent { rows, cut: most < keys.len() })
}

/// Hands over the names of a statement's columns; returns how many there are.
pub(super) fn send_columns(statement: &Statement<'_>, sink: &mut dyn Sink) -> Result<usize, ReadError> {
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    sink.columns(&names).map_err(ReadError::Output)?;
    Ok(names.len())
}

/// Hands over the rows of a statement, at most `limit` of them; 0 means all.
pub(super) fn send_rows(
    statement: &mut Statement<'_>,
    params: impl Params,
    limit: u64,
    sink: &mut dyn Sink,
) -> Result<Sent, ReadError> {
    let columns = statement.column_count();
    let mut rows = statement.query(params)?;
    let mut sent = 0;
    while let Some(row) = rows.next()? {
        if limit > 0 && sent == limit {
            return Ok(Sent { rows: sent, cut: true });
        }
        let values = (0..columns).map(|at| row.get_ref(at).map(value)).collect::<Result<_, _>>()?;
        sink.row(values).map_err(ReadError::Output)?;
        sent += 1;
    }
    Ok(Sent { rows: sent, cut: false })
}

pub(super) fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => Value::Text(text(bytes)),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

/// A text. Half a character, which SQLite reads out of JSON as three bytes that are no UTF-8, becomes one replacement
/// character, as it does in the columns.
fn text(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let mut mended = bytes.to_vec();
    for at in 0..mended.len() {
        if let Some(half @ [0xed, 0xa0..=0xbf, 0x80..=0xbf]) = mended.get_mut(at..at + 3) {
            half.copy_from_slice("\u{fffd}".as_bytes());
        }
    }
    String::from_utf8_lossy(&mended).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        for (bytes, expected) in [
            (b"a\xed\xa0\x80b\xed\xbf\xbf".as_slice(), "a\u{fffd}b\u{fffd}"),
            (b"\xed\xa0", "\u{fffd}\u{fffd}"),
            ("\u{d7ff}".as_bytes(), "\u{d7ff}"),
            (b"\xffA\0", "\u{fffd}A\0"),
            (b"", ""),
        ] {
            assert_eq!(text(bytes), expected, "{bytes:?}");
        }
    }
}
