//! Owns rows as a command shows them: a table that fits the terminal, JSON, lines of JSON, or CSV.

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Stdout, Write};

use super::layout::Layout;
use super::output::{table, visible};
use super::{Exit, Problem, rows_json};
use crate::domain::Ticks;
use crate::logging::is_hostile;
use crate::store::{ReadError, Sent, Sink, Value};

/// How rows are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum RowFormat {
    /// For people: fits the terminal, long cells are cut.
    #[default]
    Table,
    /// One JSON array with an object a row.
    Json,
    /// An object a line.
    Ndjson,
    /// Comma-separated values under a line of names, every cell in quotes.
    Csv,
}

/// What a command line says about how rows are shown.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Shape {
    /// How to show it. In CSV, a text that begins with = + - @ (wide ones too, and behind blanks), a tab or a line end
    /// gets a leading ' so that no spreadsheet takes it for a formula.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: RowFormat,
    /// Leave texts in CSV as they are, also such as a spreadsheet would run.
    #[arg(long)]
    raw_csv: bool,
}

/// A longer text is cut in tables before it is laid out.
const MOST_CELL_CHARS: usize = 400;
/// And this where rows are lines, which nothing lays out.
const MOST_LINE_CELL_CHARS: usize = 80;
/// With what spreadsheets begin a formula, the wide forms of other keyboards included.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
/// What a time of the store has up to its seconds, and in all.
const TIME_CHARS: (usize, usize) = (19, 28);

/// Shows the rows that `read` hands over. Tables have the columns in `brief` only, and all if that is empty.
///
/// A reader of standard output that went away is no error.
pub(super) fn show(
    shape: Shape,
    brief: &'static [&'static str],
    read: impl FnOnce(&mut dyn Sink) -> Result<Sent, ReadError>,
) -> Result<Sent, Problem> {
    let mut writer = RowWriter::new(shape, brief);
    let ended = read(&mut writer).and_then(|sent| writer.finish().map_err(ReadError::Output).map(|()| sent));
    Ok(unless_unread(ended)?.unwrap_or(Sent { rows: 0, cut: false }))
}

/// What a reading came to; nothing when the reader of standard output went away.
pub(super) fn unless_unread<T>(ended: Result<T, ReadError>) -> Result<Option<T>, Problem> {
    match ended {
        Err(ReadError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(None),
        Err(ReadError::Output(error)) => {
            Err(Problem::new(Exit::Io, format!("cannot write to standard output: {error}")))
        }
        other => Ok(Some(other?)),
    }
}

/// Says on standard error that there were more rows than the limit.
pub(super) fn tell_cut(sent: Sent) {
    if sent.cut {
        let rows =
            if sent.rows == 1 { "is more than 1 row".to_owned() } else { format!("are more than {} rows", sent.rows) };
        let note = format!("alertferry: there {rows}; `--limit 0` shows all");
        drop(writeln!(io::stderr(), "{note}"));
    }
}

/// Writes rows to standard output.
pub(super) struct RowWriter {
    shape: Shape,
    brief: &'static [&'static str],
    names: Vec<String>,
    form: Form,
    csv: CsvForm,
}

enum Form {
    Table {
        table: Box<comfy_table::Table>,
        /// Known with the names of the columns.
        layout: Option<Layout>,
        out: BufWriter<Stdout>,
    },
    /// The cells of a table without one: its last row is not known yet.
    Lines(BufWriter<Stdout>),
    Json {
        first: bool,
        out: BufWriter<Stdout>,
    },
    Ndjson(BufWriter<Stdout>),
    Csv(Box<csv::Writer<BufWriter<Stdout>>>),
}

impl RowWriter {
    pub(super) fn new(shape: Shape, brief: &'static [&'static str]) -> Self {
        let out = BufWriter::new(io::stdout());
        let form = match shape.format {
            RowFormat::Table => Form::Table { table: Box::new(table(&[])), layout: None, out },
            RowFormat::Json => Form::Json { first: true, out },
            RowFormat::Ndjson => Form::Ndjson(out),
            RowFormat::Csv => {
                let quoted = csv::QuoteStyle::Always;
                Form::Csv(Box::new(csv::WriterBuilder::new().quote_style(quoted).from_writer(out)))
            }
        };
        let csv = CsvForm { raw: shape.raw_csv, on_terminal: io::stdout().is_terminal() };
        Self { shape, brief, names: Vec::new(), form, csv }
    }

    /// Like [`Self::new`], for rows that come one after another without an end: each is a line.
    pub(super) fn endless(shape: Shape, brief: &'static [&'static str]) -> Result<Self, Problem> {
        let mut writer = Self::new(shape, brief);
        if shape.format == RowFormat::Json {
            let message = "--format json is one array, and what is followed has no end; use ndjson";
            return Err(Problem::new(Exit::Usage, message));
        }
        if shape.format == RowFormat::Table {
            writer.form = Form::Lines(BufWriter::new(io::stdout()));
        }
        Ok(writer)
    }

    fn headings(&self) -> Vec<String> {
        self.names.iter().filter(|name| self.in_table(name)).map(|name| visible(name)).collect()
    }

    /// Whether tables have this column.
    fn in_table(&self, name: &str) -> bool {
        self.brief.is_empty() || self.brief.contains(&name)
    }

    fn table_cell(&self, value: &Value) -> String {
        let text = plain(value);
        // A list's times are for people: seconds will do.
        if !self.brief.is_empty()
            && text.len() == TIME_CHARS.1
            && Ticks::parse(&text).is_ok()
            && let Some(seconds) = text.get(..TIME_CHARS.0)
        {
            let splits = matches!(&self.form, Form::Table { layout: Some(layout), .. } if layout.splits_times());
            return if splits { visible(seconds).replacen('T', "\n", 1) } else { visible(seconds) };
        }
        let most = if matches!(self.form, Form::Lines(_)) { MOST_LINE_CELL_CHARS } else { MOST_CELL_CHARS };
        let mut letters = text.chars();
        let begin: String = letters.by_ref().take(most).collect();
        visible(&begin) + if letters.next().is_some() { "…" } else { "" }
    }

    /// Writes out the rows so far, where they come one after another.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match &mut self.form {
            Form::Lines(out) | Form::Ndjson(out) => out.flush(),
            Form::Csv(csv) => csv.flush(),
            Form::Table { .. } | Form::Json { .. } => Ok(()),
        }
    }

    /// Writes out what is still held back.
    pub(super) fn finish(self) -> io::Result<()> {
        match self.form {
            Form::Table { mut table, layout, mut out } => {
                layout.iter().for_each(|layout| layout.end(&mut table));
                writeln!(out, "{}", table.trim_fmt())?;
                out.flush()
            }
            Form::Json { first, mut out } => {
                out.write_all(if first { b"[]\n" } else { b"\n]\n" })?;
                out.flush()
            }
            Form::Lines(mut out) | Form::Ndjson(mut out) => out.flush(),
            Form::Csv(mut csv) => csv.flush(),
        }
    }
}

