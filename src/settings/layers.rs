//! Owns which files are read and how they lie on each other: defaults, the file, `conf.d`, the environment.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use config::{Config, ConfigError, Map, Source, Value, ValueKind};
use toml::de::DeTable;

use super::addition::Addition;
use super::environment::Environment;
use super::keys::{Key, MAIN, TENANTS, Walk};
use super::report::{At, Report};
use super::sections::DEFAULTS;
use super::table::Table;
use super::tenant_csv;
use super::text::FileText;

/// The largest file that is read; ten thousand tenants need about two megabytes.
const MAX_FILE_BYTES: u64 = 32 * 1024 * 1024;

/// Everything read, each value with its place.
#[derive(Debug)]
pub(super) struct Layers {
    merged: Map<String, Value>,
    /// Where each app is first named.
    headers: BTreeMap<String, At>,
    /// The tenants of all files; they add up, where anything else replaces.
    pub(super) tenants: Vec<Table>,
}

impl Layers {
    /// Reads all files beside `main` and lays them on each other; an addition is read as if it lay in `tenants.d`.
    ///
    /// `None` when a file could not be read or parsed: what it would have said is unknown, so nothing can be said about
    /// the whole.
    pub(super) fn read(
        main: &Path,
        addition: Option<&Addition>,
        environment: &Environment,
        report: &mut Report,
    ) -> Option<Self> {
        let mut reading =
            Reading { report, files: Vec::new(), headers: BTreeMap::new(), tenants: Vec::new(), broken: false };
        reading.file(main, MAIN);
        let beside = main.parent().unwrap_or_else(|| Path::new(""));
        for path in reading.directory(&beside.join("conf.d"), &["toml"]) {
            reading.file(&path, MAIN);
        }
        for path in reading.directory(&beside.join("tenants.d"), &["toml", "csv"]) {
            reading.tenants(&path);
        }
        if let Some(Addition { path, text }) = addition {
            let number = reading.report.add_file(FileText::new(path.clone(), text.clone()));
            reading.parse_tenants(path, number, text);
        }
        let Reading { files, headers, tenants, broken, .. } = reading;
        let overrides = environment.overrides(report);
        let merged = merge(files, Environment::layer(overrides));
        match merged {
            Ok(merged) => (!broken).then_some(Self { merged, headers, tenants }),
            Err(error) => {
                report.error(&At::Path(main.to_owned()), "", error.to_string());
                None
            }
        }
    }

    /// A section; an empty one when nothing sets anything in it.
    pub(super) fn section(&self, name: &'static str) -> Table {
        let found = self.merged.get(name).cloned().and_then(|value| Table::new(value, name.to_owned()));
        found.unwrap_or_else(|| Table { at: At::Default, path: name.to_owned(), values: Map::new() })
    }

    /// The apps by name, each laid together from all files.
    pub(super) fn apps(&self) -> BTreeMap<String, Table> {
        let named = self.section("app").values.into_iter();
        let table = |(name, value): (String, Value)| {
            let mut table = Table::new(value, format!("app.{name}"))?;
            // The layering keeps the places of values, not of the tables around them.
            table.at = self.headers.get(&name).cloned().unwrap_or(At::Default);
            Some((name, table))
        };
        named.filter_map(table).collect()
    }
}

fn merge(files: Vec<Layer>, environment: config::Environment) -> Result<Map<String, Value>, ConfigError> {
    let mut builder = Config::builder();
    for (key, value) in DEFAULTS {
        builder = builder.set_default(*key, *value)?;
    }
    for file in files {
        builder = builder.add_source(file);
    }
    builder.add_source(environment).build()?.cache.into_table()
}

/// One file's values as a source of the layering.
#[derive(Debug, Clone)]
struct Layer(Map<String, Value>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

struct Reading<'a> {
    report: &'a mut Report,
    files: Vec<Layer>,
    headers: BTreeMap<String, At>,
    tenants: Vec<Table>,
    broken: bool,
}

