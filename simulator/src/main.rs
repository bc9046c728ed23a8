//! The simulator as a program: a world to point the daemon (or curl) at.

mod command;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    match command::run(command::Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when standard error is gone.
            drop(writeln!(io::stderr(), "alertferry-simulator: {error}"));
            ExitCode::FAILURE
        }
    }
}
