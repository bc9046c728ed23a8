//! Owns a server that costs next to nothing: ready-made answers in the order in which a reader asks.
//!
//! Who reads the history a third time finds one alert in a hundred changed.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::{READS, Variant, pages};

/// The pages, and how they are sent.
struct Pages {
    plain: Vec<Vec<u8>>,
    changed: Vec<Vec<u8>>,
    header: &'static str,
    asked: AtomicUsize,
}

/// Serves until killed; prints its URL.
#[expect(clippy::print_stdout, reason = "the parent reads the address here")]
pub(crate) fn serve(variant: Variant) {
    let alerts = pages::alerts(variant.evidence);
    let sent = |bodies: Vec<String>| -> Vec<Vec<u8>> {
        let ready = |body: String| if variant.gzip { gzip(body.as_bytes()) } else { body.into_bytes() };
        bodies.into_iter().map(ready).collect()
    };
    let pages = Arc::new(Pages {
        plain: sent(pages::bodies(&alerts)),
        changed: sent(pages::bodies(&pages::changed(&alerts))),
        header: if variant.gzip { "content-encoding: gzip\r\n" } else { "" },
        asked: AtomicUsize::new(0),
    });
    drop(alerts);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("http://{}", listener.local_addr().expect("an address"));
    for stream in listener.incoming().flatten() {
        let pages = Arc::clone(&pages);
        std::thread::spawn(move || converse(stream, &pages));
    }
}

impl Pages {
    /// The next page of the history; every third time it is another history.
    fn next(&self) -> &[u8] {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        let (time, at) = (asked / self.plain.len() % READS, asked % self.plain.len());
        if time == READS - 1 { &self.changed[at] } else { &self.plain[at] }
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(body).expect("memory");
    encoder.finish().expect("memory")
}

/// Answers the requests of one connection.
///
/// A token is any text. A filter with an end is the next page of the history; `/page/N` is page N; all else is empty.
fn converse(stream: TcpStream, pages: &Pages) {
    stream.set_nodelay(true).expect("a socket");
    let mut reader = std::io::BufReader::new(stream.try_clone().expect("a socket"));
    let mut stream = stream;
    while let Some(path) = request(&mut reader) {
        let sent = if path.contains("/oauth2/") {
            let token = br#"{"token_type":"Bearer","expires_in":3599,"access_token":"opaque"}"#;
            answer(&mut stream, "", token)
        } else if let Some(page) = path.strip_prefix("/page/").and_then(|page| page.parse::<usize>().ok()) {
            match pages.plain.get(page) {
                Some(page) => answer(&mut stream, pages.header, page),
                None => answer(&mut stream, "", b""),
            }
        } else if path.contains("+lt+") {
            answer(&mut stream, pages.header, pages.next())
        } else {
            answer(&mut stream, "", br#"{"value":[]}"#)
        };
        if sent.is_err() {
            return;
        }
    }
}

fn answer(stream: &mut TcpStream, header: &str, body: &[u8]) -> std::io::Result<()> {
    let (length, date) = (body.len(), httpdate::fmt_http_date(std::time::UNIX_EPOCH + now()));
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ndate: {date}\r\ncontent-type: application/json\r\n{header}content-length: {length}\r\n\r\n"
    )?;
    stream.write_all(body)
}

/// The path of the next request; its body, if any, is read and dropped.
fn request(reader: &mut impl std::io::BufRead) -> Option<String> {
    let (mut first, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if first.is_empty() {
            first = line.split(' ').nth(1)?.to_owned();
        } else if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        } else if line.trim().is_empty() {
            std::io::copy(&mut std::io::Read::take(&mut *reader, length), &mut std::io::sink()).ok()?;
            return Some(first);
        }
    }
}

fn now() -> std::time::Duration {
    let seconds = alertferry::clock::Clock::System.now().unix_seconds();
    std::time::Duration::from_secs(u64::try_from(seconds).expect("after 1970"))
}
