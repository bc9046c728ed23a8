//! Owns the list of all keys, and holds a file against it.
//!
//! A file is walked once: what is unknown or of the wrong type is reported where it stands, and the rest becomes values
//! that carry their place with them through the layering.

use config::{Map, Value, ValueKind};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::report::{At, Report};
use super::suggest;

/// One key: its name and what it takes.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

/// What a key takes.
#[derive(Debug)]
pub(super) enum Kind {
    Text,
    Integer,
    Boolean,
    Texts,
    /// Where a secret is found; never the secret itself.
    Secret,
    /// Where a certificate and its key are found.
    Certificate,
    /// Where a federated token is found.
    FederatedToken,
    /// Any of these three, in the order in which they are tried.
    Credentials,
    /// A section, `[name]`.
    Section(&'static [Key]),
    /// Sections with names of the operator's choice, `[name.NAME]`.
    Named(&'static [Key]),
    /// Any number of tables, `[[name]]`.
    Tables(&'static [Key]),
}

pub(super) const fn key(name: &'static str, kind: Kind) -> Key {
    Key { name, kind }
}

/// What a main file and a file in `conf.d` may hold.
pub(super) const MAIN: &[Key] = &[
    key("store", Kind::Section(&[key("path", Kind::Text)])),
    key("app", Kind::Named(APP)),
    key("network", Kind::Section(NETWORK)),
    key("poll", Kind::Section(POLL)),
    key("tenant", Kind::Tables(TENANT)),
    key("retention", Kind::Section(RETENTION)),
    key("admin", Kind::Section(ADMIN)),
    key("log", Kind::Section(&[key("level", Kind::Text), key("format", Kind::Text), key("history", Kind::Boolean)])),
];

/// What a file in `tenants.d` may hold.
pub(super) const TENANTS: &[Key] = &[key("tenant", Kind::Tables(TENANT))];

const APP: &[Key] = &[
    key("client_id", Kind::Text),
    key("cloud", Kind::Text),
    key("secret", Kind::Secret),
    key("certificate", Kind::Certificate),
    key("federated_token", Kind::FederatedToken),
    key("credentials", Kind::Credentials),
    key("token_endpoint", Kind::Text),
    key("audience", Kind::Text),
    key("login_url", Kind::Text),
    key("api_url", Kind::Text),
    key("allow_custom_hosts", Kind::Boolean),
];

const NETWORK: &[Key] = &[
    key("ca_file", Kind::Text),
    key("proxy", Kind::Text),
    key("proxy_credentials", Kind::Secret),
    key("no_proxy", Kind::Text),
];

const POLL: &[Key] = &[
    key("schedule", Kind::Text),
    key("overlap", Kind::Text),
    key("backfill", Kind::Text),
    key("sweep", Kind::Text),
    key("max_concurrent_tenants", Kind::Integer),
    key("page_size", Kind::Integer),
    key("request_timeout", Kind::Text),
];

const ADMIN: &[Key] =
    &[key("listen", Kind::Text), key("allow_remote", Kind::Boolean), key("tenant_series_limit", Kind::Integer)];

const RETENTION: &[Key] = &[
    key("default", Kind::Text),
    key("high", Kind::Text),
    key("medium", Kind::Text),
    key("low", Kind::Text),
    key("informational", Kind::Text),
    key("unspecified", Kind::Text),
    key("open", Kind::Boolean),
];

/// The keys of one tenant.
pub(super) const TENANT: &[Key] = &[
    key("id", Kind::Text),
    key("name", Kind::Text),
    key("region", Kind::Text),
    key("app", Kind::Text),
    key("tags", Kind::Texts),
    key("enabled", Kind::Boolean),
    key("login_url", Kind::Text),
    key("api_url", Kind::Text),
];

/// The keys of a main file, such as `poll.overlap`, `app.NAME.secret` and `tenant.id`.
#[must_use]
pub fn key_paths() -> Vec<String> {
    let mut found = Vec::new();
    collect(MAIN, "", &mut found);
    found
}

fn collect(keys: &[Key], path: &str, found: &mut Vec<String>) {
    for key in keys {
        let path = join(path, key.name);
        match &key.kind {
            Kind::Section(keys) | Kind::Tables(keys) => collect(keys, &path, found),
            Kind::Named(keys) => collect(keys, &join(&path, "NAME"), found),
            Kind::Text
            | Kind::Integer
            | Kind::Boolean
            | Kind::Texts
            | Kind::Secret
            | Kind::Certificate
            | Kind::FederatedToken
            | Kind::Credentials => found.push(path),
        }
    }
}

/// Reports a key that does not exist. Its value is hidden: a mistyped `secret` is an unknown key too.
pub(super) fn unknown(report: &mut Report, at: &At, path: &str, name: &str, known: &[&'static str]) {
    let list = known.join(", ");
    let problem = report.error(at, path, "there is no such key");
    match suggest::nearest(name, known.iter().copied()) {
        Some(meant) => problem.help(format!("did you mean `{meant}`?")),
        None => problem.help(format!("the keys here are {list}")),
    };
}

/// Walks one file.
pub(super) struct Walk<'a> {
    pub(super) report: &'a mut Report,
    pub(super) file: usize,
}

impl Walk<'_> {
    /// Reports what does not fit `keys` and returns what does.
    pub(super) fn table(&mut self, table: &DeTable<'_>, keys: &'static [Key], path: &str) -> Map<String, Value> {
        let mut fitting = Map::new();
        for (name, value) in table {
            let path = join(path, name.get_ref());
            match keys.iter().find(|key| key.name == name.get_ref().as_ref()) {
                Some(key) => {
                    fitting.insert(key.name.to_owned(), self.value(value, &key.kind, &path));
                }
                None => {
                    let known: Vec<_> = keys.iter().map(|key| key.name).collect();
                    unknown(self.report, &self.at(&name.span()), &path, name.get_ref(), &known);
                    let at = self.at(&value.span());
                    // A section's own span is its header, which is shown.
                    if !value.get_ref().is_table() || is_inline(&name.span(), &value.span()) {
                        self.report.hide(&at);
                    }
                    self.hide_texts(value.get_ref());
                }
            }
        }
        fitting
    }

    /// The value when it fits; a void with the same place, reported, when it does not.
    pub(super) fn value(&mut self, value: &Spanned<DeValue<'_>>, kind: &Kind, path: &str) -> Value {
        let at = self.at(&value.span());
        let origin = at.to_origin();
        let fits = |kind: ValueKind| Value::new(origin.as_ref(), kind);
        match (kind, value.get_ref()) {
            (Kind::Text, DeValue::String(text)) => fits(ValueKind::String(text.clone().into_owned())),
            (Kind::Boolean, DeValue::Boolean(yes)) => fits(ValueKind::Boolean(*yes)),
            (Kind::Integer, DeValue::Integer(number)) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => fits(ValueKind::I64(number)),
                Err(_) => self.misfit(&at, path, "this number is too large"),
            },
            (Kind::Texts, DeValue::Array(items)) => {
                let texts = items.iter().map(|item| self.value(item, &Kind::Text, path)).collect();
                fits(ValueKind::Array(texts))
            }
            (Kind::Secret, found) => self.secret(&at, found, path),
            (Kind::Certificate, found) => self.certificate(&at, found, path),
            (Kind::FederatedToken, found) => self.federated_token(&at, found, path),
            (Kind::Credentials, found) => self.credentials(&at, found, path),
            (Kind::Section(keys), DeValue::Table(table)) => fits(ValueKind::Table(self.table(table, keys, path))),
            (Kind::Named(keys), DeValue::Table(table)) => {
                let mut named = Map::new();
                for (name, value) in table {
                    let path = join(path, name.get_ref());
                    let section = self.value(value, &Kind::Section(keys), &path);
                    named.insert(name.get_ref().clone().into_owned(), section);
                }
                fits(ValueKind::Table(named))
            }
            (Kind::Tables(keys), DeValue::Array(items)) => {
                let tables = items.iter().map(|item| self.value(item, &Kind::Section(keys), path)).collect();
                fits(ValueKind::Array(tables))
            }
            (kind, found) => {
                let wanted = wanted(kind);
                self.hide_texts(found);
                self.misfit(&at, path, &format!("this is of type {}; it must be {wanted}", found.type_str()))
            }
        }
    }

    pub(super) fn misfit(&mut self, at: &At, path: &str, message: &str) -> Value {
        self.report.error(at, path, message);
        Value::new(at.to_origin().as_ref(), ValueKind::Nil)
    }

    /// Hides every text inside `value`.
    pub(super) fn hide_texts(&mut self, value: &DeValue<'_>) {
        let inner: Vec<&Spanned<DeValue<'_>>> = match value {
            DeValue::Array(items) => items.iter().collect(),
            DeValue::Table(table) => table.iter().map(|(_, value)| value).collect(),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => return,
        };
        for item in inner {
            if item.get_ref().is_str() {
                let at = self.at(&item.span());
                self.report.hide(&at);
            }
            self.hide_texts(item.get_ref());
        }
    }

    pub(super) fn at(&self, span: &std::ops::Range<usize>) -> At {
        At::Span { file: self.file, start: span.start, end: span.end }
    }
}

fn wanted(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text => "a text in quotes",
        Kind::Integer => "a whole number",
        Kind::Boolean => "true or false",
        Kind::Texts => "a list of texts, like [\"gold\", \"eu\"]",
        Kind::Secret => "the place of a secret",
        Kind::Certificate => "the place of a certificate",
        Kind::FederatedToken => "the place of a federated token",
        Kind::Credentials => "a list of credentials",
        Kind::Section(_) => "a section",
        Kind::Named(_) => "a section with a name, like [app.main]",
        Kind::Tables(_) => "a list of tables; write [[tenant]] with two brackets",
    }
}

fn is_inline(name: &std::ops::Range<usize>, value: &std::ops::Range<usize>) -> bool {
    value.start >= name.end
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
