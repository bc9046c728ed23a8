//! `alertferry export` as a process: what comes out is what is in the store, whole, in order, and none of it is lost.

#[path = "../support/mod.rs"]
mod rig;
#[path = "../process/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests of processes share it, and each uses its own part")]
mod support;

#[path = "../reading_commands/filled.rs"]
#[allow(dead_code, reason = "the tests of the reading commands share it")]
mod filled;

mod at_once;
mod forms;
mod kill;
mod news;
mod places;
mod read_back;
mod refused;
