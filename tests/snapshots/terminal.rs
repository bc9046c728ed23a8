//! What commands show on a real terminal: as wide as that is, in colour only where it is wanted, and doing nothing to it.

use std::process::{Command, Stdio};

use crate::harmless::assert_plain;
use crate::outputs::SHOWN;
use crate::shot::Album;
use crate::stage::{Stage, on_empty_stage, on_stage};
use crate::support::{PROGRAM, Said, said};

/// A terminal of so many columns, with these variables.
struct Terminal<'a> {
    columns: usize,
    variables: &'a [(&'a str, &'a str)],
}

const COLOURFUL: &[(&str, &str)] = &[("TERM", "xterm-256color")];

impl Terminal<'_> {
    /// Runs a command there; what it wrote, on standard error too. Nothing where `script` is missing, which is said.
    #[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
    fn run(&self, stage: &Stage, arguments: &[&str]) -> Option<Said> {
        let version = Command::new("script").arg("--version").output();
        if !version.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).contains("util-linux")) {
            println!("skipped: there is no `script` of util-linux to make a terminal with");
            return None;
        }
        let words = [&[PROGRAM, "--config", "main.toml"], arguments].concat();
        let words: Vec<String> = words.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
        let line = format!("stty cols {} rows 50 -echo && exec {}", self.columns, words.join(" "));
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
        script.envs(self.variables.iter().copied()).current_dir(stage.house.path(".")).stdin(Stdio::null());
        let mut said = said(&mut script);
        said.stdout = said.stdout.replace("\r\n", "\n");
        Some(said)
    }
}

/// The columns that a line takes on a terminal, colours left out.
fn width(line: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(without_colours(line).as_str())
}

/// The text without the escapes that set colours, which end with an `m`.
fn without_colours(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once('m') {
            Some((numbers, rest)) if numbers.chars().all(|c| c.is_ascii_digit() || c == ';') => plain += rest,
            _ => plain = plain + "\u{1b}[" + piece,
        }
    }
    plain
}

#[test]
fn tables_are_as_wide_as_the_terminal() {
    on_stage(async |stage| {
        let mut album = Album::of_a_terminal();
        for (name, arguments, formats) in SHOWN.into_iter() {
            if !formats.contains(&"table") {
                continue;
            }
            for columns in [80, 120, 200] {
                let terminal = Terminal { columns, variables: &[("TERM", "dumb")] };
                let Some(said) = terminal.run(&stage, arguments) else { return };
                assert_eq!(said.code, Some(0), "{name}: {said:?}");
                assert_plain(name, &said.stdout);
                let wide: Vec<&str> = said.stdout.lines().filter(|line| width(line) > columns).collect();
                assert!(wide.is_empty(), "{name} on {columns} columns:\n{}", said.stdout);
                if columns == 80 {
                    album.take(&format!("terminal-80-{name}"), arguments, &said);
                }
            }
        }
        album.close("terminal-80");
    });
}

#[test]
fn wide_letters_keep_columns_in_line() {
    on_stage(async |stage| {
        let query = ["query", "SELECT title, '|' AS edge FROM alerts"];
        let Some(said) = (Terminal { columns: 200, variables: COLOURFUL }).run(&stage, &query) else { return };
        let edges: std::collections::BTreeSet<usize> =
            said.stdout.lines().filter_map(|line| Some(width(line.strip_suffix('|')?))).collect();
        assert!(edges.len() == 1 && said.stdout.contains("検出"), "{edges:?}: {}", said.stdout);
    });
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    on_stage(async |stage| {
        for arguments in [["status"].as_slice(), &["check", "--offline"]] {
            let coloured = |variables| {
                let said = Terminal { columns: 100, variables }.run(&stage, arguments)?;
                assert_plain("colours", &without_colours(&said.stdout));
                Some(said.stdout.contains("\u{1b}["))
            };
            assert_ne!(coloured(COLOURFUL), Some(false), "{arguments:?}");
            assert_ne!(coloured(&[("TERM", "dumb")]), Some(true), "{arguments:?}");
            assert_ne!(coloured(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), Some(true), "{arguments:?}");
        }
    });
}

#[test]
fn no_format_does_anything_to_a_terminal() {
    on_stage(async |stage| {
        for (name, arguments, formats) in SHOWN {
            for format in formats {
                let arguments = [arguments, &["--format", *format]].concat();
                let Some(said) = Terminal { columns: 80, variables: COLOURFUL }.run(&stage, &arguments) else { return };
                assert_plain(&format!("{name}.{format}"), &without_colours(&said.stdout));
            }
        }
    });
}

#[test]
fn the_progress_bar_shows_names_harmlessly() {
    on_empty_stage(async |stage| {
        let Some(said) = Terminal { columns: 100, variables: COLOURFUL }.run(&stage, &["sync"]) else { return };
        assert_eq!(said.code, Some(75), "{said:?}");
        let hostile: Vec<char> = said.stdout.chars().filter(|c| crate::shot::alters(*c)).collect();
        assert!(hostile.is_empty(), "{hostile:?}: {said:?}");
        assert!(said.stdout.contains("2 of 3 tenants read"), "{said:?}");
    });
}
