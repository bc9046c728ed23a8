//! Splitting an answer: however its bytes are cut, and the same rows as a whole JSON parser finds.
//!
//! Input: three bytes that say how long the pieces are, and the body.

use alertferry::defender::split::{Row, Splitter};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::input::Input;

/// The limit of what stands around the rows, and that of nesting: below them nothing may be refused.
const ENVELOPE_BYTES: usize = 64 * 1024;
const DEPTH: usize = 100;

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    value: Vec<&'a RawValue>,
}

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let sizes = [input.byte(), input.byte(), input.byte()].map(|size| usize::from(size) + 1);
    let body = input.rest();
    let (rows, end) = split(body, &[body.len().max(1)]);
    assert_eq!(split(body, &sizes), (rows.clone(), end.clone()), "the cuts make a difference");
    assert_eq!(split(body, &[1]), (rows.clone(), end.clone()), "single bytes make a difference");
    let whole = std::str::from_utf8(body).ok().and_then(|text| serde_json::from_str::<Answer<'_>>(text).ok());
    let usable = |row: &Result<Vec<u8>, Vec<u8>>| {
        row.as_ref().is_ok_and(|row| {
            std::str::from_utf8(row).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
        })
    };
    if end.is_ok() && rows.iter().all(usable) {
        let whole = whole.expect("an answer that was taken for whole is one list of alerts");
        assert!(
            rows.iter()
                .map(|row| row.as_deref().expect("usable"))
                .eq(whole.value.iter().map(|row| row.get().as_bytes())),
            "rows are the list's entries, to the byte and in order"
        );
    } else if let Some(whole) = whole {
        let objects = whole.value.iter().all(|row| row.get().starts_with('{'));
        // A key may be written with escapes; then it is not recognised, and the answer is refused.
        let plain = !body.contains(&b'\\') && body.len() < ENVELOPE_BYTES;
        // A list is no answer, although its first entry could stand for the first field.
        let named = body.trim_ascii_start().starts_with(b"{");
        let flat = body.iter().filter(|byte| matches!(byte, b'[' | b'{')).count() < DEPTH;
        assert!(!(objects && plain && flat && named), "a good answer is refused: {end:?}");
    }
}

type Rows = Vec<Result<Vec<u8>, Vec<u8>>>;

/// Rows that are handed on or refused, and how the answer ended, when it is fed in pieces of these sizes in turn.
fn split(mut body: &[u8], sizes: &[usize]) -> (Rows, Result<(), String>) {
    let (mut splitter, mut rows, mut sizes) = (Splitter::default(), Rows::new(), sizes.iter().cycle());
    while !body.is_empty() {
        let (piece, rest) = body.split_at(sizes.next().map_or(1, |size| *size).min(body.len()));
        body = rest;
        let fed = splitter.feed(piece);
        rows.extend(splitter.take().into_iter().map(|row| match row {
            Row::Whole(bytes) => Ok(bytes),
            Row::Refused(_, bytes) => Err(bytes),
        }));
        if let Err(error) = fed {
            return (rows, Err(error.0));
        }
    }
    let end = splitter.finish().map_err(|error| error.0);
    (rows, end)
}
