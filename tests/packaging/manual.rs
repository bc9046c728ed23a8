//! The manual and the completions, as the program makes them.

use std::collections::BTreeSet;

use crate::{WIDTH, other, program};

/// `alertferry`, `alertferry-alerts`, `alertferry-alerts-list` and so on, found by walking the help.
fn commands(path: &[&str], found: &mut BTreeSet<String>) {
    found.insert([&["alertferry"], path].concat().join("-"));
    let help = program(&[path, &["--help"]].concat());
    let help = String::from_utf8(help.stdout).expect("UTF-8");
    let section = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    for line in section.filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
        let name = line.split_whitespace().next().expect("a name");
        if name != "help" {
            commands(&[path, &[name]].concat(), found);
        }
    }
}

#[test]
fn every_command_has_a_page_that_man_takes() {
    let place = tempfile::tempdir().expect("a directory");
    let directory = place.path().join("a/new one");
    let made = program(&["man", "--dir", &directory.to_string_lossy()]);
    assert!(made.status.success() && made.stdout.is_empty(), "{made:?}");
    let mut expected = BTreeSet::new();
    commands(&[], &mut expected);
    assert!(expected.len() > 20 && expected.contains("alertferry-export-cursor-set"), "{expected:?}");
    let mut expected: BTreeSet<String> = expected.iter().map(|name| format!("{name}.1")).collect();
    expected.insert("alertferry.toml.5".to_owned());
    let files = std::fs::read_dir(&directory).expect("made").map(|entry| entry.expect("an entry").path());
    let mut names = BTreeSet::new();
    for file in files {
        let page = std::fs::read_to_string(&file).expect("UTF-8");
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let version = concat!("\"alertferry ", env!("CARGO_PKG_VERSION"), "\"");
        let title = page.lines().find(|line| line.starts_with(".TH ")).expect("a title");
        assert!(title.contains(version), "{name}: {title}");
        assert!(page.contains("\n.SH NAME\n") && page.contains("\n.SH \"SEE ALSO\"\n"), "{name}");
        if let Some(shown) = other("man", &["--warnings", "-l", &file.to_string_lossy()]) {
            assert!(shown.status.success() && shown.stderr.is_empty(), "{name}: {shown:?}");
            let text = String::from_utf8_lossy(&shown.stdout);
            let long: Vec<_> = text.lines().filter(|line| line.chars().count() > WIDTH).collect();
            assert!(long.is_empty(), "{name} is wider than {WIDTH} columns: {long:?}");
        }
        names.insert(name);
    }
    assert_eq!(names, expected);
    let printed = String::from_utf8(program(&["man"]).stdout).expect("UTF-8");
    let first = std::fs::read_to_string(directory.join("alertferry.1")).expect("UTF-8");
    assert_eq!(printed.trim_end(), first.trim_end());
}

/// A newcomer finds how a command is called, with the names of values, and what each exit code means.
#[test]
fn pages_have_what_manuals_have() {
    let place = tempfile::tempdir().expect("a directory");
    assert!(program(&["man", "--dir", &place.path().to_string_lossy()]).status.success());
    let page = |name: &str| {
        let file = place.path().join(name);
        let shown = other("man", &["-l", &file.to_string_lossy()])?;
        Some(String::from_utf8_lossy(&shown.stdout).replace('\u{a0}', " "))
    };
    let (Some(first), Some(prune)) = (page("alertferry.1"), page("alertferry-prune.1")) else { return };
    for heading in ["SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "FILES", "EXAMPLES", "SEE ALSO"] {
        assert!(first.lines().any(|line| line == heading), "{heading} in {first}");
    }
    let codes = program(&["--help"]).stdout;
    let codes = String::from_utf8_lossy(&codes);
    for line in codes.lines().skip_while(|line| *line != "Exit codes:").skip(1) {
        let (code, meaning) = line.trim_start().split_once("  ").expect("a code and its meaning");
        let found = first.lines().any(|line| line.trim_start().starts_with(code) && line.ends_with(meaning.trim()));
        assert!(found, "{line} in {first}");
    }
    assert!(prune.contains("[--older-than AGE]") && !prune.contains("[--help"), "{prune}");
    assert!(first.contains("'SELECT"), "a quotation mark that no shell takes: {first}");
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("file");
    std::fs::write(&file, "").expect("written");
    let told = program(&["man", "--dir", &file.join("below").to_string_lossy()]);
    let text = String::from_utf8_lossy(&told.stderr).into_owned();
    assert_eq!(told.status.code(), Some(74), "{text}");
    assert!(text.contains("file/below") && text.contains("--dir"), "{text}");
}

#[test]
fn shells_take_their_completions() {
    let place = tempfile::tempdir().expect("a directory");
    for shell in ["bash", "zsh", "fish"] {
        let made = program(&["completions", shell]);
        assert!(made.status.success(), "{shell}: {made:?}");
        let script = String::from_utf8(made.stdout).expect("UTF-8");
        for word in ["alerts", "severity", "purge", "hunt"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
        let file = place.path().join(shell);
        std::fs::write(&file, script).expect("written");
        if let Some(parsed) = other(shell, &["-n", &file.to_string_lossy()]) {
            assert!(parsed.status.success() && parsed.stderr.is_empty(), "{shell}: {parsed:?}");
        }
    }
    let ask = format!(
        "source '{}'; COMP_WORDS=(alertferry tenant pu); COMP_CWORD=2; _alertferry alertferry pu tenant; \
         echo \"${{COMPREPLY[@]}}\"",
        place.path().join("bash").display()
    );
    if let Some(answer) = other("bash", &["--norc", "-c", &ask]) {
        assert_eq!(String::from_utf8_lossy(&answer.stdout).trim(), "purge", "{answer:?}");
    }
    assert_eq!(program(&["completions", "tcsh"]).status.code(), Some(64));
}
