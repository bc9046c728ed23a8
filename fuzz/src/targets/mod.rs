//! What must hold of everything that reads text from outside, for any bytes. Each target takes an input apart as it likes
//! and panics when a promise is broken.

mod alert;
mod cron;
mod filter;
mod found;
mod input;
mod settings;
mod split;
mod ticks;
mod token;
mod url;
mod wait;

/// A target: the name of its corpus, and what is held against an input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets; those of `fuzz_targets/` have the same names.
pub const TARGETS: [Target; 10] = [
    ("alert", alert::run),
    ("cron", cron::run),
    ("filter", filter::run),
    ("found", found::run),
    ("settings", settings::run),
    ("split", split::run),
    ("ticks", ticks::run),
    ("token", token::run),
    ("url", url::run),
    ("wait", wait::run),
];

/// Runs the target of this name.
///
/// # Panics
/// When there is none, or when it finds a broken promise.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target");
    target(data);
}
