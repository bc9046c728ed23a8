//! Owns what the store makes of versions, of rows that are no alerts, of other tenants' rows, and of failed writes.

#[path = "../support/mod.rs"]
mod support;

mod bad_rows;
mod canned;
mod foreign;
mod rollback;
mod thin;
mod which_wins;