impl Reading<'_> {
    fn file(&mut self, path: &Path, keys: &'static [Key]) {
        if let Some((number, text)) = self.text(path) {
            self.toml(keys, number, &text);
        }
    }

    /// A file of `tenants.d`.
    fn tenants(&mut self, path: &Path) {
        if let Some((number, text)) = self.text(path) {
            self.parse_tenants(path, number, &text);
        }
    }

    fn parse_tenants(&mut self, path: &Path, number: usize, text: &str) {
        if path.extension() == Some(OsStr::new("csv")) {
            let tenants = tenant_csv::read(text, number, self.report);
            self.tenants.extend(tenants);
        } else {
            self.toml(TENANTS, number, text);
        }
    }

    fn toml(&mut self, keys: &'static [Key], number: usize, text: &str) {
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let span = error.span().unwrap_or_default();
            let at = At::Span { file: number, start: span.start, end: span.end };
            self.report.error(&at, "", format!("this is no TOML: {}", error.message())).unparsed();
        }
        if !errors.is_empty() {
            self.broken = true;
            return;
        }
        let mut values = Walk { report: self.report, file: number }.table(table.get_ref(), keys, "");
        if let Some(ValueKind::Array(tenants)) = values.remove("tenant").map(|value| value.kind) {
            self.tenants.extend(tenants.into_iter().filter_map(|value| Table::new(value, "tenant".to_owned())));
        }
        if let Some(ValueKind::Table(apps)) = values.get("app").map(|value| &value.kind) {
            for (name, app) in apps {
                self.headers.entry(name.clone()).or_insert_with(|| At::from_origin(app.origin()));
            }
        }
        self.files.push(Layer(values));
    }

    /// Reads a file and takes it into the report.
    fn text(&mut self, path: &Path) -> Option<(usize, String)> {
        let text = match read_text(path) {
            Ok(text) => text,
            Err(Unread { message, denied }) => {
                self.broken = true;
                let problem = self.report.error(&At::Path(path.to_owned()), "", message);
                if denied {
                    problem.denied();
                }
                return None;
            }
        };
        let number = self.report.add_file(FileText::new(path.to_owned(), text.clone()));
        Some((number, text))
    }

    /// The files of a directory with one of these extensions; no directory is none.
    fn directory(&mut self, path: &Path, extensions: &[&str]) -> Vec<PathBuf> {
        match list(path, extensions) {
            Ok(files) => files,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                self.broken = true;
                let message = format!("cannot read the directory: {error}");
                let problem = self.report.error(&At::Path(path.to_owned()), "", message);
                if error.kind() == ErrorKind::PermissionDenied {
                    problem.denied();
                }
                Vec::new()
            }
        }
    }
}

/// The files in the order of their names; hidden ones are an editor's business.
fn list(path: &Path, extensions: &[&str]) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        let fits = extensions.iter().any(|extension| path.extension() == Some(OsStr::new(extension)));
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if fits && !hidden && !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Why a file cannot be read.
struct Unread {
    message: String,
    /// Whether this user may not.
    denied: bool,
}

impl Unread {
    fn because(message: String) -> Self {
        Self { message, denied: false }
    }

    fn of(doing: &str, error: &std::io::Error) -> Self {
        let denied = error.kind() == ErrorKind::PermissionDenied;
        // Only the main file is opened without having been found before.
        let hint = if error.kind() == ErrorKind::NotFound { "; `--config` names another" } else { "" };
        Self { message: format!("cannot {doing} the file: {error}{hint}"), denied }
    }
}

fn read_text(path: &Path) -> Result<String, Unread> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| Unread::of("open", &error))?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| Unread::of("read", &error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_FILE_BYTES {
        return Err(Unread::because(format!("the file is larger than {MAX_FILE_BYTES} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = memchr::memchr_iter(b'\n', good).count() + 1;
        Unread::because(format!("line {line} is not UTF-8; save the file as UTF-8"))
    })
}
