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

/// The form that Microsoft's guide for partners gives. It is the same for all tenants, and tells nothing afterwards.
#[must_use]
pub fn partner_consent_url(app: &App, tenant: &Tenant) -> String {
    let query = Serializer::new(String::new())
        .append_pair("prompt", "consent")
        .append_pair("client_id", &app.client_id)
        .append_pair("response_type", "code")
        .append_pair("sso_reload", "true")
        .finish();
    format!("{}/common/oauth2/authorize?{query}", tenant.login_url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Region, TenantId};
    use crate::entra::app::Endpoint;

    #[test]
    fn the_link_names_app_tenant_and_audience() {
        let app = App {
            name: "main".to_owned(),
            client_id: "11111111-1111-1111-1111-111111111111".to_owned(),
            audience: "https://api.securitycenter.microsoft.com".to_owned(),
            endpoint: Endpoint::V1,
            credentials: Vec::new(),
        };
        let tenant = Tenant {
            id: TenantId::parse("a839b112-1253-6432-9bf6-94542403f21c").expect("a GUID"),
            name: "Contoso".to_owned(),
            app: "main".to_owned(),
            region: Region::Global,
            login_url: "https://login.microsoftonline.com".to_owned(),
            api_url: String::new(),
            tags: Vec::new(),
            enabled: true,
        };
        assert_eq!(
            consent_url(&app, &tenant),
            "https://login.microsoftonline.com/a839b112-1253-6432-9bf6-94542403f21c/v2.0/adminconsent\
             ?client_id=11111111-1111-1111-1111-111111111111\
             &scope=https%3A%2F%2Fapi.securitycenter.microsoft.com%2F.default\
             &redirect_uri=https%3A%2F%2Flocalhost&state=a839b112-1253-6432-9bf6-94542403f21c"
        );
        assert_eq!(
            partner_consent_url(&app, &tenant),
            "https://login.microsoftonline.com/common/oauth2/authorize?prompt=consent\
             &client_id=11111111-1111-1111-1111-111111111111&response_type=code&sso_reload=true"
        );
    }
}
