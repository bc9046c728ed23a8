//! Owns the look at the environment: settings, secrets and the directory of systemd's credentials.
//!
//! The environment is looked at once; everybody else gets what was seen then.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use config::Map;

use super::keys::{self, Key, Kind, MAIN};
use super::report::{At, Report};

/// What every variable that sets something begins with.
const PREFIX: &str = "ALERTFERRY__";

/// What stands between section and key.
const SEPARATOR: &str = "__";

/// The environment as it was when the program started.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
    /// Whether this is somebody's shell, and not the daemon's unit that hands secrets over.
    by_hand: bool,
}

/// Where the daemon's unit has its credentials; systemd lets its user and root look there while it runs.
const UNIT_CREDENTIALS: &str = "/run/credentials/alertferry.service";

/// Names only: the values may be secrets.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

impl<K: Into<OsString>, V: Into<OsString>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { variables, by_hand: false }
    }
}

/// Why a variable gives no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoText {
    Unset,
    Empty,
    NotUnicode,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// The same for a command that somebody runs by hand: the unit's credentials are where the unit has them, and a
    /// secret that only the unit's environment has is missed when it is needed, not before.
    #[must_use]
    pub fn by_hand(mut self) -> Self {
        self.by_hand = true;
        self
    }

    /// Whether secrets of the environment may be missing.
    pub(super) const fn is_by_hand(&self) -> bool {
        self.by_hand
    }

    /// The text of a variable.
    pub(super) fn text(&self, name: &str) -> Result<&str, NoText> {
        match self.variables.get(std::ffi::OsStr::new(name)).map(|value| value.to_str()) {
            None => Err(NoText::Unset),
            Some(None) => Err(NoText::NotUnicode),
            Some(Some("")) => Err(NoText::Empty),
            Some(Some(text)) => Ok(text),
        }
    }

    /// Where systemd put the credentials of this service.
    pub(super) fn credentials_directory(&self) -> Option<PathBuf> {
        let named = self.variables.get(std::ffi::OsStr::new("CREDENTIALS_DIRECTORY")).filter(|path| !path.is_empty());
        named.map(PathBuf::from).or_else(|| self.by_hand.then(|| PathBuf::from(UNIT_CREDENTIALS)))
    }

    /// The variables that set something; those that try and cannot are reported.
    ///
    /// Only single values of sections can be set: the layering writes the names of variables in lower case, so that a
    /// variable meant for `[app.Contoso]` would quietly make a second app `contoso`.
    pub(super) fn overrides(&self, report: &mut Report) -> Map<String, String> {
        let mut overrides = Map::new();
        for (name, value) in &self.variables {
            let name = name.to_string_lossy();
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            let path = rest.to_ascii_lowercase().replace(SEPARATOR, ".");
            match (allowed(&path), value.to_str()) {
                (Err(Refusal::Unknown { name, known }), _) => {
                    keys::unknown(report, &At::Environment, &path, &name, &known);
                }
                (Err(Refusal::NotSingle), _) => {
                    report
                        .error(&At::Environment, &path, "apps and tenants cannot be set by environment variables")
                        .help("write them into the file, or into a file in conf.d or tenants.d");
                }
                (Ok(()), None) => drop(report.error(&At::Environment, &path, "the value is not UTF-8")),
                (Ok(()), Some(value)) => drop(overrides.insert(name.to_ascii_lowercase(), value.to_owned())),
            }
        }
        overrides
    }

    /// The layer made of these variables.
    pub(super) fn layer(overrides: Map<String, String>) -> config::Environment {
        let prefix = PREFIX.trim_end_matches('_').to_ascii_lowercase();
        config::Environment::with_prefix(&prefix)
            .prefix_separator(SEPARATOR)
            .separator(SEPARATOR)
            .source(Some(overrides))
    }
}

/// The variable that sets the key at `path`.
pub(super) fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.to_ascii_uppercase().replace('.', SEPARATOR))
}

/// Why a variable cannot set the key it names.
enum Refusal {
    Unknown { name: String, known: Vec<&'static str> },
    NotSingle,
}

fn allowed(path: &str) -> Result<(), Refusal> {
    let mut keys: &[Key] = MAIN;
    let mut parts = path.split('.').peekable();
    while let Some(part) = parts.next() {
        let Some(found) = keys.iter().find(|key| key.name == part) else {
            return Err(Refusal::Unknown { name: part.to_owned(), known: keys.iter().map(|key| key.name).collect() });
        };
        match (&found.kind, parts.peek()) {
            (Kind::Section(inner), Some(_)) => keys = inner,
            (Kind::Text | Kind::Integer | Kind::Boolean, None) => return Ok(()),
            (Kind::Section(inner), None) => {
                return Err(Refusal::Unknown {
                    name: String::new(),
                    known: inner.iter().map(|key| key.name).collect(),
                });
            }
            (Kind::Text | Kind::Integer | Kind::Boolean, Some(more)) => {
                return Err(Refusal::Unknown { name: (*more).to_owned(), known: vec![found.name] });
            }
            (
                Kind::Named(_)
                | Kind::Tables(_)
                | Kind::Texts
                | Kind::Secret
                | Kind::Certificate
                | Kind::FederatedToken
                | Kind::Credentials,
                _,
            ) => return Err(Refusal::NotSingle),
        }
    }
    Err(Refusal::NotSingle)
}

/// Whether colours may be shown on a terminal: they may, unless `NO_COLOR` is set to anything or the terminal is dumb.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "settings are one of the two doors to the environment")]
pub fn colour_allowed() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    !dumb && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
