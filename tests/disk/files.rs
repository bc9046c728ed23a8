//! Row D8: the store's files are taken away, replaced or closed to the daemon, while it runs and before it starts.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use alertferry_simulator::Simulator;

use crate::rig::campaign::Row;
use crate::stand;
use crate::support::{Config, Daemon, House, PROGRAM, on_threads, said, simulator, wait_until};

/// Somebody who is not root.
const NOBODY: u32 = 65_534;

/// A house with a store of its own in a directory of its own, which can be taken away.
struct Place {
    house: House,
    sim: Simulator,
}

impl Place {
    async fn new() -> Self {
        let sim = simulator(2, 40).await;
        let config = Config::of(&sim);
        let house = House::with(&config);
        fs::create_dir(house.path("data")).expect("a directory");
        house.write_private("main.toml", &config.text().replace("alerts.db", "data/alerts.db"));
        Self { house, sim }
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.house.path(&format!("data/alerts.db{ending}"))
    }

    async fn started(&self) -> Daemon {
        let daemon = self.house.start();
        daemon.hear("daemon.ready").await;
        let read = |line: &serde_json::Value| line["outcome"] == "read";
        wait_until("tenants read", || daemon.lines().iter().filter(|line| read(line)).count() >= 2).await;
        daemon
    }

    fn assert_heals(&self, tried: &str) {
        let said = stand::run(self.house.command(&["sync"]));
        assert_eq!(said.code, Some(0), "{tried}: {said:?}");
        let store = self.file("");
        assert_eq!(crate::rig::query_all(&store, "PRAGMA integrity_check"), [["ok"]], "{tried}");
        crate::rig::derived::assert_derived(&store);
        for tenant in self.sim.world().with(|world| world.tenant_ids()) {
            crate::rig::assert_equals_truth(&store, &self.sim, &tenant);
        }
    }
}

/// Puts a file of another's making into the place of one that is open, as a careful program would.
fn replace(path: &Path, by: &Path) {
    let beside = path.with_extension("incoming");
    fs::copy(by, &beside).expect("a copy");
    fs::rename(beside, path).expect("replaced");
}

fn foreign(path: &Path) {
    let conn = rusqlite::Connection::open(path).expect("a database");
    conn.execute_batch("CREATE TABLE invoices (a); INSERT INTO invoices VALUES (1);").expect("theirs");
}

fn newer(path: &Path) {
    let conn = rusqlite::Connection::open(path).expect("a store");
    conn.execute_batch(
        "INSERT INTO refinery_schema_history SELECT 99, 'future', applied_on, checksum FROM refinery_schema_history LIMIT 1;
         PRAGMA journal_mode = delete;",
    )
    .expect("from the future");
}

/// What is done to the files of a running daemon, and what the next start says to it.
const TAKEN: [(&str, &str, i32); 9] = [
    ("removed", "was removed", 0),
    ("renamed", "was removed", 0),
    ("log removed", "-wal was removed", 0),
    ("index removed", "-shm was removed", 0),
    ("all removed", "was removed", 0),
    ("directory gone", "was removed", 66),
    ("replaced by an older copy", "was replaced", 0),
    ("replaced by another program's", "was replaced", 65),
    ("replaced by a newer one", "was replaced", 65),
];

fn take(place: &Place, what: &str) {
    let (store, other) = (place.file(""), place.house.path("other.db"));
    let remove = |ending: &str| fs::remove_file(place.file(ending)).expect("removed");
    match what {
        "removed" => remove(""),
        "renamed" => fs::rename(&store, place.house.path("aside.db")).expect("renamed"),
        "log removed" => remove("-wal"),
        "index removed" => remove("-shm"),
        "all removed" => ["", "-wal", "-shm"].into_iter().for_each(remove),
        "directory gone" => fs::rename(place.house.path("data"), place.house.path("elsewhere")).expect("renamed"),
        "replaced by an older copy" => replace(&store, &place.house.path("copy.db")),
        "replaced by another program's" => {
            foreign(&other);
            replace(&store, &other);
        }
        "replaced by a newer one" => {
            fs::copy(place.house.path("copy.db"), &other).expect("a copy");
            newer(&other);
            replace(&store, &other);
        }
        unknown => panic!("{unknown}"),
    }
}

