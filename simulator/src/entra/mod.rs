//! Owns the token endpoint's side: app registrations, credentials, tokens and refusals.

pub(crate) mod assertion;
pub(crate) mod certificate;
pub(crate) mod errors;
pub(crate) mod login;
pub(crate) mod token;

use std::ops::RangeInclusive;

pub use certificate::{BadCertificate, Certificate, SelfSigned};

/// The client id of [`App::default`].
pub const DEFAULT_CLIENT_ID: &str = "11111111-1111-1111-1111-111111111111";

/// The secret of [`App::default`]; like real ones it has characters that must be encoded in a form.
pub const DEFAULT_SECRET: &str = "sim8Q~secret+with/all=the&marks";

/// One client secret of an app.
#[derive(Clone, Debug)]
pub struct Secret {
    /// The value a client sends.
    pub value: String,
    /// An expired one is answered with AADSTS7000222 instead of AADSTS7000215.
    pub expired: bool,
}

/// Trust in assertions of another identity provider.
#[derive(Clone, Debug)]
pub struct Federated {
    /// The `iss` the assertion must have.
    pub issuer: String,
    /// The `sub` the assertion must have.
    pub subject: String,
    /// The `aud` the assertion must have, documented as `api://AzureADTokenExchange`.
    pub audience: String,
    /// The other provider's signing key (RSA), as a certificate.
    pub key: Certificate,
}

/// An app registration.
#[derive(Clone, Debug)]
pub struct App {
    /// The application id.
    pub client_id: String,
    /// Its secrets; any that is not expired lets in.
    pub secrets: Vec<Secret>,
    /// Certificates whose keys may sign assertions.
    pub certificates: Vec<Certificate>,
    /// Other identity providers it trusts.
    pub federated: Vec<Federated>,
    /// Seconds a token lives, drawn at random; 60 to 90 minutes is documented as the default.
    pub token_lifetime: RangeInclusive<i64>,
    /// Seconds `nbf` and `iat` lie before now; 300 was recorded.
    pub backdated: i64,
    /// When set, the answer carries `refresh_in` with these seconds.
    pub refresh_in: Option<i64>,
}

impl App {
    /// An app with one good secret.
    pub fn new(client_id: &str, secret: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            secrets: vec![Secret { value: secret.to_owned(), expired: false }],
            certificates: Vec::new(),
            federated: Vec::new(),
            token_lifetime: 3_600..=5_400,
            backdated: 300,
            refresh_in: None,
        }
    }
}

impl Default for App {
    fn default() -> Self {
        Self::new(DEFAULT_CLIENT_ID, DEFAULT_SECRET)
    }
}
