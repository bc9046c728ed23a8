//! Owns every line an operator can see: names, levels, fields, messages and their documentation, in one table.
//!
//! The dotted names and the fields are a public interface: `docs/EVENTS.md` shows the same table, and a test compares
//! the two. A field is left out of the line when it is `None`.

#[macro_use]
mod table;
mod catalog;
mod listener;
mod message;
mod value;

pub use catalog::{CATALOG, Event};
pub use listener::listen;
pub use value::FieldValue;

/// The `tracing` target of every event in the table.
pub const TARGET: &str = "alertferry";

/// The name of the field whose text is JSON and is shown as JSON.
pub const JSON_FIELD: &str = "fields";

/// A field whose text is JSON already.
#[derive(Debug, Clone, Copy)]
pub struct Json<'a>(pub &'a str);

/// What is documented about an event.
#[derive(Debug, Clone, Copy)]
pub struct EventDoc {
    /// Its dotted name.
    pub name: &'static str,
    /// The levels it can have.
    pub levels: &'static [tracing::Level],
    /// What it says, in Markdown.
    pub doc: &'static str,
    /// Its fields in the order in which they are written.
    pub fields: &'static [FieldDoc],
}

/// What is documented about a field of an event.
#[derive(Debug, Clone, Copy)]
pub struct FieldDoc {
    /// Its name.
    pub name: &'static str,
    /// `text`, `number`, `boolean`, `time`, `GUID` or `object`.
    pub kind: &'static str,
    /// Whether it is left out when there is nothing to say.
    pub optional: bool,
    /// What it says, in Markdown.
    pub doc: &'static str,
}
