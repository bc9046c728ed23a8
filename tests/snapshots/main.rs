//! What every command shows, held as files in `taken/` for reviewers to read: help, tables, JSON, lines of JSON, CSV,
//! and what is said to wrong input. The store that is shown holds what an attacker would put there.
//!
//! A changed output fails the test and leaves `NAME.snap.new` beside the old one. When the change is meant,
//! `INSTA_UPDATE=always cargo test --test snapshots` takes all of them over, and the diff is for review.

#[path = "../support/mod.rs"]
mod rig;
#[path = "../process/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests of processes share it, and each uses its own part")]
mod support;

mod harmless;
mod help;
mod hostile;
mod outputs;
mod shot;
mod stage;
mod terminal;
mod wrong;
