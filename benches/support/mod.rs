//! Owns what all benches share: tables that are printed row by row and noted in one file, and what a process spends.
#![allow(dead_code, unused_imports, reason = "each bench uses its own part of this")]

mod arguments;
mod house;
mod lines;
mod process;
mod table;

pub(crate) use arguments::Arguments;
pub(crate) use house::{Daemon, House};
pub(crate) use lines::Pass;
pub(crate) use process::{Spent, pause};
pub(crate) use table::{Cell, Table, at_least, at_most, count, number, ratio};

/// The directory in which benches leave what they make.
pub(crate) fn target() -> std::path::PathBuf {
    std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target")
}
