//! Owns the simulated life of a daemon: a world, a clock, faults, deaths and changes of the configuration, all drawn from
//! one number, against the real fleet, passes, clients and store; and at its end the question whether anything was lost.
//!
//! `ALERTFERRY_SEED` lives one life again, `ALERTFERRY_CASES` says how many new ones are tried.

#[path = "../support/mod.rs"]
mod support;
#[path = "../worlds/mod.rs"]
mod worlds;

mod found;
mod house;
mod lives;
mod ops;
mod oracle;
mod run;
mod shrink;
mod trouble;
