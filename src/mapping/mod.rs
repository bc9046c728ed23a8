//! Turns an alert into a document of a published schema: Elastic Common Schema, or Open Cybersecurity Schema Framework.
//!
//! docs/MAPPING.md has the tables, and what is not mapped and why.

mod alert;
mod ecs;
mod entity;
mod object;
mod ocsf;
mod tactics;
mod web;

use serde_json::Value;

use alert::Alert;

/// A published schema that alerts can be shown in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Schema {
    /// Elastic Common Schema.
    Ecs,
    /// Open Cybersecurity Schema Framework: the class Detection Finding, with the profile `incident`.
    Ocsf,
}

impl Schema {
    /// Both schemas.
    pub const ALL: [Self; 2] = [Self::Ecs, Self::Ocsf];

    /// The version of the schema that documents are written by, and say so.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::Ecs => ecs::VERSION,
            Self::Ocsf => ocsf::VERSION,
        }
    }
}

/// An alert as the store has it.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The tenant it belongs to, a GUID.
    pub tenant_id: &'a str,
    /// The operator's name for the tenant.
    pub tenant_name: &'a str,
    /// The number of the alert's newest change; no two versions in a store share one.
    pub seq: i64,
    /// When the daemon stored it first, as the store writes times.
    pub first_seen_at: &'a str,
    /// The alert's JSON text as the service sent it.
    pub raw: &'a str,
}

/// The document of an alert: a JSON object whose keys are in one order, so that the same alert gives the same bytes.
///
/// It never fails. What is missing or of a strange type is left out, and a text that is no alert at all gives a document
/// of the tenant and the text.
#[must_use]
pub fn map(schema: Schema, source: &Source<'_>) -> Value {
    let alert = Alert::of(source);
    match schema {
        Schema::Ecs => ecs::document(source, &alert),
        Schema::Ocsf => ocsf::event(source, &alert),
    }
}
