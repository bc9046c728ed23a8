//! Owns the way of an export: what is to be read, page after page into the encoder, and only then the cursor.

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::draft::Draft;
use super::encode::{Encoder, Out};
use super::place::Place;
use super::{Arguments, Format, cursor};
use crate::command::rows::CsvForm;
use crate::command::unwritten::unwritten;
use crate::command::{Exit, Problem, select};
use crate::mapping::Schema;
use crate::store::{ExportCursors, Exported, Extent, Reading, StoreError, TenantFilter, TenantKey};

/// Bytes are handed to the system in pieces of this size.
const PIECE: usize = 128 * 1024;

/// Why an export came to no end.
enum Failure {
    Store(StoreError),
    Output(io::Error),
}

/// An export that is about to begin.
struct Export<'a> {
    path: PathBuf,
    store: Reading,
    extent: Extent,
    after: i64,
    /// Whether only what is new is wanted, so that nothing new is no reason for a file.
    incremental: bool,
    format: Format,
    raw_csv: bool,
    schema: Option<Schema>,
    cursor: Option<Cursor<'a>>,
}

/// The cursor that an export moves.
struct Cursor<'a> {
    door: ExportCursors,
    name: &'a str,
    found: Option<i64>,
}

pub(super) fn run(config: &Path, what: Exported, arguments: &Arguments) -> Result<Exit, Problem> {
    let path = select::store(config)?;
    let mut export = Export::of(&path, what, arguments)?;
    let place = Place::of(arguments.out.as_deref(), export.extent.until, export.format, &path)?;
    match place {
        Place::Stdout => export.write_stdout(),
        Place::File { target, partial } => export.write_file(&target, &partial),
    }
}

impl<'a> Export<'a> {
    fn of(path: &Path, what: Exported, arguments: &'a Arguments) -> Result<Self, Problem> {
        let store = Reading::open(path)?;
        let tenants = tenants(&store, arguments)?;
        let cursor = arguments.cursor.as_deref().map(|name| Cursor::find(path, what, name)).transpose()?;
        let found = cursor.as_ref().and_then(|cursor| cursor.found);
        let after = arguments.since_seq.or(found).unwrap_or(0);
        // Whatever changes from here on comes with the next export.
        let until = store.newest_change()?.max(after);
        Ok(Self {
            path: path.to_owned(),
            store,
            extent: Extent { what, tenants, until },
            after,
            incremental: arguments.since_seq.is_some() || cursor.is_some(),
            format: Format::of(arguments.format, arguments.out.as_deref()),
            raw_csv: arguments.raw_csv,
            schema: arguments.schema(what)?,
            cursor,
        })
    }

    fn write_stdout(&mut self) -> Result<Exit, Problem> {
        let csv = CsvForm { raw: self.raw_csv, on_terminal: io::stdout().is_terminal() };
        match self.write(csv, Box::new(BufWriter::with_capacity(PIECE, io::stdout()))) {
            Ok(rows) => {
                let moved = self.move_cursor("what was written")?;
                tell(&format!("{}{moved}", self.count(rows)));
                Ok(Exit::Done)
            }
            Err(Failure::Store(error)) => Err(error.into()),
            Err(Failure::Output(error)) if error.kind() == ErrorKind::BrokenPipe => {
                if let Some(cursor) = &self.cursor {
                    tell(&format!("the reader went away; the cursor {} stays at {}", cursor.name, self.after));
                }
                Ok(Exit::Done)
            }
            Err(Failure::Output(error)) => {
                Err(Problem::new(Exit::Io, format!("cannot write to standard output: {error}")))
            }
        }
    }

    fn write_file(&mut self, target: &Path, partial: &Path) -> Result<Exit, Problem> {
        let draft = Draft::begin(partial)?;
        let out = BufWriter::with_capacity(PIECE, draft.file()?);
        let csv = CsvForm { raw: self.raw_csv, on_terminal: false };
        let rows = self.write(csv, Box::new(out)).map_err(|failure| match failure {
            Failure::Store(error) => error.into(),
            Failure::Output(error) => unwritten(target, &error),
        })?;
        let file = target.display();
        if rows == 0 && self.incremental {
            drop(draft);
            let kept = if target.exists() { "is left as it is" } else { "is not made" };
            let moved = self.move_cursor("nothing that was exported")?;
            tell(&format!("{}; {file} {kept}{moved}", self.count(rows)));
            return Ok(Exit::Done);
        }
        // A file from where the cursor was would take the place of one that another run has made since.
        self.refuse_if_moved()?;
        draft.publish(target)?;
        let moved = self.move_cursor(&file.to_string())?;
        tell(&format!("{}, written to {file}{moved}", self.count(rows)));
        Ok(Exit::Done)
    }

    /// Writes all rows; how many.
    fn write(&self, csv: CsvForm, out: Out) -> Result<u64, Failure> {
        let bar = self.progress_bar(csv.on_terminal);
        let written = self.write_pages(csv, out, &bar);
        bar.finish_and_clear();
        written
    }

