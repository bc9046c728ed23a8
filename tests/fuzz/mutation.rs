//! Owns mutations of known inputs: a few edits of the kinds that fuzzers make, each of which shrinks by itself.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// Pieces that mean something to some target.
const PIECES: [&str; 46] = [
    "\"",
    "\\",
    "'",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    ";",
    "\n",
    "\0",
    "\r\n",
    " ",
    "\t",
    "\u{c}",
    "-",
    "*",
    "?",
    "/",
    "#",
    "=",
    "[]",
    "{}",
    "null",
    "\"value\":[",
    "\"value\":[{}]",
    "\\u0000",
    "\\ud800",
    "\\\"",
    "\u{202e}",
    "\u{fffd}",
    "ß",
    "İ",
    "1e999",
    "-1",
    "18446744073709551615",
    "0",
    "Z",
    "+00:00",
    ".0000000",
    "\"\"\"",
    "@daily",
    "L",
    "%27",
    "://",
];

#[derive(Debug, Clone)]
enum Edit {
    /// Another byte at a place.
    Put(Index, u8),
    /// A piece between two bytes.
    Insert(Index, Index),
    /// Some bytes less.
    Cut(Index, usize),
    /// Some bytes twice.
    Repeat(Index, usize),
    /// From a place on, the end of another input.
    Splice(Index, Index, Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = any::<Index>;
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, byte)| Edit::Put(at, byte)),
        (place(), place()).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        (place(), 1..16_usize).prop_map(|(at, length)| Edit::Cut(at, length)),
        (place(), 1..32_usize).prop_map(|(at, length)| Edit::Repeat(at, length)),
        (place(), place(), place()).prop_map(|(at, other, from)| Edit::Splice(at, other, from)),
    ]
}

/// Inputs that are a few edits away from one of these.
pub fn of(corpus: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (any::<Index>(), vec(edit(), 0..8)).prop_map(move |(which, edits)| {
        edits.into_iter().fold(which.get(&corpus).clone(), |input, edit| changed(input, &edit, &corpus))
    })
}

fn changed(mut input: Vec<u8>, edit: &Edit, corpus: &[Vec<u8>]) -> Vec<u8> {
    let place = |at: &Index| at.index(input.len() + 1);
    let within = |at: &Index, length: usize| {
        let from = place(at);
        from..(from + length).min(input.len())
    };
    match edit {
        Edit::Put(at, byte) => {
            let at = place(at);
            input.splice(at..(at + 1).min(input.len()), [*byte]);
        }
        Edit::Insert(at, piece) => {
            let at = place(at);
            input.splice(at..at, piece.get(&PIECES).bytes());
        }
        Edit::Cut(at, length) => {
            let range = within(at, *length);
            input.drain(range);
        }
        Edit::Repeat(at, length) => {
            let range = within(at, *length);
            let (end, piece) = (range.end, input[range].to_vec());
            input.splice(end..end, piece);
        }
        Edit::Splice(at, other, from) => {
            let other = other.get(corpus);
            let at = place(at);
            input.truncate(at);
            input.extend_from_slice(&other[from.index(other.len() + 1)..]);
        }
    }
    input
}
