//! Owns what is told to systemd.

use std::time::Duration;

use sd_notify::NotifyState;

/// Where systemd says that it listens.
const SOCKET: &str = "NOTIFY_SOCKET";

/// Whether anybody listens.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "one of the environment's two doors")]
pub fn is_heard() -> bool {
    std::env::var_os(SOCKET).is_some()
}

/// Says that start-up, or a reload, is done.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Says that the configuration is read again; [`ready`] follows, however that ends.
///
/// `Type=notify-reload` takes the two lines only in one datagram, and waits for the time after its own signal: without
/// it, `systemctl reload` would hang until its time limit (`sd_notify(3)`).
pub fn reloading() {
    // A system without a monotonic clock has no systemd either.
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        tell(&[NotifyState::Reloading, now]);
    }
}

/// Says that the daemon is draining.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
}

/// Says that the start takes its time: systemd waits for at least so long from now on, and not less than the unit says.
pub fn more_time(wait: Duration) {
    tell(&[NotifyState::ExtendTimeoutUsec(u32::try_from(wait.as_micros()).unwrap_or(u32::MAX))]);
}

/// Shows one line in `systemctl status`.
pub fn status(line: &str) {
    tell(&[NotifyState::Status(line)]);
}

/// Says that the daemon still makes progress.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// How often [`alive`] must be said, if systemd watches at all.
#[must_use]
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

fn tell(states: &[NotifyState<'_>]) {
    // Without systemd there is nobody to tell; with it, a lost datagram is repeated by the next call.
    drop(sd_notify::notify(states));
}
