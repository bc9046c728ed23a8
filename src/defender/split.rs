//! Owns taking an answer's body apart while it streams in, in constant memory.
//!
//! The body is one object with the rows in its `value` array. Rows are handed out one by one as their bytes complete;
//! everything around them is kept (it is small) and checked at the end, so that an answer counts only when the whole
//! of it was well-formed.

use memchr::memchr2;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Malformed;

/// A row larger than this is not kept whole; the largest seen in one real tenant has 38 KB.
pub(super) const MAX_ROW_BYTES: usize = 8 * 1024 * 1024;
/// Of a row that is too large, so much is kept as evidence.
const KEPT_OF_HUGE: usize = 64 * 1024;
/// Rows nested deeper than this cannot be stored: SQLite and readers of the store have limits of their own.
const MAX_DEPTH: u32 = 100;
/// The object around the rows has a context URL and perhaps a link.
const MAX_ENVELOPE_BYTES: usize = 64 * 1024;

/// One row of an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Row {
    /// Its bytes.
    Whole(Vec<u8>),
    /// Why it is not handed on, and the beginning of it.
    Refused(&'static str, Vec<u8>),
}

impl Row {
    /// What was kept of it.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) | Self::Refused(_, bytes) => bytes,
        }
    }
}

/// What is left of an answer when its rows are taken out. A second list `value` is refused: only one is split, and the
/// rows of the other would be lost without a word.
#[derive(Deserialize)]
struct Envelope {
    value: IgnoredAny,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Before,
    RowOrEnd,
    Row,
    InRow,
    CommaOrEnd,
    After,
}

/// Splits a body that is fed to it in pieces.
#[derive(Debug, Default)]
pub struct Splitter {
    phase: Phase,
    envelope: Vec<u8>,
    row: Vec<u8>,
    row_bytes: usize,
    depth: u32,
    deepest: u32,
    in_string: bool,
    escaped: bool,
    rows: Vec<Row>,
}

