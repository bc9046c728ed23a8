//! Owns the form for people: time, level, name, message, then the fields as `name=value`.

use tracing::Level;

use super::line::{Line, Value};
use super::visible::visible;

const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

/// The line with its line feed.
pub(super) fn write(line: &Line, colour: bool) -> Vec<u8> {
    let (dim, plain) = if colour { (DIM, PLAIN) } else { ("", "") };
    let (tint, level) = (if colour { tint(line.level) } else { "" }, line.level.as_str());
    let at = line.at.to_string().replacen('T', " ", 1);
    let mut out = format!("{dim}{}Z{plain} {tint}{level:<5}{plain} ", &at[..at.len() - 5]);
    out.push_str(&visible(&line.event));
    out.push(' ');
    out.push_str(&visible(&line.message));
    out.push_str(dim);
    for (name, value) in &line.fields {
        out.push(' ');
        out.push_str(&visible(name));
        out.push('=');
        match value {
            Value::Text(text) => show_quoted(&mut out, text),
            Value::Plain(text) => out.push_str(text),
            Value::Json(members) => out.push_str(&visible(&serde_json::Value::Object(members.clone()).to_string())),
        }
    }
    out.push_str(plain);
    out.push('\n');
    out.into_bytes()
}

const fn tint(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\u{1b}[31m",
        Level::WARN => "\u{1b}[33m",
        Level::INFO => "\u{1b}[32m",
        Level::DEBUG => "\u{1b}[34m",
        Level::TRACE => "\u{1b}[35m",
    }
}

fn show_quoted(out: &mut String, text: &str) {
    if !text.is_empty() && !text.contains([' ', '"', '=', '\\']) {
        out.push_str(&visible(text));
        return;
    }
    out.push('"');
    for (at, piece) in text.split('"').enumerate() {
        out.push_str(if at == 0 { "" } else { "\\\"" });
        out.push_str(&visible(piece));
    }
    out.push('"');
}
