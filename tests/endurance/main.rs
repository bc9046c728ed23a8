//! What time and use do to the daemon: clocks that jump, schedules that stall, stops, reloads and rotations under load,
//! little memory, upgrades, and days of everything at once. Each test is a row of the fault matrix, and its name begins with
//! it.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what was tried, and what a failure needs to be understood"
)]

#[path = "../network/faults.rs"]
mod faults;
#[path = "../network/field.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod field;
#[path = "../support/mod.rs"]
mod rig;
#[path = "../threats/scene.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod scene;
#[path = "../process/supervisor.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod supervisor;
#[path = "../process/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "these tests use a part of what the process tests share")]
mod support;

mod clock;
mod gauge;
mod leaps;
mod memory;
mod released;
mod reloads;
mod secrets;
mod shims;
mod soak;
mod stalls;
mod stops;
mod upgrades;
