//! Who may read the store: members of its group, whether the daemon runs, has stopped or was killed; and nobody else.
//!
//! Needs root, because it acts as three users; without, it says so and does nothing.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use alertferry_simulator::Simulator;

use crate::support::{Config, Daemon, House, PROGRAM, SELDOM, Said, on_threads, said, simulator};

/// A user and his only group; the numbers belong to nobody.
type Who = (u32, u32);

/// The group `alertferry`.
const GROUP: u32 = 51_300;
/// The user `alertferry`.
const DAEMON: Who = (51_234, GROUP);
/// Somebody who was added to the group.
const MEMBER: Who = (51_235, GROUP);
/// Somebody who was not.
const OUTSIDER: Who = (51_236, 51_236);

const TENANTS: u64 = 2;
const ALERTS: usize = 40;
/// How many alerts every reader must count.
const COUNT: &str = "80";

/// A state directory as the unit makes it, and a place that everybody may enter with the program in it.
struct Place {
    house: House,
    open: tempfile::TempDir,
}

impl Place {
    fn new(sim: &Simulator) -> Self {
        let mut config = Config::of(sim);
        config.schedule = SELDOM;
        let house = House::with(&config);
        for name in ["", "main.toml", "secret"] {
            chown(house.path(name), Some(DAEMON.0), Some(GROUP)).expect("given away");
        }
        set_mode(&house.path(""), 0o750);
        set_mode(&house.path("main.toml"), 0o640);
        let open = tempfile::tempdir().expect("a directory");
        set_mode(open.path(), 0o755);
        fs::copy(PROGRAM, open.path().join("alertferry")).expect("copied");
        // A configuration of the outsider's own; it names the same store.
        let store = format!("path = \"{}\"", house.store().display());
        let text = config.text().replace("path = \"alerts.db\"", &store);
        fs::write(open.path().join("own.toml"), text).expect("written");
        set_mode(&open.path().join("own.toml"), 0o644);
        Self { house, open }
    }

