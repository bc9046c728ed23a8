//! Owns the list of what was found wrong while reading, and where each thing stands.

use std::path::{Path, PathBuf};

use super::error::{ConfigError, ConfigErrors};
use super::text::FileText;

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum At {
    /// From byte `start` to `end` of the file with this number.
    Span { file: usize, start: usize, end: usize },
    /// In a file or directory as a whole.
    Path(PathBuf),
    /// In the environment.
    Environment,
    /// In the built-in defaults.
    Default,
}

impl At {
    /// The form that travels through the layering as a value's origin.
    pub(super) fn to_origin(&self) -> Option<String> {
        match self {
            Self::Span { file, start, end } => Some(format!("{file} {start} {end}")),
            Self::Path(_) | Self::Environment | Self::Default => None,
        }
    }

    /// Reads an origin back. The layering crate writes its own word for values out of the environment.
    pub(super) fn from_origin(origin: Option<&str>) -> Self {
        let Some(origin) = origin else { return Self::Default };
        let mut numbers = origin.split(' ').map(str::parse::<usize>);
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(Ok(file)), Some(Ok(start)), Some(Ok(end))) => Self::Span { file, start, end },
            _ => Self::Environment,
        }
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) at: At,
}

/// All files read so far, and everything found wrong in them.
#[derive(Debug, Default)]
pub(super) struct Report {
    files: Vec<FileText>,
    problems: Vec<Problem>,
}

/// One thing found wrong, before its place is turned into line and column.
#[derive(Debug)]
pub(super) struct Problem {
    at: At,
    key: String,
    message: String,
    help: Option<String>,
    unparsed: bool,
    denied: bool,
}

impl Problem {
    /// Adds what to do about it.
    pub(super) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Says that the file could not be parsed here, so that nothing is known about which of its parts are secret.
    pub(super) fn unparsed(&mut self) -> &mut Self {
        self.unparsed = true;
        self
    }

    /// Says that this user may not read it.
    pub(super) fn denied(&mut self) -> &mut Self {
        self.denied = true;
        self.help("run it as root, as the daemon's user, or as a member of its group")
    }
}

impl Report {
    /// Takes a file in and returns its number.
    pub(super) fn add_file(&mut self, file: FileText) -> usize {
        self.files.push(file);
        self.files.len() - 1
    }

    /// Notes something wrong.
    pub(super) fn error(&mut self, at: &At, key: impl Into<String>, message: impl Into<String>) -> &mut Problem {
        let (key, message) = (key.into(), message.into());
        let problem = Problem { at: at.clone(), key, message, help: None, unparsed: false, denied: false };
        self.problems.push(problem);
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    /// Keeps what stands at `at` out of every excerpt: it may be a secret.
    pub(super) fn hide(&mut self, at: &At) {
        if let At::Span { file, start, end } = at
            && let Some(file) = self.files.get_mut(*file)
        {
            file.hide(*start..*end);
        }
    }

    /// The directory that relative paths written at `at` start from.
    pub(super) fn directory(&self, at: &At) -> PathBuf {
        let file = match at {
            At::Span { file, .. } => self.files.get(*file).map(FileText::path),
            At::Path(_) | At::Environment | At::Default => None,
        };
        file.and_then(Path::parent).map(Path::to_owned).unwrap_or_default()
    }

    /// A short `file:line` for a message about another place.
    pub(super) fn name(&self, at: &At) -> String {
        match at {
            At::Span { file, start, .. } => self.files.get(*file).map_or_else(String::new, |file| {
                let (line, _) = file.line_and_column(*start);
                format!("{}:{line}", file.path().display())
            }),
            At::Path(path) => path.display().to_string(),
            At::Environment => "environment".to_owned(),
            At::Default => "the defaults".to_owned(),
        }
    }

    /// Whether nothing was found wrong.
    pub(super) const fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// The files that were read.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.files.iter().map(|file| file.path().to_owned()).collect()
    }

    /// Everything that was found wrong, in the order of files and lines.
    pub(super) fn into_errors(mut self) -> ConfigErrors {
        let mut problems = std::mem::take(&mut self.problems);
        problems.sort_by_key(|problem| match &problem.at {
            At::Span { file, start, .. } => (*file, *start),
            At::Path(_) | At::Environment | At::Default => (usize::MAX, 0),
        });
        ConfigErrors(problems.into_iter().map(|problem| self.locate(problem)).collect())
    }

    fn locate(&self, problem: Problem) -> ConfigError {
        let Problem { at, key, message, help, unparsed, denied } = problem;
        // Messages repeat what was written, and what was written could steer the terminal that shows them.
        let [key, message] = [key, message].map(|text| text.replace(char::is_control, " "));
        let mut error =
            ConfigError { file: PathBuf::new(), line: None, column: None, key, message, help, excerpt: None, denied };
        match at {
            At::Span { file, start, end } => {
                if let Some(file) = self.files.get(file) {
                    let (line, column) = file.line_and_column(start);
                    file.path().clone_into(&mut error.file);
                    error.line = Some(line);
                    error.column = Some(column);
                    error.excerpt = file.excerpt(start..end, unparsed);
                }
            }
            At::Path(path) => error.file = path,
            At::Environment => {
                error.file = PathBuf::from("environment");
                error.key = super::environment::variable(&error.key);
            }
            At::Default => error.file = PathBuf::from("defaults"),
        }
        error
    }
}
