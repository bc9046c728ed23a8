//! Owns when things are due: cron patterns, each tenant's own instant, and the ticks that drive the daemon.
//!
//! This is the one door to the cron crates and to the time library they speak.

mod pattern;
mod slot;
mod ticker;
mod worker;

pub use pattern::{BadSchedule, Schedule};
pub use ticker::{Job, MAX_JOBS, Stats, Tick, Ticker};
pub use worker::TickerError;