impl Splitter {
    /// Takes the next piece of the body.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), Malformed> {
        while !bytes.is_empty() {
            let used = match self.phase {
                Phase::Before => self.before(bytes)?,
                Phase::RowOrEnd | Phase::Row | Phase::CommaOrEnd => self.between(bytes)?,
                Phase::InRow => self.in_row(bytes),
                Phase::After => self.keep_envelope(bytes)?,
            };
            bytes = &bytes[used..];
        }
        Ok(())
    }

    /// The rows that have completed since the last call.
    pub fn take(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.rows)
    }

    /// Checks, at the end of the body, that it was complete and an answer.
    pub fn finish(self) -> Result<(), Malformed> {
        match self.phase {
            Phase::After => {}
            Phase::Before => return Err(without_rows(&self.envelope)),
            Phase::RowOrEnd | Phase::Row | Phase::InRow | Phase::CommaOrEnd => {
                return Err(Malformed("the answer ends inside its list of alerts".to_owned()));
            }
        }
        let text = std::str::from_utf8(&self.envelope).map_err(|e| broken_around(&e))?;
        let Envelope { value: IgnoredAny } = serde_json::from_str(text).map_err(|e| broken_around(&e))?;
        Ok(())
    }

    /// Up to the `[` that opens the rows.
    fn before(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        for (at, byte) in bytes.iter().enumerate() {
            self.envelope.push(*byte);
            if self.in_string {
                self.string_byte(*byte);
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'[' if self.depth == 1 && is_value_key(&self.envelope[..self.envelope.len() - 1]) => {
                    self.phase = Phase::RowOrEnd;
                    self.depth = 0;
                    return Ok(at + 1);
                }
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            if self.envelope.len() > MAX_ENVELOPE_BYTES {
                return Err(without_rows(&self.envelope));
            }
        }
        Ok(bytes.len())
    }

    /// White space, commas, the beginning of a row, or the `]` that closes them.
    fn between(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        let Some(at) = bytes.iter().position(|byte| !is_blank(*byte)) else { return Ok(bytes.len()) };
        match (bytes[at], self.phase) {
            (b']', Phase::RowOrEnd | Phase::CommaOrEnd) => {
                self.envelope.push(b']');
                self.phase = Phase::After;
                Ok(at + 1)
            }
            (b',', Phase::CommaOrEnd) => {
                self.phase = Phase::Row;
                Ok(at + 1)
            }
            (b'{', Phase::RowOrEnd | Phase::Row) => {
                self.phase = Phase::InRow;
                (self.row_bytes, self.depth, self.deepest) = (0, 0, 0);
                Ok(at)
            }
            (other, _) => {
                let shown = char::from(other).escape_default();
                Err(Malformed(format!("the list of alerts is broken by `{shown}`")))
            }
        }
    }

    /// The bytes of one row, up to the `}` that closes it.
    fn in_row(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            if self.in_string {
                at += self.skip_string(&bytes[at..]);
                continue;
            }
            match bytes[at] {
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    self.depth += 1;
                    self.deepest = self.deepest.max(self.depth);
                }
                b'}' | b']' => self.depth -= 1,
                _ => {}
            }
            at += 1;
            if self.depth == 0 {
                self.keep_row(&bytes[..at]);
                self.end_row();
                return at;
            }
        }
        self.keep_row(bytes);
        at
    }

    /// How many bytes of `bytes` belong to the string that is open.
    fn skip_string(&mut self, bytes: &[u8]) -> usize {
        if self.escaped {
            self.escaped = false;
            return 1;
        }
        let Some(at) = memchr2(b'"', b'\\', bytes) else { return bytes.len() };
        self.string_byte(bytes[at]);
        at + 1
    }

    const fn string_byte(&mut self, byte: u8) {
        match (self.escaped, byte) {
            (true, _) => self.escaped = false,
            (false, b'\\') => self.escaped = true,
            (false, b'"') => self.in_string = false,
            (false, _) => {}
        }
    }

    fn keep_row(&mut self, bytes: &[u8]) {
        self.row_bytes += bytes.len();
        if self.row_bytes <= MAX_ROW_BYTES {
            self.row.extend_from_slice(bytes);
        } else {
            self.row.truncate(KEPT_OF_HUGE);
        }
    }

    fn end_row(&mut self) {
        // A copy of its exact size, and room that is used again: rows that each grew to their size, and then lived in one
        // thread and died in another, leave holes that cost more memory than the rows.
        let bytes = self.row.as_slice().to_vec();
        self.row.clear();
        self.row.shrink_to(KEPT_OF_HUGE);
        self.rows.push(if self.row_bytes > MAX_ROW_BYTES {
            Row::Refused("it is larger than 8 MiB; only its beginning is kept", bytes)
        } else if self.deepest > MAX_DEPTH {
            Row::Refused("it is nested deeper than 100 levels", bytes)
        } else {
            Row::Whole(bytes)
        });
        self.phase = Phase::CommaOrEnd;
    }

    fn keep_envelope(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        self.envelope.extend_from_slice(bytes);
        if self.envelope.len() > MAX_ENVELOPE_BYTES {
            return Err(Malformed("the answer goes on and on after its alerts".to_owned()));
        }
        Ok(bytes.len())
    }
}

/// White space as JSON has it.
const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether the text ends in the key `value` and a colon.
fn is_value_key(envelope: &[u8]) -> bool {
    let Some(before_colon) = envelope.trim_ascii_end().strip_suffix(b":") else { return false };
    let Some(before_key) = before_colon.trim_ascii_end().strip_suffix(b"\"value\"") else { return false };
    // A longer key may end so; then its quote is escaped.
    matches!(before_key.trim_ascii_end().last(), Some(b'{' | b','))
}

fn broken_around(why: &dyn std::fmt::Display) -> Malformed {
    Malformed(format!("the answer around the alerts is no JSON: {why}"))
}

