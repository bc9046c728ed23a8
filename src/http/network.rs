//! Owns what lies between this machine and the services: a proxy, and further certificate authorities.

use std::fmt;
use std::sync::Arc;

use super::{HttpError, Trouble};
use crate::secret::{Secret, SecretSource};

/// Never sent through a proxy, whatever the configuration says.
const THIS_MACHINE: &str = "localhost,127.0.0.0/8,::1";

/// The way to the services. By default it is direct, and the system's certificate authorities are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// Certificate authorities that are believed beside the system's.
    pub authorities: Option<Authorities>,
    /// What requests go through.
    pub proxy: Option<Proxy>,
}

/// Certificates of authorities, as PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorities {
    pem: Arc<[u8]>,
    count: usize,
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} authorities]", self.count)
    }
}

impl Authorities {
    /// Takes the certificates out of a PEM text.
    ///
    /// # Errors
    /// When it holds none, or a broken one; the text says which.
    pub fn parse(pem: Vec<u8>) -> Result<Self, String> {
        let broken =
            |error: &reqwest::Error| format!("this is no PEM file of certificates ({})", super::error::causes(error));
        let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| broken(&error))?;
        if found.is_empty() {
            return Err("there is no certificate in it".to_owned());
        }
        let authorities = Self { count: found.len(), pem: pem.into() };
        // Only a client looks into them.
        let built = reqwest::Client::builder().tls_certs_only(found).no_proxy().build();
        built.map_err(|error| format!("a certificate in it cannot be used ({})", super::error::causes(&error)))?;
        Ok(authorities)
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    pub(super) fn certificates(&self) -> Result<Vec<reqwest::Certificate>, HttpError> {
        reqwest::Certificate::from_pem_bundle(&self.pem).map_err(|error| HttpError::setup(&error))
    }
}

/// A proxy, by which everything but this machine is reached: with CONNECT, so that it sees hosts and no more.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Its address; the one of an environment variable may hold a name and a password.
    pub url: Secret,
    /// Its scheme, host and port, for messages.
    pub shown: String,
    /// Where `name:password` for it is found; sent to it alone, as `Proxy-Authorization`.
    pub credentials: Option<SecretSource>,
    /// Hosts, domains and networks that are reached without it, with commas between them.
    pub exceptions: String,
}

impl PartialEq for Proxy {
    fn eq(&self, other: &Self) -> bool {
        let same_credentials = match (&self.credentials, &other.credentials) {
            (None, None) => true,
            (Some(this), Some(that)) => this.is_same(that),
            (None, Some(_)) | (Some(_), None) => false,
        };
        self.url.expose() == other.url.expose() && same_credentials && self.exceptions == other.exceptions
    }
}

impl Eq for Proxy {}

impl Proxy {
    /// What is reached without it, with this machine, which always is.
    pub(super) fn all_exceptions(&self) -> String {
        format!("{THIS_MACHINE},{}", self.exceptions)
    }

    pub(super) fn build(&self) -> Result<reqwest::Proxy, HttpError> {
        let refused = |detail: String| HttpError::new(Trouble::Setup, format!("the proxy {}: {detail}", self.shown));
        let proxy = reqwest::Proxy::all(self.url.expose()).map_err(|_| refused("its address is refused".to_owned()))?;
        let proxy = proxy.no_proxy(reqwest::NoProxy::from_string(&self.all_exceptions()));
        let Some(credentials) = &self.credentials else { return Ok(proxy) };
        let pair = credentials.read().map_err(|error| refused(error.to_string()))?;
        let (name, password) = pair.expose().split_once(':').ok_or_else(|| {
            refused(format!("write name:password into {}, with a colon between them", credentials.place()))
        })?;
        Ok(proxy.basic_auth(name, password))
    }
}
