//! How quickly the store answers when it is big, and what readers and the writer cost each other.
//!
//! `cargo bench --bench queries` builds a store of a million alerts below `target/` (some minutes; kept for the next
//! run), prints how long each documented question takes, and then lands alerts beside readers.
//!
//! `cargo bench --bench queries -- build PATH --alerts 1000000 --tenants 1000` builds such a store and no more;
//! `ask` and `beside`, each with the same arguments, do one part alone.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

mod asked;
mod beside;
mod build;
mod dice;
mod names;
#[path = "../support/mod.rs"]
mod support;
mod texts;
mod timing;

use std::path::PathBuf;

use build::Size;
use support::Arguments;

fn main() {
    let arguments = Arguments::of_process();
    let number = |name: &str, usual: u64| arguments.number(name).unwrap_or(usual);
    let size = Size { alerts: number("--alerts", 1_000_000), tenants: number("--tenants", 1_000) };
    let word = |at: usize| arguments.word(at);
    let verb = word(0).unwrap_or("all");
    let path = word(0).and(word(1)).map_or_else(|| usual(size), PathBuf::from);
    match verb {
        "build" => drop(build::store(&path, size)),
        "ask" => timing::print(&build::store(&path, size)),
        "beside" => beside::print(&path),
        "reader" => beside::reader(&path, word(2) == Some("paced")),
        _ => {
            timing::print(&build::store(&path, size));
            beside::print(&path);
        }
    }
}

fn usual(size: Size) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("target/queries")
        .join(format!("{}-alerts-{}-tenants.db", size.alerts, size.tenants))
}
