//! The real program as a process: killed, stopped, doubled, crowded, spied on, reloaded, watched and misused.
#![expect(clippy::print_stdout, reason = "seeds, counts and times belong to a test's output")]

#[path = "../support/mod.rs"]
mod rig;
mod support;

mod canary;
mod canary_keys;
mod cli;
mod disk;
mod ends;
mod kill;
mod log;
mod migration;
mod neighbours;
mod readers;
mod reload;
mod samples;
mod second;
mod stop;
mod supervisor;
mod watchdog;
