//! Owns the knowledge of which exchanges go through the proxy, so that its refusals are told as its own.

use std::sync::Arc;

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use super::{HttpError, Proxy, Trouble};

/// The proxy as exchanges meet it; decides by the same rules as the client that goes through it.
#[derive(Debug, Clone)]
pub(super) struct Relay {
    matcher: Arc<Matcher>,
    /// Its scheme, host and port.
    pub shown: String,
}

impl Relay {
    pub(super) fn of(proxy: &Proxy) -> Self {
        let matcher = Matcher::builder().all(proxy.shown.clone()).no(proxy.all_exceptions()).build();
        Self { matcher: Arc::new(matcher), shown: proxy.shown.clone() }
    }

    /// Whether an exchange with this address goes through it.
    pub(super) fn takes(&self, url: &str) -> bool {
        url.parse::<Uri>().is_ok_and(|uri| self.matcher.intercept(&uri).is_some())
    }

    /// What went wrong, with the proxy named where it was the one.
    pub(super) fn blamed(&self, url: &str, error: HttpError) -> HttpError {
        if error.trouble == Trouble::Connect && self.takes(url) {
            HttpError::new(Trouble::Proxy, format!("through the proxy {}: {error}", self.shown))
        } else {
            error
        }
    }
}
