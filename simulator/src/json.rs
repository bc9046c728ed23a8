//! Owns the byte-exact view of one JSON object: its top-level keys and the spans of their values.
//!
//! Alerts are served as the very text they were loaded with, so edits replace spans instead of re-serialising.

use std::ops::Range;

use serde::de::IgnoredAny;

/// The top-level members of a JSON object, as spans into its text.
#[derive(Clone, Debug)]
pub(crate) struct Members {
    entries: Vec<(String, Range<usize>)>,
}

impl Members {
    /// Splits `text`; `None` unless it is one valid JSON object.
    pub(crate) fn of(text: &str) -> Option<Self> {
        serde_json::from_str::<IgnoredAny>(text).ok()?;
        let bytes = text.as_bytes();
        let mut at = skip_space(bytes, 0);
        if bytes.get(at) != Some(&b'{') {
            return None;
        }
        at = skip_space(bytes, at + 1);
        let mut entries = Vec::with_capacity(32);
        while bytes.get(at) == Some(&b'"') {
            let key_end = end_of_value(bytes, at);
            let key = serde_json::from_str(text.get(at..key_end)?).ok()?;
            let value_start = skip_space(bytes, skip_space(bytes, key_end) + 1);
            let value_end = end_of_value(bytes, value_start);
            entries.push((key, value_start..value_end));
            at = skip_space(bytes, value_end);
            if bytes.get(at) == Some(&b',') {
                at = skip_space(bytes, at + 1);
            }
        }
        Some(Self { entries })
    }

    /// The span of one value.
    pub(crate) fn span(&self, key: &str) -> Option<Range<usize>> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, span)| span.clone())
    }

    /// The raw text of one value.
    pub(crate) fn raw<'t>(&self, text: &'t str, key: &str) -> Option<&'t str> {
        text.get(self.span(key)?)
    }

    /// A value that is a string.
    pub(crate) fn string(&self, text: &str, key: &str) -> Option<String> {
        serde_json::from_str(self.raw(text, key)?).ok()
    }

    /// A value that is an integer.
    pub(crate) fn integer(&self, text: &str, key: &str) -> Option<i64> {
        self.raw(text, key)?.parse().ok()
    }
}

/// `text` with the values of some keys replaced by raw JSON; a key it does not have is added at the end.
pub(crate) fn replace(text: &str, members: &Members, changes: &[(&str, String)]) -> String {
    let mut spans: Vec<(Range<usize>, &str)> =
        changes.iter().filter_map(|(key, raw)| Some((members.span(key)?, raw.as_str()))).collect();
    spans.sort_by_key(|(span, _)| span.start);
    let mut out = String::with_capacity(text.len() + 256);
    let mut at = 0;
    for (span, raw) in spans {
        out.push_str(text.get(at..span.start).unwrap_or_default());
        out.push_str(raw);
        at = span.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    let missing: Vec<_> = changes.iter().filter(|(key, _)| members.span(key).is_none()).collect();
    if let Some(close) = out.rfind('}').filter(|_| !missing.is_empty()) {
        let mut comma = if members.entries.is_empty() { "" } else { "," };
        let mut tail = String::new();
        for (key, raw) in missing {
            tail.push_str(&format!("{comma}{}:{raw}", quoted(key)));
            comma = ",";
        }
        out.insert_str(close, &tail);
    }
    out
}

/// `text` as a JSON string literal.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

/// The end of the value that starts at `at`; the text is known to be valid JSON.
fn end_of_value(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(b'"') => end_of_string(bytes, at),
        Some(b'{' | b'[') => end_of_nested(bytes, at),
        Some(_) | None => {
            let rest = bytes.get(at..).unwrap_or_default();
            at + rest.iter().take_while(|b| !matches!(b, b',' | b'}' | b']') && !b.is_ascii_whitespace()).count()
        }
    }
}

fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn end_of_nested(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = end_of_string(bytes, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{ "a": "x\"},", "b":[1,{"c":"]"}],"n" : -12 ,"z":null}"#;

    #[test]
    fn finds_every_value() {
        let members = Members::of(TEXT).expect("an object");
        assert_eq!(members.raw(TEXT, "b"), Some(r#"[1,{"c":"]"}]"#));
        assert_eq!(members.string(TEXT, "a").as_deref(), Some("x\"},"));
        assert_eq!(members.integer(TEXT, "n"), Some(-12));
        assert_eq!(members.raw(TEXT, "z"), Some("null"));
        assert_eq!(members.entries.len(), 4);
    }

    #[test]
    fn replaces_in_place_and_adds_at_the_end() {
        let members = Members::of(TEXT).expect("an object");
        let changed = replace(TEXT, &members, &[("z", "1".into()), ("new", "true".into()), ("a", "\"y\"".into())]);
        assert_eq!(changed, r#"{ "a": "y", "b":[1,{"c":"]"}],"n" : -12 ,"z":1,"new":true}"#);
        let empty = Members::of("{}").expect("an object");
        assert_eq!(replace("{}", &empty, &[("k", "0".into())]), r#"{"k":0}"#);
    }

    #[test]
    fn only_objects() {
        assert!(Members::of("[1]").is_none());
        assert!(Members::of("{\"a\":}").is_none());
        assert!(Members::of("{} x").is_none());
    }
}
