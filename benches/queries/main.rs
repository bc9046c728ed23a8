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
mod texts;
mod timing;

use std::path::PathBuf;

use build::Size;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |name: &str, usual: u64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.map_or(usual, |at| {
            arguments.get(at + 1).and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{name} NUMBER"))
        })
    };
    let size = Size { alerts: number("--alerts", 1_000_000), tenants: number("--tenants", 1_000) };
    let word = |at: usize| arguments.get(at).map(String::as_str).filter(|text| !text.starts_with("--"));
    let verb = word(0).unwrap_or("all");
    let path = word(0).and(word(1)).map_or_else(|| usual(size), PathBuf::from);
    match verb {
        "build" => drop(build::store(&path, size)),
        "ask" => timing::print(&build::store(&path, size)),
        "beside" => beside::print(&path),
        "reader" => beside::reader(&path, arguments.get(2).is_some_and(|pace| pace == "paced")),
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
