//! Owns what an operator is told to do about a refusal.

use super::app::{App, Credential, CredentialKind};
use super::classify::Refusal;
use super::consent::consent_url;
use super::credential::CredentialError;
use crate::domain::Tenant;
use crate::secret::SecretError;

/// What to do about a refusal that concerns one tenant; empty when waiting is all.
pub(super) fn for_tenant(refusal: Refusal, app: &App, tenant: &Tenant) -> String {
    let id = &app.client_id;
    match refusal {
        Refusal::NotConsented => {
            format!("have an administrator of the tenant open {}", consent_url(app, tenant))
        }
        Refusal::SwitchedOff => format!(
            "have an administrator of the tenant enable application {id} (Entra admin center, Enterprise applications)"
        ),
        Refusal::TenantGone => {
            format!("check the tenant's id and the `cloud` of app `{}`; remove the tenant if it was deleted", app.name)
        }
        Refusal::NoService => "the tenant needs a licence for Defender for Endpoint, and someone must have opened \
                               security.microsoft.com once; else check the app's `cloud` and `audience`"
            .to_owned(),
        Refusal::Policy => {
            format!("have the tenant's administrator exempt application {id} from the policy that blocks it")
        }
        Refusal::Request => {
            format!("check `client_id`, `cloud`, `audience` and `login_url` of app `{}`", app.name)
        }
        Refusal::Foreign => "check `login_url`, and whether a proxy answers in the login service's place".to_owned(),
        // A refused credential is told for the app as a whole.
        Refusal::Credential | Refusal::Throttled | Refusal::Unavailable => String::new(),
    }
}

/// What to do when the login service refuses a credential.
pub(super) fn for_refused(app: &App, credential: &Credential) -> String {
    let (id, label) = (&app.client_id, credential.label());
    match credential {
        Credential::ClientSecret { .. } => format!(
            "create a new client secret for application {id} (Entra admin center, App registrations, Certificates & \
             secrets) and put its value, not its id, in the place of {label}; it takes effect without a restart if that \
             is a file"
        ),
        Credential::Certificate(_) => format!(
            "upload {label} to application {id} (Entra admin center, App registrations, Certificates & secrets), see that \
             it has not ended, and that this machine's clock is right"
        ),
        Credential::FederatedToken(_) => format!(
            "compare issuer, subject and audience of {label} with the federated credentials of application {id} (Entra \
             admin center, App registrations, Certificates & secrets), and see that the token is kept fresh"
        ),
    }
}

/// Where systemd puts the credentials of units. Nobody else puts anything there.
const CREDENTIALS: &str = "/run/credentials";

/// What to do when there is nothing to prove an app registration with in the place of a credential.
pub(super) fn for_unusable(app: &App, credential: &Credential, why: &CredentialError) -> String {
    let words = match credential.kind() {
        CredentialKind::Secret => "client secret",
        CredentialKind::Certificate => "private key",
        CredentialKind::FederatedToken => "federated token",
    };
    match why {
        CredentialError::Unread(SecretError::PublicUnreadable { .. }) => {
            format!("put the certificate of application {} there, readable by the daemon's user", app.client_id)
        }
        CredentialError::Unread(SecretError::Open { path, .. }) => format!("chmod 600 {}", path.display()),
        CredentialError::Unread(SecretError::Unreadable { path, .. }) if path.starts_with(CREDENTIALS) => format!(
            "systemd puts the {words} there while the unit runs, for root and the daemon's user: run this as root then, or \
             by `systemd-run` with LoadCredential="
        ),
        CredentialError::Unread(_) => {
            format!("put the {words} of application {} there, readable by the daemon's user alone", app.client_id)
        }
        CredentialError::NoKey { .. } => "put the private key there in PEM, beginning with BEGIN PRIVATE KEY or BEGIN \
                                          RSA PRIVATE KEY"
            .to_owned(),
        CredentialError::EncryptedKey { place } => {
            format!("take the password off: openssl pkey -in {place} -out NEW-FILE, and name that file")
        }
        CredentialError::NotRsa { .. } => {
            "Entra takes assertions signed with RSA; make a certificate with an RSA key of 2048 bits or more".to_owned()
        }
        CredentialError::NoCertificate { .. } | CredentialError::BadCertificate { .. } => {
            "put the certificate there in PEM, beginning with BEGIN CERTIFICATE".to_owned()
        }
        CredentialError::NoPair { cert, .. } => {
            format!("name the key that {cert} was made with, or the certificate of that key")
        }
        CredentialError::NotSigned => "make a new key and certificate".to_owned(),
    }
}
