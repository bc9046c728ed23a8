//! The network between the daemon and the two services, broken in every way for a while and then whole again: nothing may
//! be lost, told twice or asked too often. Each test is a row of the fault matrix, and its name begins with it.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what was tried, and what a failure needs to be understood"
)]

#[path = "../threats/authorities.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod authorities;
#[path = "../threats/listeners.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod listeners;
#[path = "../support/mod.rs"]
mod rig;
#[path = "../threats/scene.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod scene;
#[path = "../process/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "these tests use a part of what the process tests share")]
mod support;

mod bodies;
mod faults;
mod field;
mod lures;
mod names;
mod partition;
mod poison;
mod quiet;
mod refusals;
mod shifting;
mod storm;
mod throttle;
mod way;
mod wires;
