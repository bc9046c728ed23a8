//! The commands that read the store, as processes, on stores that hold what an attacker would put there.

#[path = "../support/mod.rs"]
mod rig;
#[path = "../process/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests of processes share it, and each uses its own part")]
mod support;

mod alerts;
mod backup;
mod filled;
mod formats;
mod hunt;
mod query;
mod search;
mod stats;
mod tail;
mod whole;
