//! The simulator over real HTTP: everything it promises about both services.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test that finds something missing should stop")]

mod support;

mod alerts;
mod assertions;
mod faults;
mod life;
mod limits;
mod loading;
mod login;
mod odata;
mod program;
mod speed;
mod watching;
