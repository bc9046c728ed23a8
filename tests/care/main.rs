//! The commands that take things out of the store, as processes, beside a daemon and without one.

#[path = "../reading_commands/filled.rs"]
#[allow(dead_code, reason = "each binary uses its own part of it")]
mod filled;
#[path = "../support/mod.rs"]
mod rig;
#[path = "../process/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests of processes share it, and each uses its own part")]
mod support;

mod beside;
mod killed;
mod prune;
mod purge;
mod stay;
mod whole;
