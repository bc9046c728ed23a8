//! Holds what is packaged against the program and the repository: units beside the daemon's, the manual, completions, and
//! the package's own list of files. `install.sh`, `boot.sh` and `sandbox.sh` beside this file try the package, the
//! units and the sandbox.

mod manual;
mod metadata;
mod units;

use std::path::Path;
use std::process::{Command, Output};

/// The columns of a terminal that manuals are read on.
const WIDTH: usize = 80;

/// The program, without the environment of the test.
fn program(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertferry"));
    command.env_clear().args(arguments).output().expect("it runs")
}

/// A file of the repository.
fn text(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// What another program says to these arguments; nothing, and a line about it, where there is no such program.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn other(name: &str, arguments: &[&str]) -> Option<Output> {
    let output = Command::new(name).args(arguments).env("MANWIDTH", WIDTH.to_string()).output();
    if output.is_err() {
        println!("skipped: there is no {name} on this machine");
    }
    output.ok()
}