impl Sink for RowWriter {
    fn columns(&mut self, names: &[String]) -> io::Result<()> {
        self.names = rows_json::distinct(names);
        let headings = self.headings();
        let cells: Vec<String> = self.names.iter().map(|name| self.csv.text(name)).collect();
        match &mut self.form {
            Form::Table { table, layout, .. } => {
                *layout = Some(Layout::begin(table, headings, !self.brief.is_empty()));
            }
            Form::Csv(csv) => csv.write_record(cells).map_err(csv_error)?,
            Form::Lines(_) | Form::Json { .. } | Form::Ndjson(_) => {}
        }
        Ok(())
    }

    fn row(&mut self, values: Vec<Value>) -> io::Result<()> {
        match self.shape.format {
            RowFormat::Table => {
                let cells = self.names.iter().zip(&values).filter(|(name, _)| self.in_table(name));
                let cells: Vec<String> = cells.map(|(_, value)| self.table_cell(value)).collect();
                match &mut self.form {
                    Form::Table { table, layout, .. } => {
                        layout.iter_mut().for_each(|layout| layout.add(table, &cells));
                    }
                    Form::Lines(out) => writeln!(out, "{}", cells.join("  "))?,
                    Form::Json { .. } | Form::Ndjson(_) | Form::Csv(_) => {}
                }
            }
            RowFormat::Csv => {
                let cells: Vec<String> = values.iter().map(|value| self.csv.cell(value)).collect();
                if let Form::Csv(csv) = &mut self.form {
                    csv.write_record(cells).map_err(csv_error)?;
                }
            }
            RowFormat::Json | RowFormat::Ndjson => {
                let object = rows_json::object(&self.names, &values);
                match &mut self.form {
                    Form::Json { first, out } => {
                        let before = if std::mem::take(first) { "[\n" } else { ",\n" };
                        write!(out, "{before}{object}")?;
                    }
                    Form::Ndjson(out) => writeln!(out, "{object}")?,
                    Form::Table { .. } | Form::Lines(_) | Form::Csv(_) => {}
                }
            }
        }
        Ok(())
    }
}

/// How texts stand in CSV.
#[derive(Debug, Clone, Copy)]
pub(super) struct CsvForm {
    /// Whether such as a spreadsheet would run are left as they are.
    pub(super) raw: bool,
    /// Whether a terminal shows them: there they do nothing either. A file has the text.
    pub(super) on_terminal: bool,
}

impl CsvForm {
    /// A text: no formula for a spreadsheet, and no NUL, at which many readers stop.
    pub(super) fn text(self, text: &str) -> String {
        let unseen = |c: char| c.is_whitespace() || is_hostile(c);
        let runs = text.trim_start_matches(unseen).starts_with(FORMULA) || text.starts_with(['\t', '\r', '\n']);
        let guard = if runs && !self.raw { "'" } else { "" };
        let text = if self.on_terminal { visible(text) } else { text.replace('\0', "\u{fffd}") };
        guard.to_owned() + &text
    }

    /// A value.
    pub(super) fn cell(self, value: &Value) -> String {
        match value {
            Value::Null => String::new(),
            Value::Text(text) => self.text(text),
            Value::Integer(_) | Value::Real(_) | Value::Blob(_) => plain(value),
        }
    }
}

/// The error under an error of the CSV writer: its kind says whether the reader went away.
pub(super) fn csv_error(error: csv::Error) -> io::Error {
    if error.is_io_error()
        && let csv::ErrorKind::Io(error) = error.into_kind()
    {
        return error;
    }
    io::Error::other("a row has another number of cells than the one before")
}

/// A value as text.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Text(text) => text.clone(),
        Value::Integer(_) | Value::Real(_) | Value::Blob(_) => rows_json::bare(value),
    }
}
