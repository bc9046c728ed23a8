//! The package's list of files, its scripts and its tools.

use std::collections::BTreeSet;
use std::path::Path;

use toml::{Table, Value};

use crate::text;

fn metadata() -> Table {
    let manifest: Table = text("Cargo.toml").parse().expect("TOML");
    manifest["package"]["metadata"]["deb"].as_table().expect("a table").clone()
}

/// Source and destination of each file that is listed.
fn assets() -> Vec<(String, String)> {
    let list = metadata()["assets"].as_array().expect("a list").clone();
    let word = |asset: &Value, at: usize| asset[at].as_str().expect("a text").to_owned();
    list.iter().map(|asset| (word(asset, 0), word(asset, 1))).collect()
}

/// The names of the units that cargo-deb finds by itself, with whether they are enabled and started.
fn units() -> Vec<(String, bool)> {
    let list = metadata()["systemd-units"].as_array().expect("a list").clone();
    let one = |unit: &Value| {
        let is = |key: &str| unit[key].as_bool().expect("yes or no");
        assert_eq!(is("enable"), is("start"), "{unit}");
        (unit["unit-name"].as_str().expect("a name").to_owned(), is("enable"))
    };
    list.iter().map(one).collect()
}

fn names(directory: &str) -> BTreeSet<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let entries = std::fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

/// The files of the repository that an asset's pattern means.
fn meant(pattern: &str) -> Vec<String> {
    let (directory, name) = pattern.rsplit_once('/').unwrap_or((".", pattern));
    let (begin, end) = name.split_once('*').unwrap_or((name, ""));
    let fits = |found: &String| {
        if name.contains('*') { found.starts_with(begin) && found.ends_with(end) } else { found == name }
    };
    names(directory).into_iter().filter(fits).map(|found| format!("{directory}/{found}")).collect()
}

#[test]
fn what_the_package_holds_is_there() {
    for (source, to) in assets() {
        if !source.starts_with("target/") {
            assert!(!meant(&source).is_empty(), "{source} for {to} is not there");
        }
    }
    let built: Vec<_> =
        assets().into_iter().map(|(source, _)| source).filter(|source| source.starts_with("target/")).collect();
    let script = text("packaging/build-deb") + &text("packaging/build-sbom");
    for source in built.iter().filter_map(|source| source.strip_prefix("target/packaging/")) {
        let made = source.split(['*', '.']).next().expect("a name").trim_end_matches('/');
        assert!(script.contains(&format!("$tools/{made}")), "nobody makes {source}");
    }
}

#[test]
fn every_file_for_systemd_is_packaged() {
    let listed: BTreeSet<String> = assets().iter().flat_map(|(source, _)| meant_here(source)).collect();
    let units: Vec<String> = units().into_iter().map(|(name, _)| name).collect();
    for name in names("systemd") {
        let (stem, kind) = name.rsplit_once('.').expect("an ending");
        let found = match kind {
            "service" | "timer" | "socket" => units.iter().any(|unit| unit == stem),
            "sysusers" => stem == "alertferry",
            _ => false,
        };
        assert!(found || listed.contains(&format!("systemd/{name}")), "{name} is not in the package");
    }
}

fn meant_here(source: &str) -> Vec<String> {
    if source.starts_with("target/") { Vec::new() } else { meant(source) }
}

/// Only the daemon is enabled, and no unit does anything before there is a configuration; the sample is not one.
#[test]
fn nothing_starts_unconfigured() {
    for (name, enabled) in units() {
        assert_eq!(enabled, name == "alertferry", "{name}");
        let unit = text(&format!("systemd/{name}.service"));
        assert!(unit.lines().any(|line| line == "ConditionPathExists=/etc/alertferry/alertferry.toml"), "{name}");
    }
    let etc: Vec<String> = assets().into_iter().map(|(_, to)| to).filter(|to| to.starts_with("etc/")).collect();
    assert_eq!(etc, ["etc/alertferry/alertferry.toml.example"]);
}

#[test]
fn the_package_has_the_version_of_the_program() {
    let first = text("packaging/debian/changelog").lines().next().expect("a line").to_owned();
    assert!(first.starts_with(concat!("alertferry (", env!("CARGO_PKG_VERSION"), "-1) ")), "{first}");
    assert_eq!(metadata()["profile"].as_str(), Some("dist"));
}

/// What the units run or let run must be there: kill is no part of the smallest Debian.
#[test]
fn what_the_unit_needs_is_depended_on() {
    let unit = text("systemd/alertferry.service");
    let metadata = metadata();
    let depends = metadata["depends"].as_str().expect("a text");
    assert!(unit.contains("ExecReload=/usr/bin/kill ") && depends.contains("procps"), "{depends}");
    assert!(depends.contains("ca-certificates") && depends.contains("$auto"), "{depends}");
}

/// Without --locked, a package would be built of other versions than those that were tested.
#[test]
fn the_lock_file_decides_whatever_is_built() {
    for name in ["packaging/build-deb", "packaging/build-sbom", "packaging/check-dependencies", "packaging/tools.sh"] {
        for line in text(name).lines().filter(|line| !line.trim_start().starts_with('#')) {
            let builds =
                ["cargo build", "cargo deb", "cargo install", "cargo deny"].iter().any(|word| line.contains(word));
            assert!(!builds || line.contains("--locked"), "{name}: {line}");
        }
    }
}
