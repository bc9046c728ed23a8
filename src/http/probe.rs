//! Owns a look at the way to a host: its name, its port, its TLS, and what time it has.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};
use url::{Host, Url};

use super::{CONNECT_TIMEOUT, Http, HttpError, Limits, Trouble};
use crate::domain::Ticks;

/// Nothing is read of the answer but its head.
const LIMITS: Limits = Limits { head: CONNECT_TIMEOUT, idle: CONNECT_TIMEOUT, total: CONNECT_TIMEOUT, body_bytes: 0 };

/// How far a look came that did not come all the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The name has no address.
    Dns,
    /// Nobody listens at the address, or something keeps the packets.
    Tcp,
    /// The proxy has no address, is not there, or does not let the request through.
    Proxy,
    /// The certificate or the version of TLS is not accepted.
    Tls,
    /// No HTTP answer came.
    Http,
}

/// The way to a host, with how long each part of it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// To find the address.
    pub dns: Duration,
    /// To connect.
    pub tcp: Duration,
    /// To connect once more, agree on TLS, and get an answer.
    pub answer: Duration,
    /// The host's clock, to whole seconds.
    pub date: Option<Ticks>,
    /// The proxy that name and connection were looked for, in place of the host.
    pub through: Option<String>,
}

impl Http {
    /// Looks at the way to `address` (scheme, host and port) with a request that says nothing. Any answer is good.
    ///
    /// # Errors
    /// The stage at which it ended, and why.
    pub async fn probe(&self, address: &str) -> Result<Way, (Stage, HttpError)> {
        let through = self.relay.as_ref().filter(|relay| relay.takes(address)).map(|relay| relay.shown.clone());
        let (dns, tcp) = match &through {
            None => reach(address).await?,
            Some(proxy) => reach(proxy).await.map_err(|(_, error)| {
                (Stage::Proxy, HttpError::new(Trouble::Proxy, format!("the proxy {proxy}: {error}")))
            })?,
        };
        let answer = self.head(address, self.client.get(address), Instant::now(), LIMITS).await.map_err(|error| {
            let stage = match error.trouble {
                Trouble::Proxy => Stage::Proxy,
                // A connection came up a moment ago, so what keeps another from being made is TLS.
                Trouble::Tls | Trouble::Connect if address.starts_with("https:") => Stage::Tls,
                Trouble::Setup
                | Trouble::Connect
                | Trouble::Tls
                | Trouble::Timeout
                | Trouble::Broken
                | Trouble::TooLarge => Stage::Http,
            };
            (stage, error)
        })?;
        Ok(Way { dns, tcp, answer: answer.head_after(), date: answer.date(), through })
    }
}

/// Finds the address and connects: how long each took.
async fn reach(address: &str) -> Result<(Duration, Duration), (Stage, HttpError)> {
    let began = Instant::now();
    let addresses = resolve(address).await.map_err(|error| (Stage::Dns, error))?;
    let dns = began.elapsed();
    let began = Instant::now();
    connect(&addresses).await.map_err(|error| (Stage::Tcp, error))?;
    Ok((dns, began.elapsed()))
}

async fn resolve(address: &str) -> Result<Vec<SocketAddr>, HttpError> {
    let unusable = |detail: String| HttpError::new(Trouble::Connect, detail);
    let url = Url::parse(address).map_err(|error| unusable(error.to_string()))?;
    let port = url.port_or_known_default().unwrap_or(443);
    let name = match url.host() {
        Some(Host::Ipv4(ip)) => return Ok(vec![(ip, port).into()]),
        Some(Host::Ipv6(ip)) => return Ok(vec![(ip, port).into()]),
        Some(Host::Domain(name)) => name,
        None => return Err(unusable("the address has no host".to_owned())),
    };
    match timeout(CONNECT_TIMEOUT, lookup_host((name, port))).await {
        Ok(Ok(found)) => Ok(found.collect()),
        Ok(Err(error)) => Err(unusable(format!("the name {name} has no address: {error}"))),
        Err(_) => Err(HttpError::new(Trouble::Timeout, format!("no answer to the question where {name} is"))),
    }
}

async fn connect(addresses: &[SocketAddr]) -> Result<(), HttpError> {
    let mut last = HttpError::new(Trouble::Connect, "the name has no address");
    for address in addresses {
        last = match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => HttpError::new(Trouble::Connect, format!("cannot connect to {address}: {error}")),
            Err(_) => HttpError::new(Trouble::Timeout, format!("no connection to {address} within the time limit")),
        };
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::http::Options;

    async fn answering(answer: &'static [u8]) -> (SocketAddr, tokio::task::JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut asked = [0; 1024];
                // The first connection only looks whether somebody listens.
                if stream.read(&mut asked).await.is_ok_and(|read| read > 0) {
                    stream.write_all(answer).await.expect("written");
                }
            }
        });
        (address, tasks)
    }

    #[tokio::test]
    async fn the_stage_that_fails_is_named() {
        let http = Http::new(&Options { loopback_only: true }).expect("a client");
        let (address, _tasks) = answering(b"HTTP/1.1 404 No\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n").await;
        let way = http.probe(&format!("http://{address}")).await.expect("a way");
        assert_eq!(way.date, Some(Ticks::from_unix_seconds(784_111_777)));
        let (talking_else, _more) = answering(b"SSH-2.0-x\r\n").await;
        let nobody = TcpListener::bind("127.0.0.1:0").await.and_then(|listener| listener.local_addr()).expect("a port");
        for (address, stage) in [
            ("http://nobody.invalid".to_owned(), Stage::Dns),
            (format!("http://{nobody}"), Stage::Tcp),
            (format!("https://{talking_else}"), Stage::Tls),
            (format!("http://{talking_else}"), Stage::Http),
        ] {
            let (seen, error) = http.probe(&address).await.expect_err("no way");
            assert_eq!(seen, stage, "{address}: {error}");
        }
    }
}
