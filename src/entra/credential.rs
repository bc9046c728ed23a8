//! Owns how a credential becomes form fields of a token request.

use std::hash::{BuildHasher, RandomState};

use super::app::Credential;
use crate::secret::{Secret, SecretError, SecretSource, hidden};

/// What one credential adds to a token request.
#[derive(Debug)]
pub(super) struct Proof {
    /// The form fields.
    pub fields: Vec<(&'static str, Secret)>,
}

impl Proof {
    /// Replaces everything secret in `text`, as it is and as it was sent.
    pub fn redact(&self, text: &str) -> String {
        self.fields.iter().fold(text.to_owned(), |text, (_, secret)| {
            let sent: String = url::form_urlencoded::byte_serialize(secret.expose().as_bytes()).collect();
            hidden(&hidden(&text, secret.expose()), &sent)
        })
    }
}

/// Everything an app registration can prove itself with, as it is right now.
pub(super) struct Proofs {
    /// In the configured order.
    pub each: Vec<Result<Proof, SecretError>>,
    /// Equal for equal credentials in this process, and useless outside of it.
    pub digest: u64,
}

impl Proofs {
    /// Reads every credential. Files are read each time, so a rotated secret takes effect with the next request.
    ///
    /// They are small and local; reading them costs less than handing the work to another thread.
    pub fn read(credentials: &[Credential], keys: &RandomState) -> Self {
        let each: Vec<_> = credentials.iter().map(prove).collect();
        let contents: Vec<_> = each.iter().map(contents).collect();
        let digest = keys.hash_one(&contents);
        Self { each, digest }
    }
}

fn prove(credential: &Credential) -> Result<Proof, SecretError> {
    match credential {
        Credential::ClientSecret(source) => Ok(Proof { fields: vec![("client_secret", source.read()?)] }),
    }
}

/// What the digest is made of; it lives only while the digest is being computed.
fn contents(proof: &Result<Proof, SecretError>) -> Result<Vec<&str>, String> {
    match proof {
        Ok(proof) => Ok(proof.fields.iter().map(|(_, secret)| secret.expose()).collect()),
        Err(error) => Err(error.to_string()),
    }
}

/// What a credential is called in messages.
pub(super) fn label(credential: &Credential) -> String {
    match credential {
        Credential::ClientSecret(SecretSource::File(path)) => format!("the client secret in {}", path.display()),
        Credential::ClientSecret(SecretSource::Fixed { name, .. }) => format!("the client secret in {name}"),
    }
}

/// Whether two lists of credentials are configured alike.
pub(super) fn are_same(these: &[Credential], those: &[Credential]) -> bool {
    these.len() == those.len() && these.iter().zip(those).all(|(this, that)| is_same(this, that))
}

fn is_same(this: &Credential, that: &Credential) -> bool {
    match (this, that) {
        (Credential::ClientSecret(SecretSource::File(this)), Credential::ClientSecret(SecretSource::File(that))) => {
            this == that
        }
        (
            Credential::ClientSecret(SecretSource::Fixed { name: this, value: old }),
            Credential::ClientSecret(SecretSource::Fixed { name: that, value: new }),
        ) => this == that && old.expose() == new.expose(),
        (Credential::ClientSecret(SecretSource::File(_)), Credential::ClientSecret(SecretSource::Fixed { .. }))
        | (Credential::ClientSecret(SecretSource::Fixed { .. }), Credential::ClientSecret(SecretSource::File(_))) => {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(value: &str) -> Credential {
        Credential::ClientSecret(SecretSource::Fixed { name: "TEST".to_owned(), value: Secret::new(value.to_owned()) })
    }

    #[test]
    fn an_echoed_secret_is_taken_out_in_both_spellings() {
        let proof = prove(&fixed("a b/c=")).expect("a proof");
        assert_eq!(proof.redact("x a b/c= y a+b%2Fc%3D z"), "x [secret] y [secret] z");
    }

    #[test]
    fn the_digest_changes_with_the_credentials_only() {
        let keys = RandomState::new();
        let digest = |credentials: &[Credential]| Proofs::read(credentials, &keys).digest;
        let missing = Credential::ClientSecret(SecretSource::File("/nonexistent/secret".into()));
        assert_eq!(digest(&[fixed("a"), fixed("b")]), digest(&[fixed("a"), fixed("b")]));
        assert_eq!(digest(std::slice::from_ref(&missing)), digest(std::slice::from_ref(&missing)));
        assert_ne!(digest(&[fixed("a"), fixed("b")]), digest(&[fixed("b"), fixed("a")]));
        assert_ne!(digest(&[fixed("ab")]), digest(&[fixed("a"), fixed("b")]));
        assert_ne!(digest(&[fixed("a")]), digest(&[missing]));
    }

    #[test]
    fn lists_are_compared_by_what_is_configured() {
        assert!(are_same(&[fixed("a")], &[fixed("a")]));
        for other in [vec![], vec![fixed("b")], vec![fixed("a"), fixed("a")]] {
            assert!(!are_same(&[fixed("a")], &other));
        }
        let in_file = Credential::ClientSecret(SecretSource::File("/s".into()));
        assert!(!are_same(&[in_file], &[fixed("a")]));
    }
}
