//! Owns small libraries in C that stand between the program and the system: compiled once, loaded before the C library.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

/// A directory for what is compiled, which stays until the tests end.
static DIRECTORY: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a directory"));

/// A clock that a test shifts.
pub static CLOCK: LazyLock<PathBuf> =
    LazyLock::new(|| compiled("clock.so", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/endurance/clock.c")));
/// A disk that hangs while a file is there.
pub static HANG: LazyLock<PathBuf> =
    LazyLock::new(|| compiled("hang.so", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/process/hang.c")));

fn compiled(name: &str, source: &str) -> PathBuf {
    let library = DIRECTORY.path().join(name);
    let options = ["-O1", "-shared", "-fPIC", "-w", "-o"];
    let compiled = Command::new("cc").args(options).arg(&library).arg(source).arg("-ldl").output();
    let compiled = compiled.expect("a C compiler");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    library
}
