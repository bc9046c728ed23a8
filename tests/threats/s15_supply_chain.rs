//! S15: what is linked in without anybody having looked.
//!
//! `packaging/check-dependencies` holds licences, bans and sources against `deny.toml` with cargo-deny; that each crate has one
//! door is in `tests/tidy/doors.rs`, that no file asks for `unsafe` is left to the compiler by the lint below.

use std::path::{Path, PathBuf};

/// The most crates in `Cargo.lock`, those for tests and other systems included. A new dependency may bring a few; one that
/// brings dozens wants a look, and then a larger number here.
const MOST_CRATES: usize = 380;
/// What calls cargo, as directories and files of the repository.
const CALLERS: [&str; 5] = [".ci", "packaging", "tests/tools", "tests/packaging", "README.md"];
/// What builds or tests, and so reads `Cargo.lock`.
const BUILDING: [&str; 9] = ["build", "test", "run", "clippy", "doc", "bench", "deb", "deny", "nextest"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| files(&path)).collect()
}

/// The values of a key in a lock file.
fn values<'a>(lock: &'a str, key: &str) -> Vec<&'a str> {
    let of_line = |line: &'a str| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"');
    lock.lines().filter_map(of_line).collect()
}

#[test]
fn s15_every_crate_is_locked_with_its_checksum_from_the_one_registry() {
    for path in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let lock = text(path);
        let (sources, sums) = (values(&lock, "source"), values(&lock, "checksum"));
        assert!(sources.len() > 100, "{path}: {} crates", sources.len());
        let foreign: Vec<_> =
            sources.iter().filter(|from| **from != "registry+https://github.com/rust-lang/crates.io-index").collect();
        assert!(foreign.is_empty(), "{path}: {foreign:?}");
        assert_eq!(sums.len(), sources.len(), "{path}: a crate without a checksum");
    }
    // A lock that git passes over would be another one on each machine.
    let ignored = text(".gitignore");
    assert!(!ignored.lines().any(|line| line.contains("Cargo.lock") || line.contains("*.lock")), "{ignored}");
    let crates = values(&text("Cargo.lock"), "name").len();
    assert!(crates <= MOST_CRATES, "{crates} crates, and no more than {MOST_CRATES} are meant");
}

#[test]
fn s15_nothing_is_excused() {
    let deny: toml::Table = text("deny.toml").parse().expect("TOML");
    let list = |table: &str, key: &str| deny[table][key].as_array().cloned().unwrap_or_default();
    assert!(list("advisories", "ignore").is_empty(), "an advisory is passed over");
    assert!(list("sources", "allow-git").is_empty() && list("sources", "allow-registry").len() == 1);
    for (table, key) in
        [("sources", "unknown-registry"), ("sources", "unknown-git"), ("bans", "wildcards"), ("advisories", "yanked")]
    {
        assert_eq!(deny[table][key].as_str(), Some("deny"), "{table}.{key}");
    }
}

#[test]
fn s15_our_own_crates_hold_no_unsafe_code_and_build_by_no_script() {
    let workspace: toml::Table = text("Cargo.toml").parse().expect("TOML");
    assert_eq!(workspace["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    for path in ["Cargo.toml", "simulator/Cargo.toml", "fuzz/Cargo.toml"] {
        let manifest: toml::Table = text(path).parse().expect("TOML");
        let of_workspace =
            manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
        let library = text(&path.replace("Cargo.toml", "src/lib.rs"));
        let own = library.contains("\n#![forbid(unsafe_code)]\n");
        assert!(of_workspace == Some(true) || own, "{path} does not forbid unsafe code");
        let package = manifest["package"].as_table().expect("a package");
        assert!(!package.contains_key("build") && !root().join(path).with_file_name("build.rs").exists(), "{path}");
        let patched = ["patch", "replace"].iter().any(|table| manifest.contains_key(*table));
        assert!(!patched, "{path} puts other code in the place of a crate");
    }
}

#[test]
fn s15_whatever_builds_takes_the_crates_of_the_lock_file() {
    let mut wrong = Vec::new();
    let mut calls = 0;
    for path in CALLERS.iter().flat_map(|place| files(&root().join(place))) {
        let Some(text) =
            std::fs::read_to_string(&path).ok().filter(|_| path.extension().is_none_or(|kind| kind != "rs"))
        else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            let own = if path.extension().is_some_and(|kind| kind == "md") {
                line
            } else {
                line.split('#').next().unwrap_or(line)
            };
            for call in own.split("cargo ").skip(1) {
                let mut words = call.split([' ', '`', '"', '\'']);
                if !words.next().is_some_and(|word| BUILDING.contains(&word)) {
                    continue;
                }
                calls += 1;
                let command = call.split(['`', ';', '|']).next().unwrap_or(call);
                if !command.contains("--locked") {
                    wrong.push(format!("{}:{}: cargo {command}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(calls > 10, "{calls} calls");
    assert!(wrong.is_empty(), "without --locked:\n{}", wrong.join("\n"));
    for line in text(".cargo/config.toml").lines().filter(|line| line.contains(" = \"")) {
        assert!(line.contains("--locked"), "{line}");
    }
}
