//! Threats to the secret and to tokens on their way, each named by its number: what the real program sends, and to whom.

#[path = "../support/mod.rs"]
mod rig;
#[path = "../process/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "these tests use a part of what the process tests share")]
mod support;

mod authorities;
mod listeners;
mod proxy;
mod rotation;
mod s01_next_links;
mod s02_redirects;
mod s04_tls;
mod s05_proxies;
mod s12_bodies;
mod scene;
