//! Owns what is configured about one app registration.

use crate::secret::SecretSource;

/// One Entra app registration: who signs in for its tenants, and with what.
#[derive(Debug, Clone)]
pub struct App {
    /// The operator's name for it: the NAME in `[app.NAME]`.
    pub name: String,
    /// Its application (client) id.
    pub client_id: String,
    /// The resource that tokens are asked for, for example `https://api.securitycenter.microsoft.com`.
    pub audience: String,
    /// Which token endpoint is used.
    pub endpoint: Endpoint,
    /// What it proves itself with; tried in order, so that an old and a new one can overlap in a rotation.
    pub credentials: Vec<Credential>,
}

/// Which of the two token endpoints is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `/{tenant}/oauth2/token` with `resource=`.
    V1,
    /// `/{tenant}/oauth2/v2.0/token` with `scope=…/.default`.
    V2,
}

/// What an app registration proves itself with.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A client secret.
    ClientSecret(SecretSource),
}
