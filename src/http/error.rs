//! Owns what can go wrong on the way to an answer.

use std::error::Error;

/// What kind of trouble it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The client could not be built.
    Setup,
    /// The name could not be resolved, or nobody listens.
    Connect,
    /// The proxy on the way is not there, or does not let the request through.
    Proxy,
    /// The other side's certificate or TLS version is not acceptable.
    Tls,
    /// Something took longer than its limit.
    Timeout,
    /// The connection broke, or the body is not what its framing or compression says.
    Broken,
    /// The body is larger than its limit.
    TooLarge,
}

/// What to do about [`Trouble::Proxy`].
pub const PROXY_REMEDY: &str =
    "check `[network] proxy` and `proxy_credentials`, and that the proxy runs and lets CONNECT to this host through";

/// Why there is no (whole) answer. Its text holds no URL, header or body, so no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct HttpError {
    /// The kind.
    pub trouble: Trouble,
    detail: String,
}

impl HttpError {
    pub(crate) fn new(trouble: Trouble, detail: impl Into<String>) -> Self {
        Self { trouble, detail: detail.into() }
    }

    pub(super) fn setup(error: &reqwest::Error) -> Self {
        Self::new(Trouble::Setup, format!("cannot set up TLS ({}); install ca-certificates", causes(error)))
    }

    pub(super) fn request(error: &reqwest::Error) -> Self {
        let causes = causes(error);
        let lower = causes.to_lowercase();
        if error.is_timeout() {
            Self::new(Trouble::Timeout, "no connection within the time limit")
        } else if error.is_connect() && (lower.contains("certificate") || lower.contains("tls")) {
            Self::new(Trouble::Tls, format!("TLS refused: {causes}"))
        } else if error.is_connect() {
            Self::new(Trouble::Connect, format!("cannot connect: {causes}"))
        } else {
            Self::new(Trouble::Broken, format!("the connection broke before the answer: {causes}"))
        }
    }

    pub(super) fn body(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::new(Trouble::Timeout, "the answer stalled")
        } else {
            Self::new(Trouble::Broken, format!("the answer broke off: {}", causes(error)))
        }
    }
}

/// The innermost two messages of an error chain: the outer ones repeat the URL, which is not for printing.
pub(super) fn causes(error: &reqwest::Error) -> String {
    let mut messages = Vec::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        messages.push(inner.to_string());
        cause = inner.source();
    }
    messages.dedup();
    let from = messages.len().saturating_sub(2);
    if messages.is_empty() { "unknown cause".to_owned() } else { messages[from..].join(": ") }
}
