//! Owns access tokens: their claims, and signing and checking them.
//!
//! Real tokens are signed with RS256. These use ES256 because one core makes some tens of thousands of P-256
//! signatures a second but only about one and a half thousand of 2,048 bit RSA, and no client checks the signature
//! of a token that is meant for someone else.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// The claims of an access token, as decoded from a recorded one (v1) with the v2 names beside them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) aud: String,
    pub(crate) iss: String,
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) aio: Option<String>,
    pub(crate) appid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) appidacr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) idp: Option<String>,
    pub(crate) oid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rh: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) roles: Vec<String>,
    pub(crate) sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant_region_scope: Option<String>,
    pub(crate) tid: String,
    pub(crate) uti: String,
    pub(crate) ver: String,
}

/// Signs and checks this simulator's tokens with a key made at its start.
#[derive(Debug)]
pub(crate) struct Signer {
    key: EcdsaKeyPair,
    header: String,
}

impl Signer {
    pub(crate) fn generate() -> Result<Self, Unspecified> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let thumbprint = "s1mul4t0rK3yTh1ngs0fN0W0rth";
        let header = format!(r#"{{"typ":"JWT","alg":"ES256","x5t":"{thumbprint}","kid":"{thumbprint}"}}"#);
        Ok(Self { key, header: URL_SAFE_NO_PAD.encode(header) })
    }

    /// The compact JWT of some claims.
    pub(crate) fn sign(&self, claims: &Claims) -> Option<String> {
        let body = serde_json::to_vec(claims).ok()?;
        let message = format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(body));
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes()).ok()?;
        Some(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The claims of a token this signer made; `None` for every other text.
    pub(crate) fn verify(&self, token: &str) -> Option<Claims> {
        let (message, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.key.public_key());
        key.verify(message.as_bytes(), &signature).ok()?;
        let (_, body) = message.split_once('.')?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_tokens_pass() {
        let signer = Signer::generate().expect("a key");
        let claims = Claims { tid: "t".into(), roles: vec!["Alert.Read.All".into()], ..Claims::default() };
        let token = signer.sign(&claims).expect("signing");
        assert_eq!(signer.verify(&token).map(|claims| claims.tid), Some("t".to_owned()));
        let other = Signer::generate().expect("a key");
        assert!(other.verify(&token).is_none());
        assert!(signer.verify("a.b.c").is_none());
        assert!(!token.contains('='));
    }
}
