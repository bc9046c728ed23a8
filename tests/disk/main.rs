//! The unmodified program on disks that fail: rows D3 to D8 of the fault matrix.
#![expect(clippy::print_stdout, reason = "what was tried and seen belongs to a test's output")]

#[path = "../admin/client.rs"]
#[allow(dead_code, reason = "each binary uses its own part of it")]
mod client;
#[path = "../admin/openmetrics.rs"]
#[allow(dead_code, reason = "each binary uses its own part of it")]
mod openmetrics;
#[path = "../support/mod.rs"]
mod rig;
#[path = "../process/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests of processes share it, and each uses its own part")]
mod support;

mod damage;
mod files;
mod full;
mod locked;
mod recovery;
mod shim;
mod small;
mod stand;
mod sweep;
