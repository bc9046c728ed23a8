//! Owns a house for the program with what these tests add to its configuration.

use std::path::PathBuf;

use alertferry_simulator::{DEFAULT_SECRET, Simulator};

use crate::support::{Config, House, SELDOM};

/// So much of the secret, as it is sent, is enough to know it by.
const TELLING: usize = 12;

/// A house whose login service is reached at `login_url`.
pub fn house(sim: &Simulator, login_url: &str) -> House {
    let config = Config { login_url: login_url.to_owned(), schedule: SELDOM, ..Config::of(sim) };
    House::with(&config)
}

/// Lays `[network]` with these lines over the configuration.
pub fn network(house: &House, lines: &str) {
    std::fs::create_dir_all(house.path("conf.d")).expect("a directory");
    house.write("conf.d/network.toml", &format!("[network]\n{lines}\n"));
}

/// Writes a file and gives the line that names it as `ca_file`.
pub fn ca_file(house: &House, pem: &str) -> String {
    house.write("ca.pem", pem);
    named("ca_file", &house.path("ca.pem"))
}

/// A line with a path as its value.
pub fn named(key: &str, path: &PathBuf) -> String {
    format!("{key} = {path:?}")
}

/// Whether these bytes hold the secret, as it is or as a form has it.
pub fn holds_secret(bytes: &[u8]) -> bool {
    let sent: String = url::form_urlencoded::byte_serialize(DEFAULT_SECRET.as_bytes()).collect();
    [DEFAULT_SECRET, &sent].iter().any(|secret| memchr::memmem::find(bytes, &secret.as_bytes()[..TELLING]).is_some())
}
