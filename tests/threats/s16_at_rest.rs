//! S16: the alerts of all customers, on a disk that somebody else may come to read.
//!
//! Nothing here is encrypted by the program; docs/OPERATIONS.md says how the disk is. What it does is that no copy is
//! open wider than the store. The store itself is in `s07_file_modes.rs` and `tests/process/readers.rs`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::scene::house;
use crate::support::{House, PROGRAM, on_threads, said, simulator};

/// A store as an earlier program left it.
const EARLIER: &str = include_str!("../upgrade/schema-1.sql");

fn mode_of(path: &Path) -> u32 {
    path.metadata().unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("mode set");
}

/// Runs a command under a parent that withholds nothing; it must succeed.
fn openly(house: &House, arguments: &[&str]) {
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "umask 0; exec \"$0\" \"$@\"", PROGRAM, "--config"]);
    let told = said(command.arg(house.path("main.toml")).args(arguments));
    assert_eq!(told.code, Some(0), "{arguments:?}: {told:?}");
}

#[test]
fn s16_the_copy_before_a_migration_is_for_its_owner_alone() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        let house = house(&sim, &sim.login_url());
        let conn = rusqlite::Connection::open(house.store()).expect("a file");
        conn.execute_batch("PRAGMA journal_mode = wal").expect("a log");
        conn.execute_batch(EARLIER).expect("an earlier schema");
        drop(conn);
        set_mode(&house.store(), 0o640);
        openly(&house, &["sync"]);
        let copies: Vec<_> = std::fs::read_dir(house.path("."))
            .expect("a directory")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.to_string_lossy().contains(".before-schema-"))
            .collect();
        assert_eq!(copies.len(), 1, "{copies:?}");
        assert_eq!(mode_of(&copies[0]), 0o600);
        assert_eq!(mode_of(&house.store()), 0o640);
        let copy = rusqlite::Connection::open(&copies[0]).expect("a copy");
        let alerts: i64 = copy.query_row("SELECT count(*) FROM alert", [], |row| row.get(0)).expect("alerts");
        assert!(alerts >= 10, "the copy is whole: {alerts}");
    });
}

/// A store that somebody opened to all is no reason for its copies to be. (A file that an export replaces keeps the mode
/// that its owner has given it.)
#[test]
fn s16_copies_inherit_no_wider_mode() {
    on_threads(async {
        let sim = simulator(1, 10).await;
        let house = house(&sim, &sim.login_url());
        openly(&house, &["sync"]);
        set_mode(&house.store(), 0o666);
        let at = |name: &str| house.path(name).display().to_string();
        openly(&house, &["backup", &at("copy.db")]);
        openly(&house, &["export", "alerts", "--out", &at("alerts.parquet")]);
        openly(&house, &["export", "evidence", "--out", &at("evidence.csv")]);
        openly(&house, &["export", "changes", "--out", &at("changes.ndjson")]);
        for (name, mode) in
            [("copy.db", 0o600), ("alerts.parquet", 0o640), ("evidence.csv", 0o640), ("changes.ndjson", 0o640)]
        {
            assert_eq!(mode_of(&house.path(name)), mode, "{name}");
        }
    });
}

#[test]
fn s16_the_page_says_how_the_disk_is_encrypted() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/OPERATIONS.md")).expect("it");
    let section = page.split("\n## Encrypted disks").nth(1).and_then(|rest| rest.split("\n## ").next());
    let section = section.expect("a section");
    for word in ["cryptsetup", "crypttab", "RequiresMountsFor=", "swap", "backup"] {
        assert!(section.contains(word), "{word}");
    }
}
