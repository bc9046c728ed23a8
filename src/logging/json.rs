//! Owns the machine-readable form: one flat JSON object a line, always in the same order.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

use super::line::{Line, Value};
use super::visible::visible_json;

/// The line with its line feed.
pub(super) fn write(line: &Line) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    out.extend_from_slice(b"{\"ts\":");
    // The seventh digit of a tick is below what a clock of this kind tells.
    let at = line.at.to_string();
    string(&mut out, &format!("{}Z", &at[..at.len() - 2]));
    for (name, text) in
        [("level", line.level.as_str().to_ascii_lowercase().as_str()), ("event", &line.event), ("msg", &line.message)]
    {
        key(&mut out, name);
        string(&mut out, text);
    }
    for (name, value) in &line.fields {
        key(&mut out, name);
        match value {
            Value::Text(text) => string(&mut out, text),
            Value::Plain(text) => out.extend_from_slice(text.as_bytes()),
            Value::Json(members) => serialise(&mut out, members),
        }
    }
    out.extend_from_slice(b"}\n");
    out
}

fn key(out: &mut Vec<u8>, name: &str) {
    out.push(b',');
    string(out, name);
    out.push(b':');
}

fn string(out: &mut Vec<u8>, text: &str) {
    serialise(out, text);
}

fn serialise<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let whole = out.len();
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Escaping);
    if value.serialize(&mut serializer).is_err() {
        // Text and JSON values cannot fail; should they ever, the line stays an object.
        out.truncate(whole);
        out.extend_from_slice(b"null");
    }
}

/// Also escapes what JSON allows and terminals obey; a parser reads the same text.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        writer.write_all(visible_json(fragment).as_bytes())
    }
}
