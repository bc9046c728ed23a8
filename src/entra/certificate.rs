//! Owns a certificate with its private key, and the client assertions that the key signs.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::parse_x509_certificate;

use super::app::{Algorithm, CertificateSource};
use super::credential::CredentialError;
use crate::domain::Ticks;
use crate::secret::Secret;

/// How long an assertion is good: Microsoft's page asks for 5 to 10 minutes.
const ASSERTION_SECONDS: i64 = 600;

/// What a certificate proves an app registration with.
pub(super) struct Signer {
    key: RsaKeyPair,
    /// The head of every assertion, encoded.
    head: String,
    algorithm: Algorithm,
    /// When the certificate ends.
    pub ends_at: Ticks,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[signer]")
    }
}

impl Signer {
    /// Takes a key and the certificate that belongs to it out of their PEM texts. Other certificates in the text, such as
    /// those of the authorities that signed it, are passed over.
    pub fn new(source: &CertificateSource, key: &Secret, cert: &Secret) -> Result<Self, CredentialError> {
        let key_place = || source.key.place();
        let cert_place = || source.cert.as_ref().unwrap_or(&source.key).place();
        let key = read_key(key.expose(), key_place)?;
        let (mut found, mut fitting) = (false, None);
        for der in CertificateDer::pem_slice_iter(cert.expose().as_bytes()) {
            let der = der.map_err(|error| CredentialError::BadCertificate {
                place: cert_place(),
                detail: format!("broken PEM, {error}"),
            })?;
            let (_, parsed) = parse_x509_certificate(&der)
                .map_err(|error| CredentialError::BadCertificate { place: cert_place(), detail: error.to_string() })?;
            found = true;
            if parsed.public_key().subject_public_key.data.as_ref() == key.public_key().as_ref() {
                let ends_at = Ticks::from_unix_seconds(parsed.validity().not_after.timestamp());
                fitting = Some((head(&der, source.algorithm), ends_at));
                break;
            }
        }
        match fitting {
            Some((head, ends_at)) => Ok(Self { key, head, algorithm: source.algorithm, ends_at }),
            None if found => Err(CredentialError::NoPair { key: key_place(), cert: cert_place() }),
            None => Err(CredentialError::NoCertificate { place: cert_place() }),
        }
    }

    /// An assertion of `client_id` for the token endpoint at `audience`, good from `now` on.
    pub fn assertion(&self, client_id: &str, audience: &str, now: Ticks) -> Result<Secret, CredentialError> {
        let from = now.unix_seconds();
        let claims = serde_json::json!({
            "aud": audience, "iss": client_id, "sub": client_id, "jti": unique_id(),
            "iat": from, "nbf": from, "exp": from + ASSERTION_SECONDS,
        });
        let message = format!("{}.{}", self.head, URL_SAFE_NO_PAD.encode(claims.to_string()));
        let padding = match self.algorithm {
            Algorithm::Ps256 => &RSA_PSS_SHA256,
            Algorithm::Rs256 => &RSA_PKCS1_SHA256,
        };
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(padding, &SystemRandom::new(), message.as_bytes(), &mut signature)
            .map_err(|_| CredentialError::NotSigned)?;
        Ok(Secret::new(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

fn read_key(pem: &str, place: impl Fn() -> String) -> Result<RsaKeyPair, CredentialError> {
    if pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(CredentialError::EncryptedKey { place: place() });
    }
    let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| CredentialError::NoKey { place: place() })?;
    let key = match &der {
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(_) | _ => return Err(CredentialError::NotRsa { place: place() }),
    };
    // What the library says of a key it rejects is one word about the key's form, and nothing of its content.
    key.map_err(|_| CredentialError::NotRsa { place: place() })
}

fn head(der: &[u8], algorithm: Algorithm) -> String {
    let print = |hash| URL_SAFE_NO_PAD.encode(digest(hash, der));
    let head = match algorithm {
        Algorithm::Ps256 => serde_json::json!({"alg": "PS256", "typ": "JWT", "x5t#S256": print(&SHA256)}),
        Algorithm::Rs256 => serde_json::json!({"alg": "RS256", "typ": "JWT", "x5t": print(&SHA1_FOR_LEGACY_USE_ONLY)}),
    };
    URL_SAFE_NO_PAD.encode(head.to_string())
}

/// A random GUID (version 4): the login service refuses an assertion whose `jti` it has seen.
fn unique_id() -> String {
    let random = rand::random::<u128>();
    let bits = random & !(0xF000 << 64) | (0x4000 << 64);
    let bits = bits & !(0xC000 << 48) | (0x8000 << 48);
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_guids_of_version_four_and_differ() {
        let (one, other) = (unique_id(), unique_id());
        assert_ne!(one, other);
        for id in [one, other] {
            assert_eq!(id.len(), 36);
            assert_eq!(&id[14..15], "4", "{id}");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
    }
}