#[test]
fn d8_files_that_are_taken_away_end_the_daemon_and_nothing_else_is_written() {
    on_threads(async {
        let row = Row::begin("D8");
        for (what, says, next) in TAKEN {
            let place = Place::new().await;
            let mut daemon = place.started().await;
            let copied = place.house.run(&["backup", &place.house.path("copy.db").to_string_lossy()]);
            assert_eq!(copied.code, Some(0), "{copied:?}");
            take(&place, what);
            let new = what.starts_with("replaced").then(|| fs::read(place.file("")).expect("the new one"));
            let status = daemon.ended().await;
            let spoken = daemon.spoken();
            assert_eq!(status.code(), Some(74), "{what}: {spoken}");
            assert!(daemon.lines().iter().any(|line| line["event"] == "store.failed"), "{what}: {spoken}");
            assert!(spoken.contains(says) && spoken.contains("alerts.db"), "{what}: {spoken}");
            if let Some(new) = new {
                assert!(fs::read(place.file("")).expect("the new one") == new, "{what}: it was written into");
            }
            let said = stand::run(place.house.command(&["sync"]));
            assert_eq!(said.code, Some(next), "{what}, the next start: {said:?}");
            if next == 0 {
                place.assert_heals(what);
            }
        }
        row.held(TAKEN.len() as u64, "each ended with 74, what came in its place was not written into");
    });
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("mode set");
}

/// The program run by somebody who is not root, whoever runs the tests.
fn by_nobody(place: &Place, arguments: &[&str]) -> Command {
    let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    let program = place.house.path("alertferry");
    if !program.exists() {
        fs::copy(PROGRAM, &program).expect("a copy");
    }
    let mut command = Command::new(program);
    command.arg("--config").arg(place.house.path("main.toml")).args(arguments);
    if root {
        let owned = ["", "data", "main.toml", "secret", "data/alerts.db", "data/alerts.db-wal", "data/alerts.db-shm"];
        for name in owned.into_iter().chain(["data/alerts.db.lock"]) {
            let path = place.house.path(name);
            drop(std::os::unix::fs::chown(&path, Some(NOBODY), Some(NOBODY)));
        }
        command.uid(NOBODY).gid(NOBODY).current_dir("/");
    }
    command
}

#[test]
fn d8_permissions_that_are_taken_away_are_told_and_waited_for() {
    on_threads(async {
        let row = Row::begin("D8");
        let place = Place::new().await;
        let daemon = place.house.start_by(by_nobody(&place, &["run"]));
        // One that cannot open its files at the start ends instead.
        daemon.hear("pass.finished").await;
        // Nobody may look into the directory, so nobody can tell whether the file still is the one that is open.
        set_mode(&place.house.path("data"), 0o000);
        let failed = daemon.hear("store.failed").await;
        assert!(failed["reason"].as_str().is_some_and(|reason| reason.contains("ermission denied")), "{failed}");
        set_mode(&place.house.path("data"), 0o700);
        daemon.hear("store.recovered").await;
        daemon.stop().await;

        for (name, mode) in [("data/alerts.db", 0o444), ("data/alerts.db", 0o000), ("data", 0o500), ("data", 0o000)] {
            let path = place.house.path(name);
            let before = fs::metadata(&path).expect("there").permissions();
            set_mode(&path, mode);
            let lock = place.house.path("data/alerts.db.lock");
            if mode == 0o500 {
                fs::remove_file(lock).expect("removed");
            }
            let said = said(&mut by_nobody(&place, &["sync"]));
            assert_eq!(said.code, Some(77), "{name} {mode:o}: {said:?}");
            assert!(said.stderr.contains("alerts.db"), "{name} {mode:o}: {said:?}");
            fs::set_permissions(&path, before).expect("mode set back");
        }
        place.assert_heals("permissions");
        row.held(5, "permissions taken away: waited for while it runs, 77 at the start");
    });
}
