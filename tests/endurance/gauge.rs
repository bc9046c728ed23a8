//! Owns what a running daemon takes of its machine, as the system counts it.

use std::path::Path;

use crate::support::Daemon;

/// What a daemon has at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Gauge {
    /// Memory in KiB.
    pub memory: u64,
    /// Open files.
    pub files: u64,
    /// Threads.
    pub threads: u64,
    /// Bytes of the store's log.
    pub log: u64,
}

/// A number of `/proc/PID/status`, such as `VmHWM`; none once the process is gone.
pub fn status(pid: u32, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

impl Gauge {
    /// What the daemon has now; none once it is gone.
    pub fn of(daemon: &Daemon, store: &Path) -> Option<Self> {
        let count = |what: &str| Some(std::fs::read_dir(format!("/proc/{}/{what}", daemon.pid())).ok()?.count() as u64);
        let log = alertferry::store::files(store)[1].metadata().map_or(0, |file| file.len());
        Some(Self { memory: status(daemon.pid(), "VmRSS")?, files: count("fd")?, threads: count("task")?, log })
    }
}

/// The half of a life after its warm-up, against the other half of it: the medians and the most of one number.
#[derive(Debug)]
pub struct Trend {
    pub medians: [u64; 2],
    pub most: [u64; 2],
}

impl Trend {
    /// Of a number of each gauge; the first quarter is the warm-up.
    pub fn of(gauges: &[Gauge], number: impl Fn(&Gauge) -> u64) -> Self {
        let warm = &gauges[gauges.len() / 4..];
        let halves = warm.split_at(warm.len() / 2);
        let of = |half: &[Gauge]| {
            let mut numbers: Vec<u64> = half.iter().map(&number).collect();
            numbers.sort_unstable();
            (numbers[numbers.len() / 2], numbers[numbers.len() - 1])
        };
        let ((first, first_most), (second, second_most)) = (of(halves.0), of(halves.1));
        Self { medians: [first, second], most: [first_most, second_most] }
    }
}
