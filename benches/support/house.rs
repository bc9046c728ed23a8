//! Owns the daemon as a process: its configuration, its lines, signals to it, and its store as others see it.
//!
//! It is the very program that was built for the bench, with the optimisation of a release.

use std::fmt::Write;
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use alertferry_simulator::{DEFAULT_CLIENT_ID, DEFAULT_SECRET};

use super::lines::{Lines, Pass};
use super::{Spent, pause, target};

/// Nothing that is waited for takes so long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(900);
/// How often it is looked.
const GLANCE: Duration = Duration::from_millis(20);

/// A directory with a configuration for the fleet, its tenants in a CSV file.
pub(crate) struct House {
    dir: tempfile::TempDir,
}

/// A daemon that runs; it is killed when dropped.
pub(crate) struct Daemon<'a> {
    house: &'a House,
    child: Child,
    lines: Lines,
    /// What it told and nobody asked for yet.
    passes: Vec<Pass>,
    events: Vec<String>,
}

impl House {
    /// For these tenants at this address, with lines for the section `poll`.
    pub(crate) fn furnish(url: &str, tenants: &[String], poll: &str) -> Self {
        let place = target().join("fleet");
        std::fs::create_dir_all(&place).expect("a directory");
        let house = Self { dir: tempfile::tempdir_in(place).expect("a directory") };
        std::fs::create_dir(house.path("tenants.d")).expect("a directory");
        house.write("secret", DEFAULT_SECRET);
        house.write(
            "main.toml",
            &format!(
                "[store]\npath = \"alerts.db\"\n[app.main]\nclient_id = \"{DEFAULT_CLIENT_ID}\"\n\
                 secret = {{ file = \"secret\" }}\nlogin_url = \"{url}\"\napi_url = \"{url}\"\n\
                 [poll]\n{poll}\n[log]\nlevel = \"debug\"\nformat = \"json\"\n",
            ),
        );
        let mut rows = "id,name,region,app\n".to_owned();
        for (tenant, number) in tenants.iter().zip(1..) {
            writeln!(rows, "{tenant},Customer {number},eu,main").expect("memory");
        }
        house.write("tenants.d/fleet.csv", &rows);
        house
    }

    /// The store's write-ahead log, in bytes.
    pub(crate) fn log_bytes(&self) -> u64 {
        std::fs::metadata(self.path("alerts.db-wal")).map_or(0, |file| file.len())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
        std::fs::set_permissions(self.path(name), Permissions::from_mode(0o600)).expect("mode set");
    }

    /// Alerts in the store.
    pub(crate) fn alerts(&self) -> u64 {
        self.number("SELECT count(*) FROM alerts")
    }

    /// Changes of alerts that it has seen: each row that is written makes one.
    pub(crate) fn changes(&self) -> u64 {
        self.number("SELECT coalesce(max(seq), 0) FROM alert_changes")
    }

    fn number(&self, sql: &str) -> u64 {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let conn = rusqlite::Connection::open_with_flags(self.path("alerts.db"), flags).expect("a store");
        let number: i64 = conn.query_row(sql, [], |row| row.get(0)).expect("a number");
        number.try_into().expect("a count")
    }

    /// Starts the daemon; its lines go to a file.
    pub(crate) fn start(&self) -> Daemon<'_> {
        let lines = self.path("lines");
        let out = File::create(&lines).expect("a file");
        let child = Command::new(env!("CARGO_BIN_EXE_alertferry"))
            .arg("--config")
            .arg(self.path("main.toml"))
            .arg("run")
            .stdin(Stdio::null())
            .stdout(out)
            .spawn()
            .expect("started");
        Daemon { house: self, child, lines: Lines::of(&lines), passes: Vec::new(), events: Vec::new() }
    }
}

impl Daemon<'_> {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn house(&self) -> &House {
        self.house
    }

    pub(crate) fn spent(&self) -> Spent {
        Spent::of(self.pid())
    }

    /// Sends a signal by its name, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.pid())]).status();
        assert!(sent.expect("sent").success(), "signal {name}");
    }

    /// Passes that it told of since they were asked for last.
    pub(crate) fn passes(&mut self) -> Vec<Pass> {
        self.listen();
        std::mem::take(&mut self.passes)
    }

    /// Waits for an event that it tells after this call; how long.
    pub(crate) fn hear(&mut self, event: &str) -> Duration {
        let begun = Instant::now();
        self.events.clear();
        self.wait_until(event, |daemon| {
            daemon.listen();
            daemon.events.iter().any(|heard| heard == event)
        });
        begun.elapsed()
    }

    fn listen(&mut self) {
        let news = self.lines.news();
        self.passes.extend(news.passes);
        self.events.extend(news.events);
    }

    /// Waits until `holds` says so.
    pub(crate) fn wait_until(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "{what} did not come: {ended:?}");
            pause(GLANCE);
        }
    }

    /// Asks it to stop; how long it took.
    pub(crate) fn stop(mut self) -> Duration {
        let begun = Instant::now();
        self.signal("TERM");
        let status = self.child.wait().expect("a child");
        assert!(status.success(), "{status}");
        begun.elapsed()
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        // It has usually ended by now, which is no error here.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
