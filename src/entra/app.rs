//! Owns what is configured about one app registration.

use crate::domain::Ticks;
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
    ClientSecret {
        /// Where it is found.
        source: SecretSource,
        /// When it ends, as far as the operator wrote that down: a secret does not say it itself.
        expires_at: Option<Ticks>,
    },
    /// A certificate, whose key signs an assertion for each request.
    Certificate(CertificateSource),
    /// A token of another identity provider, in a file that somebody else keeps fresh.
    FederatedToken(SecretSource),
}

/// Where a certificate and its private key are found, and how the key signs.
#[derive(Debug, Clone)]
pub struct CertificateSource {
    /// The private key in PEM: RSA, PKCS #8 or PKCS #1.
    pub key: SecretSource,
    /// The certificate in PEM; `None` when it stands beside the key.
    pub cert: Option<SecretSource>,
    /// How assertions are signed.
    pub algorithm: Algorithm,
}

/// How a client assertion is signed, and by which thumbprint it names its certificate (Microsoft's page on certificate
/// credentials).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// RSA-PSS with SHA-256, named by `x5t#S256`.
    #[default]
    Ps256,
    /// RSA PKCS #1 v1.5 with SHA-256, named by `x5t`, the SHA-1 thumbprint.
    Rs256,
}

/// The kinds of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// A client secret.
    Secret,
    /// A certificate.
    Certificate,
    /// A token of another identity provider.
    FederatedToken,
}

impl Credential {
    /// A client secret of which nobody wrote down when it ends.
    #[must_use]
    pub const fn secret(source: SecretSource) -> Self {
        Self::ClientSecret { source, expires_at: None }
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::ClientSecret { .. } => CredentialKind::Secret,
            Self::Certificate(_) => CredentialKind::Certificate,
            Self::FederatedToken(_) => CredentialKind::FederatedToken,
        }
    }

    /// Where it is found: a path or the name of a variable.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::ClientSecret { source, .. } | Self::FederatedToken(source) => source.place(),
            Self::Certificate(source) => source.cert.as_ref().unwrap_or(&source.key).place(),
        }
    }

    /// Whether the part of it that is secret stands in the environment.
    #[must_use]
    pub const fn is_of_environment(&self) -> bool {
        match self {
            Self::ClientSecret { source, .. } | Self::FederatedToken(source) => source.is_of_environment(),
            Self::Certificate(source) => source.key.is_of_environment(),
        }
    }

    /// What it is called in messages.
    #[must_use]
    pub fn label(&self) -> String {
        format!("the {} in {}", self.kind().words(), self.place())
    }

    /// Whether both are configured alike.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::ClientSecret { source: this, expires_at: here },
                Self::ClientSecret { source: that, expires_at: there },
            ) => this.is_same(that) && here == there,
            (Self::Certificate(this), Self::Certificate(that)) => {
                let same_cert = match (&this.cert, &that.cert) {
                    (None, None) => true,
                    (Some(this), Some(that)) => this.is_same(that),
                    (None, Some(_)) | (Some(_), None) => false,
                };
                this.key.is_same(&that.key) && same_cert && this.algorithm == that.algorithm
            }
            (Self::FederatedToken(this), Self::FederatedToken(that)) => this.is_same(that),
            (Self::ClientSecret { .. } | Self::Certificate(_) | Self::FederatedToken(_), _) => false,
        }
    }
}

impl CredentialKind {
    /// The name used in events and in the output of commands.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Certificate => "certificate",
            Self::FederatedToken => "federated_token",
        }
    }

    /// What it is called in sentences.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Secret => "client secret",
            Self::Certificate => "certificate",
            Self::FederatedToken => "federated token",
        }
    }
}
