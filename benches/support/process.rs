//! Owns what a process has spent and holds: time of its processors, bytes written, memory, open files, threads.

use std::ops::{AddAssign, Sub};
use std::time::Duration;

/// Microseconds of a tick of the kernel's accounts, which are kept in hundredths of a second.
const TICK_US: u64 = 10_000;

/// What was spent, since the process began or between two moments, and what it held at the later one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    /// Microseconds of processors, all threads together.
    pub cpu_us: u64,
    /// Bytes handed to the kernel, into files and sockets.
    pub bytes: u64,
    /// Memory in use.
    pub rss_kib: u64,
    /// The most memory that was in use since the process began or [`Spent::forget_peak`].
    pub peak_kib: u64,
    /// Open files and sockets.
    pub files: u64,
    pub threads: u64,
}

impl Spent {
    /// Of this process.
    pub(crate) fn here() -> Self {
        Self::of(std::process::id())
    }

    /// Time and bytes of this process alone: quick enough to be looked at beside what takes microseconds.
    pub(crate) fn time_and_bytes_here() -> Self {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/self/{file}")).expect("Linux");
        Self { cpu_us: cpu_us(&read("stat")), bytes: value(&read("io"), "wchar:"), ..Self::default() }
    }

    /// Of any process of this user.
    pub(crate) fn of(pid: u32) -> Self {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).expect("a process on Linux");
        let (status, io) = (read("status"), read("io"));
        let files = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("a process on Linux").count();
        Self {
            cpu_us: cpu_us(&read("stat")),
            bytes: value(&io, "wchar:"),
            rss_kib: value(&status, "VmRSS:"),
            peak_kib: value(&status, "VmHWM:"),
            files: files.try_into().expect("a count"),
            threads: value(&status, "Threads:"),
        }
    }

    /// From now on, the peak of that process is what comes later.
    pub(crate) fn forget_peak(pid: u32) {
        std::fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("a process of this user");
    }

    pub(crate) fn cpu_seconds(self) -> f64 {
        Duration::from_micros(self.cpu_us).as_secs_f64()
    }

    #[expect(clippy::cast_precision_loss, reason = "figures are for people")]
    pub(crate) fn peak_mib(self) -> f64 {
        self.peak_kib as f64 / 1_024.0
    }

    #[expect(clippy::cast_precision_loss, reason = "figures are for people")]
    pub(crate) fn rss_mib(self) -> f64 {
        self.rss_kib as f64 / 1_024.0
    }

    /// KiB written for each of so many.
    #[expect(clippy::cast_precision_loss, reason = "figures are for people")]
    pub(crate) fn kib_each(self, count: usize) -> f64 {
        self.bytes as f64 / 1_024.0 / count.max(1) as f64
    }

    /// Microseconds of processors for each of so many.
    #[expect(clippy::cast_precision_loss, reason = "figures are for people")]
    pub(crate) fn cpu_us_each(self, count: usize) -> f64 {
        self.cpu_us as f64 / count.max(1) as f64
    }
}

/// User and system time out of `stat`.
fn cpu_us(stat: &str) -> u64 {
    // The name in brackets may hold blanks; the times are the 12th and 13th word behind it.
    let (_, words) = stat.rsplit_once(") ").expect("a name in brackets");
    let ticks = words.split(' ').skip(11).take(2).map(|word| word.parse::<u64>().expect("a number"));
    ticks.sum::<u64>() * TICK_US
}

/// The value of a line such as `VmHWM:    1234 kB`.
fn value(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect(name);
    line.split_whitespace().next().and_then(|word| word.parse().ok()).expect(name)
}

impl Sub for Spent {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { cpu_us: self.cpu_us - before.cpu_us, bytes: self.bytes - before.bytes, ..self }
    }
}

impl AddAssign for Spent {
    fn add_assign(&mut self, more: Self) {
        *self = Self { cpu_us: self.cpu_us + more.cpu_us, bytes: self.bytes + more.bytes, ..more };
    }
}

/// Waits; a bench has no stop signal.
#[expect(clippy::disallowed_methods, reason = "a benchmark has no stop signal")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
