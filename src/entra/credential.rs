//! Owns how a credential becomes form fields of a token request.

use std::hash::{BuildHasher, RandomState};

use super::app::{App, Credential};
use super::certificate::Signer;
use crate::domain::Ticks;
use crate::secret::{Secret, SecretError, hidden};

/// What says that an assertion is one (RFC 7523).
const ASSERTION_TYPE: (&str, &str) =
    ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");

/// Why there is nothing to prove an app registration with. No text holds anything of a secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum CredentialError {
    /// A secret, a key or a token cannot be read.
    #[error(transparent)]
    Unread(#[from] SecretError),
    #[error("there is no private key in {place}")]
    NoKey { place: String },
    #[error("the private key in {place} is locked with a password")]
    EncryptedKey { place: String },
    #[error("the private key in {place} is no RSA key of 2048 to 8192 bits")]
    NotRsa { place: String },
    #[error("there is no certificate in {place}")]
    NoCertificate { place: String },
    #[error("the certificate in {place} cannot be read: {detail}")]
    BadCertificate { place: String, detail: String },
    #[error("the private key in {key} does not belong to the certificate in {cert}")]
    NoPair { key: String, cert: String },
    #[error("the private key refuses to sign")]
    NotSigned,
}

/// What one credential says in one token request.
pub(super) struct Sent {
    secret: (&'static str, Secret),
    is_assertion: bool,
}

impl Sent {
    /// The form fields.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let kind = self.is_assertion.then_some(ASSERTION_TYPE);
        kind.into_iter().chain([(self.secret.0, self.secret.1.expose())])
    }

    /// Replaces everything secret in `text`, as it is and as it was sent.
    pub fn redact(&self, text: &str) -> String {
        let secret = self.secret.1.expose();
        let sent: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        hidden(&hidden(text, secret), &sent)
    }
}

/// What an app registration can prove itself with.
#[derive(Debug)]
pub(super) enum Proof {
    Secret(Secret),
    Certificate(Box<Signer>),
    /// Another provider's assertion.
    Assertion(Secret),
}

impl Proof {
    /// What is sent to the token endpoint at `endpoint`.
    pub fn sent(&self, app: &App, endpoint: &str, now: Ticks) -> Result<Sent, CredentialError> {
        Ok(match self {
            Self::Secret(secret) => Sent { secret: ("client_secret", secret.clone()), is_assertion: false },
            Self::Certificate(signer) => {
                let assertion = signer.assertion(&app.client_id, endpoint, now)?;
                Sent { secret: ("client_assertion", assertion), is_assertion: true }
            }
            Self::Assertion(token) => Sent { secret: ("client_assertion", token.clone()), is_assertion: true },
        })
    }
}

/// Everything an app registration can prove itself with, as it is right now.
pub(super) struct Proofs {
    /// In the configured order.
    pub each: Vec<Result<Proof, CredentialError>>,
    /// Equal for equal credentials in this process, and useless outside of it.
    pub digest: u64,
}

impl Proofs {
    /// Reads every credential. Files are read each time, so a rotated one takes effect with the next request.
    ///
    /// They are small and local; reading them costs less than handing the work to another thread.
    pub fn read(credentials: &[Credential], keys: &RandomState) -> Self {
        let texts: Vec<Texts> = credentials.iter().map(Texts::read).collect();
        let digest = keys.hash_one(texts.iter().map(Texts::contents).collect::<Vec<_>>());
        let each = credentials.iter().zip(texts).map(|(credential, texts)| texts.prove(credential)).collect();
        Self { each, digest }
    }

    /// The digest alone, without looking into keys and certificates.
    pub fn digest(credentials: &[Credential], keys: &RandomState) -> u64 {
        let texts: Vec<Texts> = credentials.iter().map(Texts::read).collect();
        keys.hash_one(texts.iter().map(Texts::contents).collect::<Vec<_>>())
    }
}

/// Reads one credential.
pub(super) fn prove(credential: &Credential) -> Result<Proof, CredentialError> {
    Texts::read(credential).prove(credential)
}

/// What stands in the places of one credential.
struct Texts {
    secret: Result<Secret, SecretError>,
    /// The certificate, where it has a place of its own.
    cert: Option<Result<Secret, SecretError>>,
}