fn without_rows(envelope: &[u8]) -> Malformed {
    // The text itself is not shown: what a service answers instead of alerts may repeat the token it was sent.
    let kind = match envelope.trim_ascii_start().first() {
        None => "it is empty",
        Some(b'<') => "it looks like HTML",
        Some(b'{' | b'[') => "it looks like other JSON",
        Some(_) => "it is no JSON",
    };
    Malformed(format!("the answer has no list `value`; {kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Splits `body` fed in pieces of `size` bytes.
    fn split(body: &[u8], size: usize) -> Result<Vec<String>, Malformed> {
        let mut splitter = Splitter::default();
        let mut rows = Vec::new();
        for piece in body.chunks(size) {
            splitter.feed(piece)?;
            rows.extend(splitter.take());
        }
        splitter.finish()?;
        Ok(rows
            .into_iter()
            .map(|row| match row {
                Row::Whole(bytes) => String::from_utf8(bytes).expect("text"),
                Row::Refused(why, bytes) => format!("refused: {why} ({} bytes)", bytes.len()),
            })
            .collect())
    }

    #[test]
    fn rows_come_out_whole_however_the_body_is_cut() {
        let body = br#"{"@odata.context":"x[\"value\":[","value" : [ {"a":"]}\\\"{"} ,{"b":[{"c":"\\"}]},{} ],"n":{"value":[1]}}"#;
        for size in 1..body.len() {
            let rows = split(body, size).expect("well-formed");
            assert_eq!(rows, [r#"{"a":"]}\\\"{"}"#, r#"{"b":[{"c":"\\"}]}"#, "{}"], "pieces of {size}");
        }
    }

    #[test]
    fn an_empty_list_is_an_answer() {
        assert_eq!(split(br#"{"value":[]}"#, 3), Ok(vec![]));
        assert_eq!(split(br#"{"value":[ ],"@odata.nextLink":"http://x"}"#, 100), Ok(vec![]));
    }

    #[test]
    fn a_key_that_ends_like_the_list_is_another_one() {
        let body = br#"{"a\"value":[{"b":1}],"value":[{"c":1}]}"#;
        assert_eq!(split(body, 7), Ok(vec![r#"{"c":1}"#.to_owned()]));
    }

    #[test]
    fn anything_else_is_not() {
        for (body, why) in [
            (&b""[..], "no list `value`"),
            (b"<html></html>", "no list `value`"),
            (br#"{"value":{}}"#, "no list `value`"),
            (br#"{"error":{"value":[]}}"#, "no list `value`"),
            (br#"{"value":[{"a":1}"#, "ends inside"),
            (br#"{"value":[{"a":1"#, "ends inside"),
            (br#"{"value":[{}]"#, "around the alerts is no JSON"),
            (br#"{"value":[{}]}}"#, "around the alerts is no JSON"),
            (br#"{"value":[{} {}]}"#, "broken by `{`"),
            (br#"{"value":[,{}]}"#, "broken by `,`"),
            (br#"{"value":[{},]}"#, "broken by `]`"),
            (br#"{"value":[1]}"#, "broken by `1`"),
            (br#"[{"value":[]}]"#, "no list `value`"),
            (br#"{"value":[{}],"value":[{}]}"#, "around the alerts is no JSON: duplicate field"),
            (br#"{"value":[{}],"valu\u0065":[{}]}"#, "around the alerts is no JSON: duplicate field"),
            (b"{\"value\":[\x0c{}]}", "broken by"),
            (b"{\"value\":[],\"\xff\":1}", "around the alerts is no JSON"),
        ] {
            let error = split(body, 5).expect_err("not an answer");
            assert!(error.0.contains(why), "{} / {why}", error.0);
        }
    }

    #[test]
    fn huge_and_deep_rows_are_refused_alone() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100));
        let huge = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_ROW_BYTES));
        let body = format!("{{\"value\":[{deep},{huge},{{}}]}}");
        let rows = split(body.as_bytes(), 70_000).expect("well-formed");
        assert!(rows[0].starts_with("refused: it is nested"), "{}", rows[0]);
        assert!(rows[1].starts_with("refused: it is larger") && rows[1].ends_with("(65536 bytes)"), "{}", rows[1]);
        assert_eq!(rows[2], "{}");
    }

    #[test]
    fn an_endless_envelope_is_refused() {
        let long = "x".repeat(MAX_ENVELOPE_BYTES);
        assert!(split(format!("{{\"a\":\"{long}\",\"value\":[]}}").as_bytes(), 1000).is_err());
        assert!(split(format!("{{\"value\":[],\"a\":\"{long}\"}}").as_bytes(), 1000).is_err());
    }
}
