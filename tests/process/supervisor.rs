//! Owns a supervisor that behaves as systemd towards a daemon: it hears what the daemon tells, and ends one that is
//! silent for longer than the watchdog allows.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::support::{Daemon, House, wait_for};

/// How often the listener looks whether it is to end.
const GLANCE: Duration = Duration::from_millis(50);

/// Silence that comes at all has come by then, also after half a minute of patience.
const SILENCE: Duration = Duration::from_secs(180);

/// One datagram.
#[derive(Debug, Clone)]
pub struct Told {
    pub at: Instant,
    pub text: String,
}

impl Told {
    /// Whether one of its lines is this one.
    pub fn says(&self, line: &str) -> bool {
        self.text.lines().any(|each| each == line)
    }

    /// What stands behind `NAME=` in one of its lines.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    }
}

/// Hears daemons of one house.
pub struct Supervisor {
    path: std::path::PathBuf,
    watchdog: Duration,
    told: Arc<Mutex<Vec<Told>>>,
    done: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

impl Supervisor {
    /// A supervisor for daemons of `house`, who must be heard that often.
    pub fn of(house: &House, watchdog: Duration) -> Self {
        let path = house.path("notify.sock");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_read_timeout(Some(GLANCE)).expect("a limit");
        let (told, done) = (Arc::<Mutex<Vec<Told>>>::default(), Arc::<AtomicBool>::default());
        let (hearing, until) = (Arc::clone(&told), Arc::clone(&done));
        let listener = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while !until.load(Ordering::Relaxed) {
                // An error is the end of the limit: nothing was told.
                let Ok(length) = socket.recv(&mut bytes) else { continue };
                let text = String::from_utf8(bytes[..length].to_vec()).expect("text");
                hearing.lock().expect("whole").push(Told { at: Instant::now(), text });
            }
        });
        Self { path, watchdog, told, done, listener: Some(listener) }
    }

    /// The command line of a daemon that knows of this supervisor; what earlier ones told is forgotten.
    pub fn command(&self, house: &House) -> Command {
        self.told.lock().expect("whole").clear();
        let mut command = house.command(&["run"]);
        command.env("NOTIFY_SOCKET", &self.path).env("WATCHDOG_USEC", self.watchdog.as_micros().to_string());
        command
    }

    /// All that was told so far.
    pub fn told(&self) -> Vec<Told> {
        self.told.lock().expect("whole").clone()
    }

    /// Waits for a datagram that fits, behind the first `seen` ones; its place and itself.
    pub async fn hear(&self, what: &str, seen: usize, fits: impl Fn(&Told) -> bool) -> (usize, Told) {
        wait_for(what, || self.told().into_iter().enumerate().skip(seen).find(|(_, told)| fits(told))).await
    }

    /// How often the watchdog was fed so far.
    pub fn fed(&self) -> usize {
        self.told().iter().filter(|told| told.says("WATCHDOG=1")).count()
    }

    /// Waits until a daemon that was ready is silent for too long, and ends it as systemd does.
    pub async fn end_when_silent(&self, daemon: &mut Daemon) -> ExitStatus {
        let silent = || {
            let told = self.told();
            let last = told.iter().rfind(|told| told.says("WATCHDOG=1") || told.says("READY=1"));
            last.is_some_and(|last| last.at.elapsed() > self.watchdog)
        };
        let begun = Instant::now();
        while !silent() {
            assert!(begun.elapsed() < SILENCE, "silence did not come: {:?}", self.told().last());
            tokio::time::sleep(GLANCE).await;
        }
        daemon.signal("ABRT");
        daemon.ended().await
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(listener) = self.listener.take() {
            listener.join().expect("a listener that ends");
        }
    }
}
