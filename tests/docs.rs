//! Holds the pages for people against the repository: samples load, named tests and events exist, links lead somewhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use alertferry::event::CATALOG;
use alertferry::settings::{Environment, Settings};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in std::fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() && !path.ends_with("target") && !path.ends_with(".git") {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Every page: its path below the repository, and its text.
fn pages() -> Vec<(PathBuf, String)> {
    let mut paths = files(&root().join("docs"), ".md");
    let top = std::fs::read_dir(root()).expect("the repository").map(|entry| entry.expect("an entry").path());
    paths.extend(top.filter(|path| path.extension().is_some_and(|kind| kind == "md")));
    paths.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).expect("UTF-8"))).collect()
}

/// The blocks of a page that open with this line.
fn blocks<'a>(page: &'a str, fence: &str) -> Vec<&'a str> {
    let parts = page.split(fence).skip(1);
    parts.map(|part| part.split("\n```").next().expect("an end")).collect()
}

#[test]
fn every_sample_configuration_loads() {
    let environment: Environment = [("CREDENTIALS_DIRECTORY", "/run/credentials/alertferry")].into_iter().collect();
    let mut loaded = 0;
    for (path, page) in pages() {
        for block in blocks(&page, "\n```toml config\n") {
            let place = tempfile::tempdir().expect("a directory");
            let file = place.path().join("alertferry.toml");
            std::fs::write(&file, block).expect("written");
            let settings = Settings::load_with(&file, &environment);
            settings.unwrap_or_else(|errors| panic!("{}: {errors}\n{block}", path.display()));
            loaded += 1;
        }
    }
    assert!(loaded >= 2, "{loaded}");
}

#[test]
fn invariants_name_tests_that_exist() {
    let page = std::fs::read_to_string(root().join("docs/ARCHITECTURE.md")).expect("the map");
    let section = page.split("\n## Invariants").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("invariants");
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| ") && line.contains('`')).collect();
    let named: BTreeSet<&str> = rows
        .iter()
        .filter_map(|row| row.rsplit(" | ").next())
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    assert!(rows.len() >= 20 && named.len() >= rows.len(), "{} rows, {} tests", rows.len(), named.len());
    assert_exist(named);
}

/// Each of `names` is a function of the sources or tests.
fn assert_exist<'a>(names: impl IntoIterator<Item = &'a str>) {
    let code: String = ["src", "tests"]
        .iter()
        .flat_map(|place| files(&root().join(place), ".rs"))
        .map(|path| std::fs::read_to_string(path).expect("UTF-8"))
        .collect();
    for name in names {
        assert!(code.contains(&format!("fn {name}(")), "{name}: a test that does not exist");
    }
}

/// Every fault of the page says what happens, what is seen, what to do, and which tests show it.
#[test]
fn faults_name_tests_that_exist() {
    let page = std::fs::read_to_string(root().join("docs/OPERATIONS.md")).expect("the page");
    let section =
        page.split("\n## What happens when…").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("faults");
    let rows: Vec<Vec<&str>> = section
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect()))
        .skip(1)
        .collect();
    assert!(rows.len() >= 20, "{} rows", rows.len());
    for row in &rows {
        assert!(row.len() == 5 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        let shown: Vec<&str> = row[4].split('`').skip(1).step_by(2).collect();
        assert!(!shown.is_empty(), "{} is shown by no test", row[0]);
        assert_exist(shown);
    }
}

