//! Owns what one event says, before it has a form, and how much of it is kept.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use crate::domain::Ticks;
use crate::event::{JSON_FIELD, TARGET};

/// The longest text of a field: a title is shorter, and what is longer is in the store.
const MAX_TEXT_BYTES: usize = 1024;
/// The longest message: it may list everything that is wrong with a configuration.
const MAX_MESSAGE_BYTES: usize = 4096;
/// The longest value inside a JSON field; evidence that comes with an update can have many kilobytes.
const MAX_MEMBER_BYTES: usize = 2048;
/// The most members of a JSON field: an alert has about 40 properties.
const MAX_MEMBERS: usize = 64;
/// What stands for what was cut.
const CUT: &str = "…";
/// The name of an event that is in no table: somebody else's, or one without a name.
const UNNAMED: &str = "log";

/// What one event says.
pub(super) struct Line {
    pub at: Ticks,
    pub level: Level,
    pub event: String,
    pub message: String,
    pub fields: Vec<(&'static str, Value)>,
}

/// The value of a field.
pub(super) enum Value {
    Text(String),
    /// A number or boolean as it is printed.
    Plain(String),
    Json(serde_json::Map<String, serde_json::Value>),
}

impl Line {
    pub fn of(event: &Event<'_>, at: Ticks) -> Self {
        let metadata = event.metadata();
        let mut line = Self {
            at,
            level: *metadata.level(),
            event: UNNAMED.to_owned(),
            message: String::new(),
            fields: Vec::with_capacity(metadata.fields().len() + 1),
        };
        let ours = metadata.target() == TARGET;
        if !ours {
            line.fields.push(("target", Value::Text(capped(metadata.target().to_owned(), MAX_TEXT_BYTES))));
        }
        event.record(&mut Collector { line: &mut line, ours });
        line
    }
}

struct Collector<'a> {
    line: &'a mut Line,
    ours: bool,
}

impl Collector<'_> {
    fn text(&mut self, name: &'static str, text: String) {
        match name {
            "message" => self.line.message = capped(text, MAX_MESSAGE_BYTES),
            "event" if self.ours => self.line.event = text,
            JSON_FIELD if self.ours => {
                let value = match serde_json::from_str(&text) {
                    Ok(serde_json::Value::Object(members)) => Value::Json(capped_members(members)),
                    Ok(_) | Err(_) => Value::Text(capped(text, MAX_TEXT_BYTES)),
                };
                self.line.fields.push((name, value));
            }
            _ => self.push(name, Value::Text(capped(text, MAX_TEXT_BYTES))),
        }
    }

    fn plain(&mut self, name: &'static str, value: impl fmt::Display) {
        self.push(name, Value::Plain(value.to_string()));
    }

    fn push(&mut self, name: &'static str, value: Value) {
        // A library may call a field as one of ours; a key that comes twice makes a line that parsers read differently.
        let name = match name {
            "ts" => "ts_",
            "level" => "level_",
            "event" => "event_",
            "msg" => "msg_",
            "target" => "target_",
            other => other,
        };
        self.line.fields.push((name, value));
    }
}

impl Visit for Collector<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value.to_owned());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field.name(), value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.text(field.name(), value.to_string());
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.text(field.name(), value.to_string());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() { self.plain(field.name(), value) } else { self.text(field.name(), value.to_string()) }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field.name(), value);
    }
}

/// The text, or its beginning with a sign that there was more.
fn capped(mut text: String, most: usize) -> String {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
        text.push_str(CUT);
    }
    text
}

/// The members with large values replaced, so that the whole stays a JSON object of bounded size.
fn capped_members(members: serde_json::Map<String, serde_json::Value>) -> serde_json::Map<String, serde_json::Value> {
    let cut = || serde_json::Value::String(CUT.to_owned());
    let more = members.len() > MAX_MEMBERS;
    let kept = members.into_iter().take(MAX_MEMBERS).map(|(name, value)| {
        let large = name.len() + value.to_string().len() > MAX_MEMBER_BYTES;
        (capped(name, MAX_TEXT_BYTES), if large { cut() } else { value })
    });
    kept.chain(more.then(|| (CUT.to_owned(), cut()))).collect()
}
