//! Owns a bad disk for a daemon, made by a library in front of the C library: it hangs, or it is slow.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::support::House;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/process/hang.c");

/// What stands between daemons of one house and their disk.
pub struct Disk {
    library: PathBuf,
    hanging: PathBuf,
}

impl Disk {
    /// A disk that is well.
    pub fn of(house: &House) -> Self {
        let disk = Self { library: house.path("hang.so"), hanging: house.path("hanging") };
        let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&disk.library).arg(SOURCE).status();
        assert!(built.expect("a compiler").success());
        disk
    }

    /// Has a daemon write to it, each flush of which takes so long.
    pub fn put_under(&self, command: &mut Command, flush: Duration) {
        command.env("LD_PRELOAD", &self.library).env("HANG_WHILE", &self.hanging);
        command.env("FLUSH_TAKES", flush.as_millis().to_string());
    }

    /// Nothing lands any more.
    pub fn hang(&self) {
        std::fs::write(&self.hanging, "").expect("written");
    }

    /// It is well again.
    pub fn recover(&self) {
        std::fs::remove_file(&self.hanging).expect("it hung");
    }
}
