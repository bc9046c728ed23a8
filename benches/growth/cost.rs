//! Owns what this process has spent: time of its processors, and bytes written.

use std::ops::{AddAssign, Sub};

/// Microseconds of a tick of the kernel's accounts, which are kept in hundredths of a second.
const TICK_US: u64 = 10_000;

/// What was spent, since the process began or between two moments.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    cpu_us: u64,
    bytes: u64,
}

/// What one thing of many cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub cpu_us: f64,
    pub kib: f64,
}

impl Spent {
    /// Since the process began, all its threads together.
    pub(crate) fn now() -> Self {
        let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
        // The name in brackets may hold blanks; user and system time are the 12th and 13th word behind it.
        let (_, words) = stat.rsplit_once(") ").expect("a name in brackets");
        let ticks = words.split(' ').skip(11).take(2).map(|word| word.parse::<u64>().expect("a number"));
        let io = std::fs::read_to_string("/proc/self/io").expect("Linux");
        let bytes = io.lines().find_map(|line| line.strip_prefix("wchar: ")).expect("a count");
        Self { cpu_us: ticks.sum::<u64>() * TICK_US, bytes: bytes.trim().parse().expect("a number") }
    }

    /// What each of so many cost.
    #[expect(clippy::cast_precision_loss, reason = "figures are for people")]
    pub(crate) fn each(self, count: usize) -> Cost {
        let count = count.max(1) as f64;
        Cost { cpu_us: self.cpu_us as f64 / count, kib: self.bytes as f64 / 1_024.0 / count }
    }
}

impl Sub for Spent {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { cpu_us: self.cpu_us - before.cpu_us, bytes: self.bytes - before.bytes }
    }
}

impl AddAssign for Spent {
    fn add_assign(&mut self, more: Self) {
        self.cpu_us += more.cpu_us;
        self.bytes += more.bytes;
    }
}
