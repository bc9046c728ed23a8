//! Owns what is told to systemd.

use std::time::Duration;

use sd_notify::NotifyState;

/// Says that start-up is done.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Says that the daemon is draining.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
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
