//! Owns a disk that fails on order: `shim.c`, compiled once and loaded into the program before the C library.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The classes of calls, in the order in which they are counted.
pub const CLASSES: [&str; 7] = ["write", "sync", "cut", "open", "rename", "remove", "read"];

/// What the system says when the disk fails.
pub const EIO: i32 = 5;
/// What the system says when the disk is full.
pub const ENOSPC: i32 = 28;

/// The compiled shim, in a directory that stays until the tests end.
static SHIM: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a directory");
    let library = dir.path().join("faulty.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/disk/shim.c");
    let options = ["-O1", "-shared", "-fPIC", "-w", "-o"];
    let compiled = Command::new("cc").args(options).arg(&library).arg(source).arg("-ldl").output();
    let compiled = compiled.expect("a C compiler");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    (dir, library)
});

/// Which call fails, and how.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// One of [`CLASSES`].
    pub class: &'static str,
    /// The so-many-th call of it, from 1.
    pub nth: u64,
    /// What the system says then.
    pub errno: i32,
    /// `once`, `ever` from then on, or `short`: half of it is written, and then it fails for ever.
    pub how: &'static str,
}

/// What a program did to its files.
#[derive(Debug)]
pub struct Counts {
    /// Calls of each of [`CLASSES`].
    pub calls: [u64; 7],
    /// Calls that failed on order.
    pub failed: u64,
    /// The file of the first of them.
    pub file: String,
}

/// Lets `command` see the files at `store` (the database and those beside it) through the shim.
pub fn load(command: &mut Command, store: &Path, plan: Option<Plan>) {
    command.env("LD_PRELOAD", &SHIM.1).env("FAULTY_ROOT", store).env("FAULTY_COUNTS", counts_beside(store));
    if let Some(Plan { class, nth, errno, how }) = plan {
        command.env("FAULTY_PLAN", format!("{class}:{nth}:{errno}:{how}"));
    }
}

/// Lets `command` see no more room for these files than what [`give_room`] says.
pub fn load_full(command: &mut Command, store: &Path) {
    load(command, store, None);
    command.env("FAULTY_ROOM", room_beside(store));
}

/// From now on the files at `store` may have so many bytes together; `None` for no end of them.
pub fn give_room(store: &Path, bytes: Option<u64>) {
    let room = room_beside(store);
    match bytes {
        // Whole at once: the program reads it at each write.
        Some(bytes) => std::fs::write(room.with_extension("new"), bytes.to_string())
            .and_then(|()| std::fs::rename(room.with_extension("new"), room))
            .expect("written"),
        None => std::fs::remove_file(room).expect("removed"),
    }
}

/// Bytes that the files at `store` have together.
pub fn used(store: &Path) -> u64 {
    let bytes = |path: std::path::PathBuf| std::fs::metadata(path).map_or(0, |file| file.len());
    alertferry::store::files(store).into_iter().map(bytes).sum()
}

/// What the last program that was loaded so did.
pub fn counts(store: &Path) -> Counts {
    let bytes = std::fs::read(counts_beside(store)).expect("counts");
    let (numbers, text) = bytes.split_at(8 * 8);
    let mut numbers = numbers.chunks(8).map(|word| u64::from_ne_bytes(word.try_into().expect("a word")));
    let calls = std::array::from_fn(|_| numbers.next().expect("a number"));
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    Counts { calls, failed: numbers.next().expect("a number"), file: String::from_utf8_lossy(text).into_owned() }
}

fn room_beside(store: &Path) -> PathBuf {
    store.with_file_name("room")
}

fn counts_beside(store: &Path) -> PathBuf {
    store.with_file_name("counts")
}
