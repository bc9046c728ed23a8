//! Alerts as documents of published schemas: what becomes of each field, whether every name and type is a published
//! one, and whether docs/MAPPING.md tells all of it.
#![expect(clippy::print_stdout, reason = "where recordings and written documents are belongs to a test's output")]

mod ecs;
mod hostile;
mod ocsf;
mod page;
mod published;
mod samples;
