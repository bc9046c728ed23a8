//! Owns the daemon as a child process: its lines on disk, signals to it, and its end.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::wait_for;

/// Within this time the daemon promises to have stopped.
pub const PROMISED_STOP: Duration = Duration::from_secs(5);

/// A daemon that runs; it is killed when dropped.
pub struct Daemon {
    pub(super) child: Child,
    pub(super) stdout: PathBuf,
    pub(super) stderr: PathBuf,
}

impl Daemon {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its whole lines so far.
    pub fn lines(&self) -> Vec<Value> {
        lines_of(&self.stdout)
    }

    /// Everything it wrote so far, as text.
    pub fn spoken(&self) -> String {
        [&self.stdout, &self.stderr].map(|path| std::fs::read_to_string(path).unwrap_or_default()).concat()
    }

    /// Waits for a line of this event.
    pub async fn hear(&self, event: &str) -> Value {
        self.hear_where(event, |_| true).await
    }

    /// Waits for a line of this event that fits.
    pub async fn hear_where(&self, event: &str, fits: impl Fn(&Value) -> bool) -> Value {
        wait_for(event, || self.lines().into_iter().find(|line| line["event"] == event && fits(line))).await
    }

    /// Sends a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.pid())]).status();
        assert!(sent.expect("sent").success(), "signal {name}");
    }

    /// Whether it has not ended.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// Kills it without a warning.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        wait_for("the daemon's end", || child.try_wait().expect("a child")).await
    }

    /// Asks it to stop and asserts that it does so well and within the promised time; how long it took.
    pub async fn stop(mut self) -> Duration {
        let begun = Instant::now();
        self.signal("TERM");
        let status = self.ended().await;
        let took = begun.elapsed();
        assert_eq!(status.code(), Some(0), "{status}: {}", self.spoken());
        assert!(took < PROMISED_STOP, "stopping took {took:?}: {}", self.spoken());
        took
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It has usually ended by now, which is no error here.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The whole lines of a file; what a kill has torn off at its end is none.
pub(super) fn lines_of(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// The numbers of the changes that `lines` tell.
pub fn told(lines: &[Value]) -> std::collections::BTreeSet<i64> {
    lines.iter().filter_map(|line| line["seq"].as_i64()).collect()
}
