//! Owns the pieces of human messages that several events share, and the levels that depend on what happened.

use tracing::Level;

use crate::domain::{FailureClass, TenantState, Ticks};

/// A tenant's name for a sentence.
pub(super) const fn or_unnamed(name: &str) -> &str {
    if name.is_empty() { "(unnamed)" } else { name }
}

/// An interval for a sentence.
pub(super) fn window(from: Ticks, until: Ticks) -> String {
    format!("{from} to {until}")
}

/// Why, and what to do about it, to follow a statement.
pub(super) fn remedied(reason: Option<&str>, remedy: Option<&str>) -> String {
    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    remedy.map_or_else(|| reason.clone(), |remedy| format!("{reason}; {remedy}"))
}

/// How a pass went.
pub(super) fn of_pass(name: &str, created: u64, updated: u64, open_gaps: u64, reason: Option<&str>) -> String {
    let name = or_unnamed(name);
    match reason {
        Some(reason) => format!("{name}: not read: {reason}"),
        None if open_gaps > 0 => format!("{name}: {created} created, {updated} updated, {open_gaps} gaps still open"),
        None => format!("{name}: {created} created, {updated} updated"),
    }
}

/// A tenant that reached `ok` is good news; every other state wants somebody's eye.
pub(super) fn level_of_state(to: TenantState) -> Level {
    if to == TenantState::Ok { Level::INFO } else { Level::WARN }
}

/// A failed pass warns, one that moved something informs, and the many others keep quiet.
pub(super) fn level_of_pass(class: Option<FailureClass>, rows: &[u64], gaps_moved: bool) -> Level {
    if class.is_some() {
        Level::WARN
    } else if gaps_moved || rows.iter().any(|rows| *rows > 0) {
        Level::INFO
    } else {
        Level::DEBUG
    }
}
