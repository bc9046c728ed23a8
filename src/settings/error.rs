//! Owns what is told about a configuration that cannot be used: everything at once, each with its place.

use std::fmt;
use std::path::PathBuf;

/// How many errors are printed; one wrong column in a list of ten thousand tenants is understood sooner.
const MAX_PRINTED: usize = 50;

/// Everything that is wrong with a configuration, in the order of files and lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The file it stands in, or the word `environment`.
    pub file: PathBuf,
    /// Its line, counted from 1.
    pub line: Option<usize>,
    /// Its column in characters, counted from 1.
    pub column: Option<usize>,
    /// The key at fault, for example `poll.overlap` or `tenant.region`; empty when the whole file is.
    pub key: String,
    /// What is wrong. Never holds a secret.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The line as written, with anything that may be a secret left out.
    pub excerpt: Option<Excerpt>,
    /// Whether this user may not read it, so that nothing is known about what it says.
    pub denied: bool,
}

/// A line of a file with the part at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line, without control characters and secrets.
    pub text: String,
    /// How many characters stand before the part at fault.
    pub before: usize,
    /// How many characters are at fault.
    pub width: usize,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{number}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)?;
        if let (Some(excerpt), Some(line)) = (&self.excerpt, self.line) {
            let margin = line.to_string().len();
            write!(f, "\n  {line} | {}", excerpt.text)?;
            write!(
                f,
                "\n  {:margin$} | {:before$}{}",
                "",
                "",
                "^".repeat(excerpt.width.max(1)),
                before = excerpt.before
            )?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().take(MAX_PRINTED).enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        match self.0.len().saturating_sub(MAX_PRINTED) {
            0 => Ok(()),
            more => write!(f, "\n… and {more} more"),
        }
    }
}

impl std::error::Error for ConfigErrors {}
impl std::error::Error for ConfigError {}
