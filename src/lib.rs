//! alertferry
pub mod backoff;
pub mod clock;
pub mod defender;
pub mod domain;
pub mod http;
pub mod notify;
pub mod secret;
pub mod stop;
pub mod store;
