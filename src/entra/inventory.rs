//! Owns the look at an app registration's credentials without the network: whether each can be used, and when it ends.

use super::app::{App, Credential, CredentialKind};
use super::credential::{CredentialError, Proof, prove};
use super::remedy;
use crate::domain::Ticks;

/// One credential as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The app registration.
    pub app: String,
    /// Its position among the app's credentials, from 1.
    pub number: usize,
    /// Where the credential is found: a path or the name of a variable.
    pub place: String,
    /// Its kind.
    pub kind: CredentialKind,
    /// Whether the part of it that is secret stands in the environment.
    pub of_environment: bool,
    /// When it ends, if that is known; or why it cannot be used.
    pub found: Result<Option<Ticks>, Unusable>,
}

/// Why a credential cannot be used. No text holds anything of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
    /// Whether something could not be read, and not: was read and is wrong.
    pub unread: bool,
}

/// When a credential ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// The app registration.
    pub app: String,
    /// Its position among the app's credentials, from 1.
    pub number: usize,
    /// Where the credential is found: a path or the name of a variable.
    pub place: String,
    /// Its kind.
    pub kind: CredentialKind,
    /// The moment from which it is refused.
    pub ends_at: Ticks,
}

impl Look {
    /// When it ends, if that is known.
    #[must_use]
    pub fn expiry(&self) -> Option<Expiry> {
        let ends_at = self.found.as_ref().ok().copied().flatten()?;
        let (app, place) = (self.app.clone(), self.place.clone());
        Some(Expiry { app, number: self.number, place, kind: self.kind, ends_at })
    }
}

impl Expiry {
    /// Whole days from `now` until it ends; negative when it has ended.
    #[must_use]
    pub fn days_left(&self, now: Ticks) -> i64 {
        (self.ends_at.unix_seconds() - now.unix_seconds()).div_euclid(86_400)
    }
}

/// Looks at every credential of an app registration, in the configured order. Reads their files.
#[must_use]
pub fn look(app: &App) -> Vec<Look> {
    app.credentials
        .iter()
        .zip(1..)
        .map(|(credential, number)| {
            let found = found(credential).map_err(|why| Unusable {
                reason: why.to_string(),
                remedy: remedy::for_unusable(app, credential, &why),
                unread: matches!(why, CredentialError::Unread(_)),
            });
            Look {
                app: app.name.clone(),
                number,
                place: credential.place(),
                kind: credential.kind(),
                of_environment: credential.is_of_environment(),
                found,
            }
        })
        .collect()
}

fn found(credential: &Credential) -> Result<Option<Ticks>, CredentialError> {
    let proof = prove(credential)?;
    Ok(match (credential, &proof) {
        (Credential::ClientSecret { expires_at, .. }, _) => *expires_at,
        (_, Proof::Certificate(signer)) => Some(signer.ends_at),
        (_, Proof::Secret(_) | Proof::Assertion(_)) => None,
    })
}
