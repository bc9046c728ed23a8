//! Imports go down: the modules of the daemon stand on floors, and each knows only the floors below its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{self, File};

/// The floors from the ground up, with their modules.
const FLOORS: [(&str, &[&str]); 13] = [
    ("the words", &["domain"]),
    ("ground", &["backoff", "clock", "mapping", "notify", "secret", "stop"]),
    ("pipes", &["http", "store"]),
    ("credentials", &["entra"]),
    ("pages", &["defender"]),
    ("operator-visible lines", &["event", "logging"]),
    ("one tenant", &["pass"]),
    ("all tenants", &["fleet", "outbox", "schedule"]),
    ("settings", &["settings"]),
    ("what a monitoring system sees", &["admin", "metrics"]),
    ("wiring", &["daemon"]),
    ("the edge", &["command"]),
    ("the door", &["lib", "main"]),
];

/// Imports within a floor that are meant: who, what, why.
const SIDEWAYS: [(&str, &str, &str); 3] = [
    ("admin", "metrics", "it serves the numbers that are counted there; who counts does not know who asks"),
    ("fleet", "schedule", "a pass is told when its tenant's own instant comes next; a schedule knows no tenant"),
    ("logging", "event", "it writes what events say; an event does not know where its line goes"),
];

/// The modules that a file of the library names: `crate::a…` and `crate::{a…, b…}`.
fn imports(code: &str) -> BTreeSet<String> {
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => drop(found.insert(name(rest))),
            Some(list) => found.extend(members(list).iter().map(|member| name(member))),
        }
    }
    found.remove("");
    found
}

/// The members of a list in braces, up to its end.
fn members(list: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut found) = (0, 0, Vec::new());
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                found.push(list[begin..at].trim());
                begin = at + 1;
                if letter == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found
}

fn floor_of(module: &str) -> Option<usize> {
    FLOORS.iter().position(|(_, modules)| modules.contains(&module))
}

fn library() -> Vec<File> {
    source::rust().into_iter().filter(|file| file.module().is_some()).collect()
}

#[test]
fn every_module_has_a_floor() {
    let files = library();
    let built: BTreeSet<_> = files.iter().filter_map(File::module).collect();
    let placed: BTreeSet<_> = FLOORS.iter().flat_map(|(_, modules)| modules.iter().copied()).collect();
    assert_eq!(built, placed, "the modules in src/ and on the floors");
}

#[test]
fn imports_go_down() {
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for file in library() {
        let module = file.module().expect("in src").to_owned();
        let own = floor_of(&module).expect("a floor");
        for import in imports(&file.code()).into_iter().filter(|import| *import != module) {
            let Some(floor) = floor_of(&import) else { continue };
            let meant = SIDEWAYS.iter().position(|(who, what, _)| *who == module && *what == import);
            used.extend(meant);
            if floor > own || floor == own && meant.is_none() {
                let (from, to) = (FLOORS[own].0, FLOORS[floor].0);
                wrong.push(format!("{}: `{module}` ({from}) imports `{import}` ({to})", file.path));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that do not go down:\n{}", wrong.join("\n"));
    assert_eq!(used.len(), SIDEWAYS.len(), "exceptions that nobody needs any more");
}

/// What the library's own page and the map say of the floors.
#[test]
fn the_floors_are_documented_in_this_order() {
    let files = source::all();
    let text = |path: &str| &files.iter().find(|file| file.path == path).expect(path).text;
    let documented = &FLOORS[..FLOORS.len() - 1];
    for (path, form) in [("src/lib.rs", "[`NAME`]"), ("docs/ARCHITECTURE.md", "`NAME`")] {
        let page = text(path);
        let begin = page.find("floors below").expect("the list of floors");
        let place: BTreeMap<&str, usize> = documented
            .iter()
            .flat_map(|(_, modules)| modules.iter())
            .map(|module| {
                (
                    *module,
                    page[begin..]
                        .find(&form.replace("NAME", module))
                        .unwrap_or_else(|| panic!("{path} does not name `{module}`")),
                )
            })
            .collect();
        for pair in documented.windows(2) {
            let last = pair[0].1.iter().map(|module| place[module]).max();
            let first = pair[1].1.iter().map(|module| place[module]).min();
            assert!(last < first, "{path}: `{}` comes after `{}`", pair[1].0, pair[0].0);
        }
    }
}

#[test]
fn lists_of_imports_are_taken_apart() {
    let code = "use crate::{a::{b, c}, d};\nuse crate::e::f;\ncrate::g::h();\npub(crate) fn x() {}";
    assert_eq!(imports(code), ["a", "d", "e", "g"].map(str::to_owned).into());
}

/// The simulator shares no code with the daemon, so that the two can disagree.
#[test]
fn the_simulator_knows_nothing_of_the_daemon() {
    for file in source::all().iter().filter(|file| file.path.starts_with("simulator/")) {
        if file.is_rust() {
            assert!(!file.code().contains("alertferry::"), "{}", file.path);
        } else if file.path.ends_with("Cargo.toml") {
            assert!(!file.text.lines().any(|line| line.starts_with("alertferry ") || line.starts_with("alertferry=")));
        }
    }
}
