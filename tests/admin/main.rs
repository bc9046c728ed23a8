//! What a monitoring system sees of the real program: numbers that are true, health that does not depend on anybody
//! else, and a place that no client can harm.

#[path = "../support/mod.rs"]
mod rig;
#[path = "../process/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests of processes share it, and each uses its own part")]
mod support;

mod client;
mod credentials;
mod faults;
mod hostile;
mod names;
mod openmetrics;
mod places;
mod scrape;
mod strangers;
