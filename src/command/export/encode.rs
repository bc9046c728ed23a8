//! Owns what rows become: lines of JSON, CSV, or Parquet.

use std::io::{self, Write};

use super::Format;
use super::columnar::Columnar;
use crate::command::rows::{CsvForm, csv_error};
use crate::command::rows_json;
use crate::logging::visible_json;
use crate::mapping::{self, Schema, Source};
use crate::store::Value;

/// Where bytes go.
pub(super) type Out = Box<dyn Write + Send>;

/// Who makes bytes of rows.
pub(super) enum Encoder {
    /// A JSON object a line.
    Ndjson(Ndjson),
    /// CSV.
    Csv(Box<Csv>),
    /// Parquet.
    Parquet(Box<Columnar>),
}

impl Encoder {
    /// An encoder for rows of these columns; what comes before the first row is written.
    pub(super) fn begin(
        format: Format,
        csv: CsvForm,
        schema: Option<Schema>,
        names: &[String],
        out: Out,
    ) -> io::Result<Self> {
        match format {
            Format::Ndjson => Ok(Self::Ndjson(Ndjson { names: names.to_vec(), schema, out })),
            Format::Csv => Csv::begin(csv, names, out).map(|csv| Self::Csv(Box::new(csv))),
            Format::Parquet => Columnar::begin(names, out).map(|columnar| Self::Parquet(Box::new(columnar))),
        }
    }

    /// Takes a row.
    pub(super) fn row(&mut self, values: &[Value]) -> io::Result<()> {
        match self {
            Self::Ndjson(ndjson) => ndjson.row(values),
            Self::Csv(csv) => csv.row(values),
            Self::Parquet(columnar) => columnar.row(values),
        }
    }

    /// Writes out all that is still held back.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Ndjson(mut ndjson) => ndjson.out.flush(),
            Self::Csv(mut csv) => csv.writer.flush(),
            Self::Parquet(columnar) => columnar.finish(),
        }
    }
}

/// Rows as lines of JSON.
pub(super) struct Ndjson {
    names: Vec<String>,
    /// What alerts are turned into; nothing leaves the columns as they are.
    schema: Option<Schema>,
    out: Out,
}

impl Ndjson {
    fn row(&mut self, values: &[Value]) -> io::Result<()> {
        writeln!(self.out, "{}", self.line(values))
    }

    /// What a row is in JSON: an object with the columns by name. A text stays a text, also where it holds JSON, as it
    /// does in all rows of this program: it is what the service sent, to the byte.
    fn line(&self, values: &[Value]) -> String {
        match self.schema {
            None => rows_json::object(&self.names, values),
            Some(schema) => visible_json(&self.document(schema, values).to_string()).into_owned(),
        }
    }

    /// An alert in a published schema.
    fn document(&self, schema: Schema, values: &[Value]) -> serde_json::Value {
        let named = |name: &str| self.names.iter().position(|one| one == name).and_then(|at| values.get(at));
        let text = |name: &str| if let Some(Value::Text(text)) = named(name) { text.as_str() } else { "" };
        let seq = if let Some(Value::Integer(seq)) = named("seq") { *seq } else { 0 };
        let source = Source {
            tenant_id: text("tenant_id"),
            tenant_name: text("tenant_name"),
            seq,
            first_seen_at: text("first_seen_at"),
            raw: text("raw"),
        };
        mapping::map(schema, &source)
    }
}

/// Rows as CSV.
pub(super) struct Csv {
    form: CsvForm,
    writer: csv::Writer<Out>,
}

impl Csv {
    fn begin(form: CsvForm, names: &[String], out: Out) -> io::Result<Self> {
        let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(out);
        writer.write_record(names.iter().map(|name| form.text(name))).map_err(csv_error)?;
        Ok(Self { form, writer })
    }

    fn row(&mut self, values: &[Value]) -> io::Result<()> {
        self.writer.write_record(values.iter().map(|value| self.form.cell(value))).map_err(csv_error)
    }
}
