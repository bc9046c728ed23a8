//! The help of every command, found by walking it: a command without a file here fails the test.

use std::process::Command;

use crate::shot::Album;
use crate::support::{PROGRAM, said};

/// Takes the help of a command and of those below it.
fn walk(album: &mut Album, path: &[String]) {
    let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
    arguments.push("--help");
    let mut command = Command::new(PROGRAM);
    let shown = said(command.env_clear().env("COLUMNS", "100").args(&arguments).stdin(std::process::Stdio::null()));
    assert_eq!(shown.code, Some(0), "{arguments:?}: {shown:?}");
    album.take(
        &["help"].into_iter().chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join("-"),
        &arguments,
        &shown,
    );
    let wide: Vec<&str> = shown.stdout.lines().filter(|line| line.chars().count() > 100).collect();
    assert!(wide.is_empty(), "{arguments:?}: lines of more than 100 characters: {wide:?}");
    for name in below(&shown.stdout) {
        walk(album, &[path, &[name]].concat());
    }
}

/// The names under "Commands:".
fn below(help: &str) -> Vec<String> {
    let section = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = section.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_command_has_its_help() {
    let mut album = Album::default();
    walk(&mut album, &[]);
    album.close("help");
}

#[test]
fn commands_are_found_in_help() {
    let help = "Usage: x\n\nCommands:\n  run   Run it,\n          and on\n  list  List\n  help  Print\n\nOptions:\n  -h  Help\n";
    assert_eq!(below(help), ["run", "list"]);
    assert!(below("Usage: x\n").is_empty());
}
