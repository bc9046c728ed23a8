//! Owns reading single values out of a table whose values carry their places.

use config::{Map, Value, ValueKind};

use super::report::{At, Found, Report};

/// One table: a section, an app or a tenant.
#[derive(Debug)]
pub(super) struct Table {
    /// Where it stands, for what is missing in it.
    pub(super) at: At,
    /// Its path, for messages.
    pub(super) path: String,
    /// Its values; a void stands for one that was wrong and is already reported.
    pub(super) values: Map<String, Value>,
}

impl Table {
    /// The table in `value`, if it is one.
    pub(super) fn new(value: Value, path: String) -> Option<Self> {
        let at = At::from_origin(value.origin());
        let ValueKind::Table(values) = value.kind else { return None };
        Some(Self { at, path, values })
    }

    /// The path of a key in it.
    pub(super) fn path_of(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    /// The text of a key.
    pub(super) fn text(&self, key: &str) -> Option<Found<String>> {
        let value = self.values.get(key)?;
        let ValueKind::String(text) = &value.kind else { return None };
        Some(Found { value: text.clone(), at: At::from_origin(value.origin()) })
    }

    /// The text of a key that must be there and not be empty.
    pub(super) fn required(&self, key: &str, report: &mut Report) -> Option<Found<String>> {
        let found = self.text(key);
        match &found {
            None if !self.values.contains_key(key) => {
                report.error(&self.at, self.path_of(key), format!("`{key}` is missing"));
            }
            Some(empty) if empty.value.is_empty() => {
                report.error(&empty.at, self.path_of(key), "this is empty");
                return None;
            }
            Some(_) | None => {}
        }
        found
    }

    /// The text of a key, turned into something else; what cannot be turned is reported.
    pub(super) fn parsed<T>(
        &self,
        key: &str,
        report: &mut Report,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Found<T>> {
        let Found { value, at } = self.text(key)?;
        match parse(&value) {
            Ok(value) => Some(Found { value, at }),
            Err(message) => {
                report.error(&at, self.path_of(key), message);
                None
            }
        }
    }

    /// The texts of a list.
    pub(super) fn texts(&self, key: &str) -> Vec<Found<String>> {
        let Some(ValueKind::Array(items)) = self.values.get(key).map(|value| &value.kind) else { return Vec::new() };
        let text = |item: &Value| {
            let ValueKind::String(text) = &item.kind else { return None };
            Some(Found { value: text.clone(), at: At::from_origin(item.origin()) })
        };
        items.iter().filter_map(text).collect()
    }

    /// Yes or no. Environment variables and CSV cells write it as text.
    pub(super) fn boolean(&self, key: &str, report: &mut Report) -> Option<bool> {
        if let ValueKind::Boolean(yes) = self.values.get(key)?.kind {
            return Some(yes);
        }
        let parse = |text: &str| match text.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(format!("`{text}` is neither true nor false")),
        };
        self.parsed(key, report, parse).map(|found| found.value)
    }

    /// A whole number between `least` and `most`. Environment variables write it as text.
    pub(super) fn number(&self, key: &str, report: &mut Report, least: u32, most: u32) -> Option<u32> {
        let value = self.values.get(key)?;
        let at = At::from_origin(value.origin());
        let number = if let ValueKind::I64(number) = value.kind {
            number
        } else {
            self.parsed(key, report, |text| text.parse().map_err(|_| format!("`{text}` is no whole number")))?.value
        };
        let fitting = u32::try_from(number).ok().filter(|number| (least..=most).contains(number));
        if fitting.is_none() {
            report.error(&at, self.path_of(key), format!("{number} is not between {least} and {most}"));
        }
        fitting
    }
}

/// Refuses what would break a line or steer a terminal when it is printed.
pub(super) fn printable(text: &str) -> Result<String, String> {
    const MOST: usize = 200;
    if text.chars().any(char::is_control) {
        Err("this holds control characters; leave them out".to_owned())
    } else if text.chars().count() > MOST {
        Err(format!("this is longer than {MOST} characters"))
    } else {
        Ok(text.trim().to_owned())
    }
}
