//! alertferry
pub mod backoff;
pub mod clock;
pub mod defender;
pub mod domain;
pub mod entra;
pub mod event;
pub mod http;
pub mod logging;
pub mod notify;
pub mod pass;
pub mod schedule;
pub mod secret;
pub mod settings;
pub mod stop;
pub mod store;
