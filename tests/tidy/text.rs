//! How files open, how long they are, and what must not be written in them.

use crate::source::{self, File};

/// The most lines of a Rust file.
const MOST_LINES: usize = 450;

/// Code that says it is not done.
const UNFINISHED: [&str; 4] =
    [concat!("todo", "!"), concat!("unimplemented", "!"), concat!("FIX", "ME"), concat!("X", "XX ")];

/// What would make TLS a decoration.
const TRUSTING: [&str; 3] = [
    concat!("danger_accept_", "invalid_certs"),
    concat!("danger_accept_", "invalid_hostnames"),
    concat!("tls_danger_", "accept"),
];

/// Paths of one machine.
const MACHINE: [&str; 3] = [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

/// A directory beside the repository; tests may name it as the default of a variable that says where samples are.
const BESIDE: &str = concat!("../", "shared");

fn places(files: &[File], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            found.extend(
                words
                    .iter()
                    .filter(|word| line.contains(**word))
                    .map(|word| format!("{}:{}: {word}", file.path, number + 1)),
            );
        }
    }
    found
}

#[test]
fn every_rust_file_says_what_it_owns() {
    let silent: Vec<_> =
        source::rust().into_iter().filter(|file| !file.text.starts_with("//! ")).map(|file| file.path).collect();
    assert!(silent.is_empty(), "files that do not open with //!: {silent:?}");
}

#[test]
fn no_rust_file_is_too_long() {
    let files = source::rust();
    let lengths = files.iter().map(|file| (file.text.lines().count(), &file.path));
    let long: Vec<_> = lengths.filter(|(lines, _)| *lines > MOST_LINES).collect();
    assert!(long.is_empty(), "files of more than {MOST_LINES} lines: {long:?}");
}

#[test]
fn nothing_is_left_unfinished() {
    let found = places(&source::rust(), &UNFINISHED);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn certificates_are_always_checked() {
    let found = places(&source::all(), &TRUSTING);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn nothing_names_a_machine_or_a_neighbour() {
    let files = source::all();
    let mut found = places(&files, &MACHINE);
    let in_tests =
        |path: &str| path.starts_with("tests/") || path.starts_with("simulator/tests/") || path.starts_with("benches/");
    found.extend(places(&files, &[BESIDE]).into_iter().filter(|place| !in_tests(place)));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn lines_end_plainly() {
    let files = source::all();
    let spaced = |file: &File| file.text.lines().position(|line| line.ends_with([' ', '\t', '\r']));
    let found: Vec<_> = files.iter().filter_map(|file| Some(format!("{}:{}", file.path, spaced(file)? + 1))).collect();
    assert!(found.is_empty(), "white space at the end of lines: {found:?}");
    let open: Vec<_> = files.iter().filter(|file| !file.text.ends_with('\n')).map(|file| &file.path).collect();
    assert!(open.is_empty(), "files without a last line end: {open:?}");
}
