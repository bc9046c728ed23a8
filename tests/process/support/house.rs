//! Owns a directory with a configuration, a secret and a store, in which the program is run.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use alertferry_simulator::{DEFAULT_SECRET, Simulator};
use serde_json::Value;

use super::config::Config;
use super::daemon::{Daemon, lines_of};
use super::wait_until;
use crate::rig;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_alertferry");

/// A directory with a configuration, a secret and a store.
pub struct House {
    dir: tempfile::TempDir,
    runs: std::cell::Cell<u32>,
}

/// What a command said and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl House {
    /// A house with this configuration and the right secret.
    pub fn with(config: &Config) -> Self {
        let house = Self { dir: tempfile::tempdir().expect("a directory"), runs: 0.into() };
        house.write_private("secret", DEFAULT_SECRET);
        house.configure(config);
        house
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn store(&self) -> PathBuf {
        self.path("alerts.db")
    }

    pub fn configure(&self, config: &Config) {
        // Whatever this machine's umask: a check warns of files that a group may write.
        self.write_private("main.toml", &config.text());
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }

    /// Writes a file that only its owner may read.
    pub fn write_private(&self, name: &str, text: &str) {
        self.write(name, text);
        std::fs::set_permissions(self.path(name), PermissionsExt::from_mode(0o600)).expect("mode set");
    }

    /// The command line that uses this house, yet to be run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("--config").arg(self.path("main.toml")).args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Said {
        said(&mut self.command(arguments))
    }

    /// Starts the daemon with its lines in a file of their own.
    pub fn start(&self) -> Daemon {
        self.start_by(self.command(&["run"]))
    }

    /// Starts the daemon by this command line.
    pub fn start_by(&self, mut command: Command) -> Daemon {
        let number = self.runs.replace(self.runs.get() + 1);
        let [stdout, stderr] = ["out", "err"].map(|kind| self.path(&format!("{number}.{kind}")));
        let file = |path: &Path| File::create(path).expect("a file");
        let child = command.stdout(file(&stdout)).stderr(file(&stderr)).spawn().expect("started");
        Daemon { child, stdout, stderr }
    }

    /// Starts the daemon with its lines sent elsewhere.
    pub fn start_into(&self, out: impl Into<Stdio>) -> Daemon {
        self.start_by_into(self.command(&["run"]), out)
    }

    /// Starts the daemon by this command line with its lines sent elsewhere.
    pub fn start_by_into(&self, mut command: Command, out: impl Into<Stdio>) -> Daemon {
        let number = self.runs.replace(self.runs.get() + 1);
        let [stdout, stderr] = ["out", "err"].map(|kind| self.path(&format!("{number}.{kind}")));
        let errors = File::create(&stderr).expect("a file");
        let child = command.stdout(out).stderr(errors).spawn().expect("started");
        Daemon { child, stdout, stderr }
    }

    /// The lines of all daemons that ran here.
    pub fn all_lines(&self) -> Vec<Value> {
        (0..self.runs.get()).flat_map(|number| lines_of(&self.path(&format!("{number}.out")))).collect()
    }

    /// All rows of a query as text; none while there is no store that can be asked.
    pub fn query(&self, sql: &str) -> Vec<Vec<String>> {
        rig::query_all(&self.store(), sql)
    }

    /// One number from the store.
    pub fn number(&self, sql: &str) -> i64 {
        self.query(sql)[0][0].parse().expect("a number")
    }

    /// While no daemon runs: whatever waits has waited long enough, and the calls of the last hour are long past.
    pub fn time_passes(&self) {
        let conn = rusqlite::Connection::open(self.store()).expect("a store");
        let past = "2020-01-01T00:00:00.0000000Z";
        let sql = format!(
            "UPDATE gap SET not_before = NULL; UPDATE tenant SET next_attempt_at = '{past}', calls_counted_at = '{past}';"
        );
        conn.execute_batch(&sql).expect("changed");
    }

    /// Waits until every active tenant was read to the end after this call.
    pub async fn wait_until_read(&self) {
        wait_until("a store", || self.store_is_there()).await;
        let now = self.query("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")[0][0].clone();
        let unread = format!(
            "SELECT count(*) FROM tenants \
             WHERE state <> 'disabled' AND (last_success_at IS NULL OR last_success_at < '{now}' OR open_gaps > 0)"
        );
        wait_until("the end of reading", || {
            self.number("SELECT count(*) FROM tenants") > 0 && self.number(&unread) == 0
        })
        .await;
    }

    /// Waits until every tenant was read to the end, whenever that was.
    pub async fn wait_until_read_once(&self) {
        wait_until("a store", || self.store_is_there()).await;
        let unread = "SELECT count(*) FROM tenants WHERE last_success_at IS NULL OR open_gaps > 0";
        wait_until("the end of reading", || {
            self.number("SELECT count(*) FROM tenants") > 0 && self.number(unread) == 0
        })
        .await;
    }

    /// The numbers of all changes.
    pub fn changes(&self) -> BTreeSet<i64> {
        self.query("SELECT seq FROM alert_changes").iter().map(|row| row[0].parse().expect("a number")).collect()
    }

    /// Whether the store has its views.
    pub fn store_is_there(&self) -> bool {
        Self::has_store(&self.store())
    }

    /// Whether there is a store at `path` that has its views.
    pub fn has_store(path: &Path) -> bool {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let conn = rusqlite::Connection::open_with_flags(path, flags);
        conn.is_ok_and(|conn| conn.prepare("SELECT 1 FROM passes").is_ok())
    }

    /// The row of the view `tenants`: state, reason, remedy.
    pub fn standing(&self, id: &str) -> [String; 3] {
        let sql = format!("SELECT state, reason, remedy FROM tenants WHERE tenant_id = '{id}'");
        self.query(&sql).pop().and_then(|row| row.try_into().ok()).unwrap_or_default()
    }

    /// Asserts that the store is whole and equals the truth for these tenants.
    pub fn assert_equals_truth(&self, sim: &Simulator, tenants: &[String]) {
        assert_eq!(self.query("PRAGMA integrity_check"), [["ok"]]);
        rig::derived::assert_derived(&self.store());
        for tenant in tenants {
            rig::assert_equals_truth(&self.store(), sim, tenant);
        }
    }
}

/// Runs a command to its end.
pub fn said(command: &mut Command) -> Said {
    let output = command.output().expect("started");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Said { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
