//! Owns a proxy that knows CONNECT: it remembers what it was asked, and leads every host to the addresses it was given.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::listeners::{Seen, Server};

/// Starts a proxy; `ways` says where `host:port` is. With `wants`, it refuses whoever does not send that as
/// `Proxy-Authorization`.
pub async fn start(ways: BTreeMap<String, SocketAddr>, wants: Option<String>) -> Server {
    Server::start(move |stream, seen| {
        let (ways, wants) = (ways.clone(), wants.clone());
        async move { drop(serve(stream, &seen, &ways, wants.as_deref()).await) }
    })
    .await
}

async fn serve(
    mut stream: TcpStream,
    seen: &Seen,
    ways: &BTreeMap<String, SocketAddr>,
    wants: Option<&str>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    seen.sent(&head);
    let head = String::from_utf8_lossy(&head).into_owned();
    let host = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let given = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("proxy-authorization").then(|| value.trim().to_owned())
    });
    if wants.is_some() && given.as_deref() != wants {
        return stream.write_all(b"HTTP/1.1 407 Who are you\r\ncontent-length: 0\r\n\r\n").await;
    }
    let Some(way) = ways.get(host) else {
        return stream.write_all(b"HTTP/1.1 502 No such host\r\ncontent-length: 0\r\n\r\n").await;
    };
    let mut there = TcpStream::connect(way).await?;
    stream.write_all(b"HTTP/1.1 200 Go on\r\n\r\n").await?;
    seen.shook_hands();
    tokio::io::copy_bidirectional(&mut stream, &mut there).await.map(drop)
}
