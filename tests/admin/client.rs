//! Owns asking the daemon over a plain socket, and houses in which it can be asked.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::openmetrics::Exposition;
use crate::support::{Config, Daemon, House};

/// Nothing that is answered takes this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A head and a body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// A configuration whose daemon is asked at a port that the system chooses, with further lines of `[admin]`.
pub fn asked(config: &Config, lines: &str) -> String {
    listening(config, "127.0.0.1:0", lines)
}

/// A configuration with `admin.listen`.
pub fn listening(config: &Config, listen: &str, lines: &str) -> String {
    format!("{}[admin]\nlisten = \"{listen}\"\n{lines}\n", config.text())
}

/// A house with a daemon that can be asked.
pub async fn start(config: &Config, lines: &str) -> (House, Daemon, String) {
    let house = House::with(config);
    house.write("main.toml", &asked(config, lines));
    let daemon = house.start();
    let address = daemon.hear("admin.listening").await["address"].as_str().expect("an address").to_owned();
    daemon.hear("daemon.ready").await;
    (house, daemon, address)
}

/// One GET.
pub fn get(address: &str, path: &str) -> Answer {
    ask(address, &request(address, "GET", path, "")).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A request's text.
pub fn request(address: &str, method: &str, path: &str, headers: &str) -> String {
    // At a socket of the file system no name means anything.
    let host = if address.starts_with("unix:") { "alertferry" } else { address };
    format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n")
}

/// Sends `text` as it is and reads until the other end closes.
pub fn ask(address: &str, text: &str) -> std::io::Result<Answer> {
    let mut told = String::new();
    if let Some(path) = address.strip_prefix("unix:") {
        let mut stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(text.as_bytes())?;
        stream.read_to_string(&mut told)?;
    } else {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(text.as_bytes())?;
        stream.read_to_string(&mut told)?;
    }
    let (head, body) = told.split_once("\r\n\r\n").ok_or_else(|| std::io::Error::other(format!("no head: {told}")))?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    Ok(Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() })
}

/// What `/metrics` tells now, parsed strictly.
pub fn scrape(address: &str) -> Exposition {
    let answer = get(address, "/metrics");
    assert_eq!(answer.status, 200, "{answer:?}");
    Exposition::parse(&answer.body).unwrap_or_else(|problem| panic!("{problem}\n{}", answer.body))
}