    fn write_pages(&self, csv: CsvForm, out: Out, bar: &ProgressBar) -> Result<u64, Failure> {
        let mut page = self.store.page(&self.extent, self.after).map_err(Failure::Store)?;
        let names = page.names.clone();
        let mut encoder = Encoder::begin(self.format, csv, self.schema, &names, out).map_err(Failure::Output)?;
        let mut rows = 0;
        loop {
            for row in &page.rows {
                encoder.row(row).map_err(Failure::Output)?;
                rows += 1;
            }
            bar.set_position(u64::try_from(page.through - self.after).unwrap_or(0));
            bar.set_message(format!("{rows} {}", self.rows_called()));
            if page.through >= self.extent.until {
                break;
            }
            page = self.store.page(&self.extent, page.through).map_err(Failure::Store)?;
            if page.names != names {
                let detail = "its columns changed during the export; run it again".to_owned();
                return Err(Failure::Store(StoreError::Unopened {
                    path: self.path.clone(),
                    detail,
                    permission: false,
                }));
            }
        }
        encoder.finish().map_err(Failure::Output)?;
        Ok(rows)
    }

    fn progress_bar(&self, among_rows: bool) -> ProgressBar {
        // Drawn on standard error, only where that is a terminal, and never among rows that are shown on it.
        let target = if among_rows { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let changes = u64::try_from(self.extent.until - self.after).unwrap_or(0);
        let bar = ProgressBar::with_draw_target(Some(changes), target);
        let style = ProgressStyle::with_template("{bar:30} {percent}%  {elapsed}  {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar
    }

    fn rows_called(&self) -> &'static str {
        match self.extent.what {
            Exported::Alerts => "alerts",
            Exported::Evidence => "entities of evidence",
            Exported::Changes => "changes",
        }
    }

    fn count(&self, rows: u64) -> String {
        let until = self.extent.until;
        format!("{rows} {} after seq {} up to seq {until}", self.rows_called(), self.after)
    }

    fn refuse_if_moved(&self) -> Result<(), Problem> {
        let Some(cursor) = &self.cursor else { return Ok(()) };
        let now = cursor.door.at(self.extent.what, cursor.name)?;
        if now == cursor.found { Ok(()) } else { Err(self.moved_by_another(now, "nothing")) }
    }

    /// Moves the cursor, if there is one, now that all is written; what to say of it.
    fn move_cursor(&mut self, written: &str) -> Result<String, Problem> {
        let (what, until) = (self.extent.what, self.extent.until);
        let Some(cursor) = &mut self.cursor else { return Ok(String::new()) };
        if cursor.found == Some(until) {
            return Ok(format!("; the cursor {} stays at {until}", cursor.name));
        }
        let moved = cursor.door.advance(what, cursor.name, cursor.found, until).map_err(|error| {
            let note =
                format!("the cursor {} stays at {}, and of this export {written} stays", cursor.name, self.after);
            Problem::from(error).and(&note)
        })?;
        if !moved {
            let now = cursor.door.at(what, cursor.name)?;
            return Err(self.moved_by_another(now, written));
        }
        Ok(format!("; the cursor {} moved to {until}", cursor.name))
    }

    fn moved_by_another(&self, now: Option<i64>, written: &str) -> Problem {
        let name = self.cursor.as_ref().map_or("", |cursor| cursor.name);
        let now = now.map_or("was forgotten".to_owned(), |seq| format!("was moved to {seq}"));
        let (after, until) = (self.after, self.extent.until);
        let message = format!(
            "the cursor {name} {now} by another export or command meanwhile, and stays so; this one began after seq \
             {after}, and of it {written} stays, up to seq {until}"
        );
        Problem::new(Exit::Temporary, message)
    }
}

impl<'a> Cursor<'a> {
    /// Finds out where the cursor stands and that it can be moved, before anything is written.
    fn find(path: &Path, what: Exported, name: &'a str) -> Result<Self, Problem> {
        let door = cursor::open(path)?;
        let found = door.at(what, name)?;
        Ok(Self { door, name, found })
    }
}

/// The tenants that are wanted; nothing for all.
fn tenants(store: &Reading, arguments: &Arguments) -> Result<Option<Vec<TenantKey>>, Problem> {
    let filter = TenantFilter { ids: select::tenants_called(store, &arguments.tenant)?, tags: arguments.tag.clone() };
    let found = store.tenants_among(&filter)?;
    if found.as_ref().is_some_and(Vec::is_empty) {
        let message = "no tenant in the store fits --tenant and --tag; `alertferry tenant list` shows their labels";
        return Err(Problem::new(Exit::Usage, message));
    }
    Ok(found)
}

/// Says how it ended, on standard error, if anybody listens there.
fn tell(text: &str) {
    drop(writeln!(io::stderr(), "alertferry: {text}"));
}
