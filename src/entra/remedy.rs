//! Owns what an operator is told to do about a refusal.

use super::app::{App, Credential};
use super::classify::Refusal;
use super::consent::consent_url;
use super::credential::label;
use crate::domain::Tenant;

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
    format!(
        "create a new client secret for application {} (Entra admin center, App registrations, Certificates & secrets) \
         and put its value, not its id, in the place of {}; it takes effect without a restart if that is a file",
        app.client_id,
        label(credential)
    )
}

/// What to do when a credential cannot be read.
pub(super) fn for_unreadable(app: &App) -> String {
    format!("put the client secret of application {} there, readable by the daemon's user alone", app.client_id)
}
