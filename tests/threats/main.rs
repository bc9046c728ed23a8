//! Threats, each named by its number as docs/SECURITY.md has it: the real program is attacked as a whole.

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
mod s03_hosts;
mod s04_tls;
mod s05_proxies;
mod s06_secrets;
mod s07_file_modes;
mod s08_sql_injection;
mod s09_log_injection;
mod s10_terminal_escapes;
mod s11_csv_formulas;
mod s12_bodies;
mod s13_tenant_mixup;
mod s14_replays;
mod s15_supply_chain;
mod s16_at_rest;
mod s17_exposure;
mod scene;
mod texts;
