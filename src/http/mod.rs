//! Owns one bounded HTTP exchange: the only door to the network.
//!
//! Every wait has a limit, every body has a limit, redirects are answers and not followed, and a bearer token goes to
//! the URL that was asked for and nowhere else. HTTP/1.1 is used on purpose: each exchange then has a connection of
//! its own, so a tenant whose answer stalls cannot hold up the flow control of its neighbours.

mod answer;
mod error;
mod network;
mod probe;
mod relay;
mod watch;

use std::time::Duration;

use tokio::time::Instant;

pub use answer::Answer;
#[doc(hidden)]
pub use answer::{LONGEST_ASKED, wait_asked};
pub use error::{HttpError, PROXY_REMEDY, Trouble};
pub use network::{Authorities, Network, Proxy};
pub use probe::{Stage, Way};
pub use watch::{Asked, Exchange};

use crate::secret::Secret;
use relay::Relay;
use watch::Watch;

/// How long a connection may take to come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection without work is kept for the next tenant.
const IDLE_CONNECTION: Duration = Duration::from_secs(60);
/// So many connections without work are kept for each host.
const IDLE_CONNECTIONS: usize = 64;

/// What a client is built with.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only plain http on loopback will be asked for, so no certificate authorities are needed.
    pub loopback_only: bool,
}

/// What one exchange may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the request to the head of the answer.
    pub head: Duration,
    /// Between two pieces of the body.
    pub idle: Duration,
    /// From the request to the end of the body.
    pub total: Duration,
    /// Bytes of the body, after decompression.
    pub body_bytes: u64,
}

/// The client that all exchanges share. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    relay: Option<Relay>,
    watch: Watch,
}

impl Http {
    /// Builds the client.
    ///
    /// # Errors
    /// When the machine's certificate authorities cannot be loaded.
    pub fn new(options: &Options) -> Result<Self, HttpError> {
        Self::through(options, &Network::default())
    }

    /// Builds the client for a way to the services.
    ///
    /// # Errors
    /// As [`Http::new`], and when the proxy's credentials cannot be read.
    pub fn through(options: &Options, network: &Network) -> Result<Self, HttpError> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("alertferry/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_CONNECTION)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .tcp_nodelay(true)
            .min_tls_version(reqwest::tls::Version::TLS_1_2);
        if options.loopback_only {
            builder = builder.tls_certs_only([]);
        } else if let Some(authorities) = &network.authorities {
            builder = builder.tls_certs_merge(authorities.certificates()?);
        }
        if let Some(proxy) = &network.proxy {
            builder = builder.proxy(proxy.build()?);
        }
        let client = builder.build().map_err(|e| HttpError::setup(&e))?;
        Ok(Self { client, relay: network.proxy.as_ref().map(Relay::of), watch: Watch::default() })
    }

    /// Tells `watcher` of each exchange of this client and its clones from now on. A second watcher is not heard.
    pub fn watch(&self, watcher: impl Fn(Exchange) + Send + Sync + 'static) {
        self.watch.set(Box::new(watcher));
    }

    /// Sends a GET with a bearer token and waits for the head of the answer.
    ///
    /// # Errors
    /// When no head arrives within the limits. Any status is an answer, not an error.
    pub async fn get(&self, url: &str, bearer: &Secret, limits: Limits) -> Result<Answer, HttpError> {
        self.exchange(Asked::Api, url, self.client.get(url).bearer_auth(bearer.expose()), limits).await
    }

    /// Posts form fields and waits for the head of the answer.
    ///
    /// # Errors
    /// As [`Http::get`].
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)], limits: Limits) -> Result<Answer, HttpError> {
        self.exchange(Asked::Login, url, self.client.post(url).form(fields), limits).await
    }

    async fn exchange(
        &self,
        asked: Asked,
        url: &str,
        request: reqwest::RequestBuilder,
        limits: Limits,
    ) -> Result<Answer, HttpError> {
        let sent = Instant::now();
        let answer = self.head(url, request, sent, limits).await;
        let status = answer.as_ref().ok().map(Answer::status);
        self.watch.tell(Exchange { asked, status, took: sent.elapsed() });
        answer
    }

    /// Sends a request and waits for the head of its answer.
    async fn head(
        &self,
        url: &str,
        request: reqwest::RequestBuilder,
        sent: Instant,
        limits: Limits,
    ) -> Result<Answer, HttpError> {
        let head = request.header("accept", "application/json").send();
        match tokio::time::timeout(limits.head.min(limits.total), head).await {
            Ok(Ok(response)) => Ok(Answer::new(response, sent, limits)),
            Ok(Err(error)) => {
                let error = HttpError::request(&error);
                Err(match &self.relay {
                    Some(relay) => relay.blamed(url, error),
                    None => error,
                })
            }
            Err(_) => Err(HttpError::new(Trouble::Timeout, "no answer within the time limit")),
        }
    }
}
