//! Owns rows as Parquet: texts and whole numbers in columns, in row groups that fit memory.
//!
//! Times stay texts of fixed width, which keeps all their digits and sorts as times do.

use std::io;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnPath, Type};

use super::encode::Out;
use crate::command::rows_json::bare;
use crate::store::Value;

/// Columns of whole numbers; all others are texts.
const NUMBERS: [&str; 7] =
    ["seq", "incident_id", "evidence_count", "position", "process_id", "parent_process_id", "history"];
/// Columns that have a value in every row.
const ALWAYS: [&str; 12] = [
    "seq",
    "tenant_id",
    "tenant_name",
    "alert_id",
    "last_update_time",
    "first_seen_at",
    "evidence_count",
    "raw",
    "entity",
    "kind",
    "observed_at",
    "history",
];
/// Columns whose values are seldom the same, so that looking for equal ones is no use.
const DIFFERENT: [&str; 3] = ["raw", "entity", "fields"];
/// A row group has at most so many rows.
const GROUP_ROWS: usize = 10_000;
/// A row group ends with the row with which its texts are longer than this.
const GROUP_BYTES: usize = 16 * 1024 * 1024;

/// A Parquet file that grows by row groups.
pub(super) struct Columnar {
    writer: SerializedFileWriter<Out>,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

/// The values of a column that are not written yet.
struct Column {
    name: String,
    always: bool,
    /// For each row whether it has a value: 1 or 0.
    levels: Vec<i16>,
    values: Values,
}

enum Values {
    Numbers(Vec<i64>),
    Texts(Vec<ByteArray>),
}

impl Columnar {
    /// Begins a file with these columns.
    pub(super) fn begin(names: &[String], out: Out) -> io::Result<Self> {
        let columns: Vec<Column> = names.iter().map(|name| Column::new(name)).collect();
        let fields = columns.iter().map(|column| column.field().map(Arc::new)).collect::<Result<Vec<_>, _>>();
        let schema = Type::group_type_builder("row").with_fields(fields.map_err(failed)?).build().map_err(failed)?;
        let mut properties = WriterProperties::builder()
            .set_created_by(concat!("alertferry ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::SNAPPY);
        for name in DIFFERENT {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(name), false);
        }
        let writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties.build())).map_err(failed)?;
        Ok(Self { writer, columns, rows: 0, bytes: 0 })
    }

    /// Takes a row.
    pub(super) fn row(&mut self, values: &[Value]) -> io::Result<()> {
        for (column, value) in self.columns.iter_mut().zip(values) {
            self.bytes += column.push(value)?;
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS || self.bytes > GROUP_BYTES { self.write_group() } else { Ok(()) }
    }

    /// Writes the last rows and the end of the file.
    pub(super) fn finish(mut self) -> io::Result<()> {
        if self.rows > 0 {
            self.write_group()?;
        }
        let mut out = self.writer.into_inner().map_err(failed)?;
        out.flush()
    }

    fn write_group(&mut self) -> io::Result<()> {
        let mut group = self.writer.next_row_group().map_err(failed)?;
        for column in &mut self.columns {
            let writer = group.next_column().map_err(failed)?;
            column.write(writer.ok_or_else(|| io::Error::other("a column is missing"))?).map_err(failed)?;
        }
        group.close().map_err(failed)?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

impl Column {
    fn new(name: &str) -> Self {
        let values = if NUMBERS.contains(&name) { Values::Numbers(Vec::new()) } else { Values::Texts(Vec::new()) };
        Self { name: name.to_owned(), always: ALWAYS.contains(&name), levels: Vec::new(), values }
    }

    fn field(&self) -> Result<Type, ParquetError> {
        let (physical, logical) = match self.values {
            Values::Numbers(_) => (Physical::INT64, None),
            Values::Texts(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let repetition = if self.always { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        let field = Type::primitive_type_builder(&self.name, physical);
        field.with_repetition(repetition).with_logical_type(logical).build()
    }

    /// Takes a value; its length. What is no whole number and stands where one should be is left out: the service's own
    /// text of it is in `raw` or `entity`.
    fn push(&mut self, value: &Value) -> io::Result<usize> {
        let length = match (&mut self.values, value) {
            (_, Value::Null) => None,
            (Values::Numbers(numbers), value) => whole(value).map(|number| {
                numbers.push(number);
                size_of::<i64>()
            }),
            (Values::Texts(texts), value) => {
                let text = bare(value);
                let length = text.len();
                texts.push(ByteArray::from(text.into_bytes()));
                Some(length)
            }
        };
        if length.is_none() && self.always {
            return Err(io::Error::other(format!("a row has no value in the column {}", self.name)));
        }
        self.levels.push(i16::from(length.is_some()));
        Ok(length.unwrap_or(0))
    }

    fn write(&mut self, mut writer: SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let levels = (!self.always).then_some(self.levels.as_slice());
        match &mut self.values {
            Values::Numbers(numbers) => {
                writer.typed::<Int64Type>().write_batch(numbers, levels, None)?;
                numbers.clear();
            }
            Values::Texts(texts) => {
                writer.typed::<ByteArrayType>().write_batch(texts, levels, None)?;
                texts.clear();
            }
        }
        self.levels.clear();
        writer.close()
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(*number),
        Value::Text(text) => text.parse().ok(),
        Value::Null | Value::Real(_) | Value::Blob(_) => None,
    }
}

/// The error under an error of the Parquet writer: its kind says whether the reader went away or the disk is full.
fn failed(error: ParquetError) -> io::Error {
    let ParquetError::External(inner) = error else { return io::Error::other(error) };
    inner.downcast::<io::Error>().map_or_else(io::Error::other, |error| *error)
}
