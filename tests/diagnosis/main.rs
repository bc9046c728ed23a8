//! From nothing to a daemon that reads, and from a fault to its name: what `init`, `consent`, `tenant add`, `check`,
//! `status` and the log say.

#[path = "../support/mod.rs"]
mod rig;
#[path = "../process/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "these tests use a part of what the process tests share")]
mod support;

#[path = "../threats/authorities.rs"]
#[allow(dead_code, reason = "these tests use a part of what the tests of threats share")]
mod authorities;
#[path = "../threats/listeners.rs"]
#[allow(dead_code, reason = "these tests use a part of what the tests of threats share")]
mod listeners;
#[path = "../threats/proxy.rs"]
mod proxy;
#[path = "../threats/scene.rs"]
#[allow(dead_code, reason = "these tests use a part of what the tests of threats share")]
mod scene;

mod by_hand;
mod faults;
mod fleet;
mod onboarding;
mod told;
mod way;