    /// A command of somebody else, under the unit's `UMask`.
    fn by(&self, who: Who, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "umask 0027; exec \"$0\" \"$@\""]).arg(program).args(arguments);
        command.uid(who.0).gid(who.1).stdin(Stdio::null()).current_dir("/");
        command
    }

    /// The program, run by somebody with this configuration.
    fn program(&self, who: Who, config: &Path, arguments: &[&str]) -> Command {
        let mut command = self.by(who, &self.open.path().join("alertferry"), &["--config"]);
        command.arg(config).args(arguments);
        command
    }

    fn start(&self) -> Daemon {
        self.house.start_by(self.program(DAEMON, &self.house.path("main.toml"), &["run"]))
    }

    fn read(&self, arguments: &[&str]) -> Said {
        said(&mut self.program(MEMBER, &self.house.path("main.toml"), arguments))
    }

    fn beside(&self, ending: &str) -> PathBuf {
        self.house.path(&format!("alerts.db{ending}"))
    }

    /// Reads as a member of the group, in every way there is.
    fn assert_readable(&self, state: &str) {
        for (file, mode) in [("", 0o640), ("-wal", 0o640), ("-shm", 0o640)] {
            let found = fs::metadata(self.beside(file)).unwrap_or_else(|error| panic!("{state}: {file}: {error}"));
            assert_eq!((found.mode() & 0o777, found.uid(), found.gid()), (mode, DAEMON.0, GROUP), "{state}: {file}");
        }
        self.assert_program_reads(state);
        self.assert_tools_read(state);
    }

    fn assert_program_reads(&self, state: &str) {
        let counted = self.read(&["query", "SELECT count(*) FROM alerts", "--format", "ndjson"]);
        assert_eq!((counted.code, counted.stdout.trim()), (Some(0), "{\"count(*)\":80}"), "{state}: {counted:?}");
        let reads: [&[&str]; 6] = [
            &["alerts", "list", "--limit", "3", "--format", "ndjson"],
            &["alerts", "tail", "-n", "3", "--format", "ndjson"],
            &[
                "query",
                "SELECT alert_id FROM hunt WHERE value MATCH 'file: \"\" OR \"a\"*' LIMIT 3",
                "--format",
                "ndjson",
            ],
            &["query", "SELECT alert_id FROM search WHERE words MATCH 'a*' LIMIT 3", "--format", "ndjson"],
            &["tenant", "list", "--format", "ndjson"],
            &["status", "--format", "json"],
        ];
        for read in reads {
            let said = self.read(read);
            assert!(said.code == Some(0) && said.stdout.lines().count() >= 2, "{state}: {read:?}: {said:?}");
        }
    }

    /// The tools that people have, if they are there.
    fn assert_tools_read(&self, state: &str) {
        let uri = format!("file:{}?mode=ro", self.house.store().display());
        let python = "import sqlite3, sys\n\
                      c = sqlite3.connect(sys.argv[1], uri=True)\n\
                      print(c.execute(sys.argv[2]).fetchone()[0])";
        let sql = "SELECT count(*) FROM alert";
        for (tool, arguments) in [("sqlite3", vec![&*uri, sql]), ("/usr/bin/python3", vec!["-c", python, &*uri, sql])] {
            if Command::new(tool).arg("--version").output().is_err() {
                println!("{state}: not read by {tool}, which is not there");
                continue;
            }
            let said = said(&mut self.by(MEMBER, Path::new(tool), &arguments));
            assert_eq!((said.code, said.stdout.trim()), (Some(0), COUNT), "{state}: {tool}: {said:?}");
        }
    }

    /// Whoever is not in the group is told so, and told nothing else.
    fn assert_closed(&self, state: &str) {
        let own = self.open.path().join("own.toml");
        for read in [["query", "SELECT 1"], ["alerts", "list"], ["tenant", "list"]] {
            let said = said(&mut self.program(OUTSIDER, &own, &read));
            assert_eq!((said.code, said.stdout.as_str()), (Some(77), ""), "{state}: {read:?}: {said:?}");
            assert!(["alerts.db", "group"].iter().all(|word| said.stderr.contains(word)), "{state}: {said:?}");
        }
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("mode set");
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[test]
fn the_group_reads_the_store_in_every_state_and_nobody_else_does() {
    if !is_root() {
        println!("skipped: only root can act as other users");
        return;
    }
    on_threads(async {
        let sim = simulator(TENANTS, ALERTS).await;
        let place = Place::new(&sim);
        let daemon = place.start();
        place.house.wait_until_read_once().await;
        place.assert_readable("running");
        place.assert_closed("running");

        daemon.kill();
        assert!(fs::metadata(place.beside("-wal")).expect("a log").len() > 0, "nothing was left in the log");
        place.assert_readable("killed");
        place.assert_closed("killed");
        // A power cut may leave nothing of the index.
        fs::File::options().write(true).truncate(true).open(place.beside("-shm")).expect("an index");
        place.assert_readable("cut off");

        let daemon = place.start();
        daemon.hear("daemon.ready").await;
        daemon.stop().await;
        assert_eq!(fs::metadata(place.beside("-wal")).expect("a log").len(), 0, "the log was not folded back");
        place.assert_readable("stopped");
        place.assert_closed("stopped");
        // Also where everybody may enter the directory, the files are for the group alone.
        set_mode(&place.house.path(""), 0o755);
        place.assert_closed("stopped, in an open directory");
    });
}

/// Another program that opens the store for writing takes the log and its index away when it closes.
#[test]
fn a_log_that_was_taken_away_is_told_and_comes_back_with_the_daemon() {
    if !is_root() {
        println!("skipped: only root can act as other users");
        return;
    }
    on_threads(async {
        let sim = simulator(TENANTS, ALERTS).await;
        let place = Place::new(&sim);
        let daemon = place.start();
        place.house.wait_until_read_once().await;
        daemon.stop().await;
        let other = rusqlite::Connection::open(place.house.store()).expect("opened");
        other.query_row("SELECT count(*) FROM alert", [], |_| Ok(())).expect("read");
        drop(other);
        assert!(!place.beside("-wal").exists() && !place.beside("-shm").exists());

        for read in [["query", "SELECT 1"], ["alerts", "list"], ["tenant", "list"]] {
            let refused = place.read(&read);
            assert_eq!((refused.code, refused.stdout.as_str()), (Some(77), ""), "{refused:?}");
            assert!(refused.stderr.contains("-wal") && refused.stderr.contains("`alertferry run`"), "{refused:?}");
        }

        let daemon = place.start();
        daemon.hear("daemon.ready").await;
        place.assert_readable("made anew");
        daemon.stop().await;
        place.assert_readable("made anew and stopped");
    });
}
