//! Owns a clock of the daemon that a test sets while the daemon runs: `clock.c`, loaded into it before the C library.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::Command;

use alertferry::clock::Clock;
use alertferry_simulator::Ticks;

use crate::shims::CLOCK;
use crate::support::House;

const NANOS: i64 = 1_000_000_000;

/// How far a daemon's clocks are from this machine's.
pub struct ShiftedClock {
    file: File,
    off: i64,
    slept: i64,
}

impl ShiftedClock {
    /// A clock that is right so far, and the command line of a daemon that lives by it.
    pub fn of(house: &House) -> (Self, Command) {
        let path = house.path("shift");
        // The program maps it, so it is written in place and never replaced.
        let file = File::create(&path).expect("a file");
        let clock = Self { file, off: 0, slept: 0 };
        clock.write();
        let command = Self::command(house);
        (clock, command)
    }

    /// The command line of a further daemon that lives by the clock of this house.
    pub fn command(house: &House) -> Command {
        let mut command = house.command(&["run"]);
        command.env("LD_PRELOAD", &*CLOCK).env("SHIFTED_BY", house.path("shift"));
        command
    }

    /// Somebody sets the wall clock so many seconds on, or back.
    pub fn jump(&mut self, seconds: i64) {
        self.off += seconds * NANOS;
        self.write();
    }

    /// Somebody sets the wall clock to a time, in Unix seconds.
    pub fn set(&mut self, seconds: i64) {
        self.off = (seconds - Clock::System.now().unix_seconds()) * NANOS - self.slept;
        self.write();
    }

    /// Somebody sets the wall clock right, as the world has it.
    pub fn set_right(&mut self, now: Ticks) {
        self.set(now.unix_seconds());
    }

    /// The machine has slept for so many seconds; the program must be stopped for as long as this takes.
    pub fn sleep(&mut self, seconds: i64) {
        self.slept += seconds * NANOS;
        self.write();
    }

    fn write(&self) {
        let words = [self.off, self.slept].map(i64::to_ne_bytes).concat();
        self.file.write_all_at(&words, 0).expect("written");
    }
}
