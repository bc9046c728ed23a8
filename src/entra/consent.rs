//! Owns the link with which a customer's administrator lets an app registration in.

use url::form_urlencoded::Serializer;

use super::app::App;
use crate::domain::Tenant;

/// Where the browser ends up after the consent. Nothing listens there; the app registration must list it.
pub const REDIRECT_URI: &str = "https://localhost";

/// The admin consent link of one tenant, in the form Microsoft documents for the v2 endpoint.
///
/// `/.default` asks for exactly the permissions that the app registration lists. The `state` that comes back names the
/// tenant, so that whoever reads the browser's address line knows which link was answered. It proves nothing, and
/// neither does `admin_consent=True`, which is there on errors too: a token with the role is the only proof.
#[must_use]
pub fn consent_url(app: &App, tenant: &Tenant) -> String {
    let query = Serializer::new(String::new())
        .append_pair("client_id", &app.client_id)
        .append_pair("scope", &format!("{}/.default", app.audience))
        .append_pair("redirect_uri", REDIRECT_URI)
        .append_pair("state", tenant.id.as_str())
        .finish();
    format!("{}/{}/v2.0/adminconsent?{query}", tenant.login_url, tenant.id)
}