impl Texts {
    fn read(credential: &Credential) -> Self {
        match credential {
            Credential::ClientSecret { source, .. } | Credential::FederatedToken(source) => {
                Self { secret: source.read(), cert: None }
            }
            Credential::Certificate(source) => {
                Self { secret: source.key.read(), cert: source.cert.as_ref().map(|cert| cert.read_public()) }
            }
        }
    }

    fn prove(self, credential: &Credential) -> Result<Proof, CredentialError> {
        let secret = self.secret?;
        match credential {
            Credential::ClientSecret { .. } => Ok(Proof::Secret(secret)),
            Credential::FederatedToken(_) => Ok(Proof::Assertion(secret)),
            Credential::Certificate(source) => {
                let cert = self.cert.transpose()?;
                let signer = Signer::new(source, &secret, cert.as_ref().unwrap_or(&secret))?;
                Ok(Proof::Certificate(Box::new(signer)))
            }
        }
    }

    /// What the digest is made of; it lives only while the digest is being computed.
    fn contents(&self) -> Vec<Result<&str, String>> {
        let reads = std::iter::once(&self.secret).chain(&self.cert);
        reads.map(|read| read.as_ref().map(Secret::expose).map_err(ToString::to_string)).collect()
    }
}

/// Whether two lists of credentials are configured alike.
pub(super) fn are_same(these: &[Credential], those: &[Credential]) -> bool {
    these.len() == those.len() && these.iter().zip(those).all(|(this, that)| this.is_same(that))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entra::app::{Algorithm, CertificateSource};
    use crate::secret::SecretSource;

    fn fixed(value: &str) -> Credential {
        Credential::secret(SecretSource::Fixed { name: "TEST".to_owned(), value: Secret::new(value.to_owned()) })
    }

    fn in_file() -> Credential {
        Credential::secret(SecretSource::File("/nonexistent/secret".into()))
    }

    #[test]
    fn an_echoed_secret_is_taken_out_in_both_spellings() {
        let sent = Sent { secret: ("client_secret", Secret::new("a b/c=".to_owned())), is_assertion: false };
        assert_eq!(sent.redact("x a b/c= y a+b%2Fc%3D z"), "x [secret] y [secret] z");
    }

    #[test]
    fn the_digest_changes_with_the_credentials_only() {
        let keys = RandomState::new();
        let digest = |credentials: &[Credential]| {
            let whole = Proofs::read(credentials, &keys).digest;
            assert_eq!(whole, Proofs::digest(credentials, &keys));
            whole
        };
        assert_eq!(digest(&[fixed("a"), fixed("b")]), digest(&[fixed("a"), fixed("b")]));
        assert_eq!(digest(&[in_file()]), digest(&[in_file()]));
        assert_ne!(digest(&[fixed("a"), fixed("b")]), digest(&[fixed("b"), fixed("a")]));
        assert_ne!(digest(&[fixed("ab")]), digest(&[fixed("a"), fixed("b")]));
        assert_ne!(digest(&[fixed("a")]), digest(&[in_file()]));
    }

    #[test]
    fn lists_are_compared_by_what_is_configured() {
        let place = || SecretSource::File("/nonexistent/secret".into());
        let certificate = |cert: Option<SecretSource>, algorithm| {
            Credential::Certificate(CertificateSource { key: place(), cert, algorithm })
        };
        let all = [
            fixed("a"),
            fixed("b"),
            in_file(),
            Credential::FederatedToken(place()),
            certificate(None, Algorithm::Ps256),
            certificate(None, Algorithm::Rs256),
            certificate(Some(place()), Algorithm::Ps256),
            Credential::ClientSecret { source: place(), expires_at: Some(Ticks::from_unix_seconds(1)) },
        ];
        for (at, this) in all.iter().enumerate() {
            for (other, that) in all.iter().enumerate() {
                let same = are_same(std::slice::from_ref(this), std::slice::from_ref(that));
                assert_eq!(same, at == other, "{at} {other}");
            }
        }
        assert!(!are_same(&[fixed("a")], &[]));
    }
}