/// The threats in their order; each says what is done, and names tests, those of its own number first among them.
#[test]
fn threats_name_tests_that_exist() {
    let page = std::fs::read_to_string(root().join("docs/SECURITY.md")).expect("the page");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| S"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let mut shown_anywhere = BTreeSet::new();
    for (row, number) in rows.iter().zip(1..) {
        assert!(row.len() == 4 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        assert_eq!(row[0], format!("S{number}"));
        let shown: Vec<&str> = row[3].split('`').skip(1).step_by(2).collect();
        assert!(number > 17 || shown[0].starts_with(&format!("s{number:02}_")), "{row:?}");
        assert!(!shown.is_empty(), "{row:?}");
        assert_exist(shown.iter().copied());
        shown_anywhere.extend(shown);
    }
    assert_eq!(rows.len(), 21);
    // And every test that has a threat's number is on the page.
    for path in files(&root().join("tests/threats"), ".rs") {
        let code = std::fs::read_to_string(path).expect("UTF-8");
        for name in code.split("\nfn s").skip(1).map(|rest| rest.split('(').next().expect("a name")) {
            if name.starts_with(|first: char| first.is_ascii_digit()) {
                assert!(shown_anywhere.contains(format!("s{name}").as_str()), "s{name} is not on the page");
            }
        }
    }
}

/// Every row of the fault matrix is on the page, and names tests.
#[test]
fn rows_of_the_fault_matrix_name_tests_that_exist() {
    let page = std::fs::read_to_string(root().join("docs/RELIABILITY.md")).expect("the page");
    // D2 needs a disk that loses power.
    let rows = [("D", 1..=9, 2), ("N", 1..=16, 0), ("T", 1..=2, 0), ("P", 1..=6, 0)];
    for (kind, numbers, missing) in rows {
        for row in numbers.filter(|number| *number != missing).map(|number| format!("| {kind}{number} |")) {
            let lines: Vec<&str> = page.lines().filter(|line| line.starts_with(&row)).collect();
            assert!(!lines.is_empty(), "{row} is not on the page");
            for line in lines {
                let shown: Vec<&str> = line.split(" | ").nth(5).expect("tests").split('`').skip(1).step_by(2).collect();
                assert!(!shown.is_empty(), "{line}");
                assert_exist(shown);
            }
        }
    }
}

#[test]
fn numbers_of_invariants_and_decisions_are_in_order() {
    let page = std::fs::read_to_string(root().join("docs/ARCHITECTURE.md")).expect("the map");
    let numbers = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()?.parse::<usize>().ok());
    assert!(numbers.eq(1..=27));
    for (index, path) in files(&root().join("docs/decisions"), ".md").iter().enumerate() {
        let number = format!("{:04}", index + 1);
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let text = std::fs::read_to_string(path).expect("UTF-8");
        assert!(name.starts_with(&format!("{number}-")) && text.starts_with(&format!("# {number}: ")), "{name}");
        for part in ["\nStatus: ", "\n## Context\n", "\n## Decision\n", "\n## Consequences\n"] {
            assert!(text.contains(part), "{name} lacks {part:?}");
        }
        assert!(text.lines().count() <= 60, "{name} is longer than a page");
    }
}

/// Events that pages speak of: a dotted name in code whose first part is one of the catalogue's.
#[test]
fn named_events_exist() {
    let known: BTreeSet<&str> = CATALOG.iter().map(|event| event.name).collect();
    let areas: BTreeSet<&str> = known.iter().filter_map(|name| name.split('.').next()).collect();
    let keys = ["admin.listen", "admin.allow_remote", "admin.tenant_series_limit"];
    let is_key = |name: &str| name.starts_with("store.path") || name.starts_with("log.") || keys.contains(&name);
    for (path, page) in pages() {
        for name in page.split('`').skip(1).step_by(2) {
            let Some((area, rest)) = name.split_once('.') else { continue };
            let dotted = rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            if areas.contains(area) && dotted && !is_key(name) && rest != "rs" {
                assert!(known.contains(name), "{}: there is no event {name}", path.display());
            }
        }
    }
}

#[test]
fn links_inside_the_repository_lead_somewhere() {
    for (path, page) in pages() {
        for part in page.split("](").skip(1) {
            let target = part.split(')').next().expect("an end").split('#').next().expect("a path");
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let found = path.parent().expect("a directory").join(target);
            // The page of figures is written by the bench.
            assert!(found.exists(), "{}: {target}", path.display());
        }
    }
}

#[test]
fn short_commands_are_defined() {
    let aliases = std::fs::read_to_string(root().join(".cargo/config.toml")).expect("the aliases");
    let page = std::fs::read_to_string(root().join("CONTRIBUTING.md")).expect("the page");
    for name in page.split("`cargo ").skip(1).map(|rest| rest.split([' ', '`']).next().expect("a word")) {
        let own = aliases.contains(&format!("\n{name} = "));
        assert!(own || ["test", "fmt", "bench"].contains(&name), "cargo {name}");
    }
}

/// The exit codes of the page are those of `--help`.
#[test]
fn exit_codes_are_the_programs() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_alertferry")).arg("--help").output().expect("it runs");
    let help = String::from_utf8(help.stdout).expect("UTF-8");
    let told = &help[help.find("Exit codes").expect("exit codes")..];
    let told: BTreeSet<&str> = told.split(|c: char| !c.is_ascii_digit()).filter(|code| !code.is_empty()).collect();
    let page = std::fs::read_to_string(root().join("docs/OPERATIONS.md")).expect("the page");
    let section = page.split("\n## Exit codes").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("the codes");
    let shown: BTreeSet<&str> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(' ').next())
        .filter(|code| code.parse::<u8>().is_ok())
        .collect();
    assert_eq!(shown, told);
    let unit = std::fs::read_to_string(root().join("systemd/alertferry.service")).expect("the unit");
    let ends = unit.lines().find_map(|line| line.strip_prefix("RestartPreventExitStatus=")).expect("exit codes");
    for row in section.lines().filter(|line| line.ends_with("| no |") || line.ends_with("| yes |")) {
        let code = row.trim_start_matches("| ").split(' ').next().expect("a code");
        let again = row.ends_with("| yes |");
        assert_eq!(again, !ends.split(' ').any(|end| end == code) && code != "0", "{row}");
    }
}
