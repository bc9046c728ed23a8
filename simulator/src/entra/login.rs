//! Owns the token routes: a form in, a token or a refusal out.

use std::collections::HashMap;

use rand::RngExt;

use super::errors::Refusal;
use super::token::{Claims, Signer};
use super::{App, assertion};
use crate::ids;
use crate::json::quoted;
use crate::ticks::Ticks;
use crate::world::{Tenant, World};

/// Which of the two protocol versions was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

/// A token request as it came in.
#[derive(Debug)]
pub(crate) struct LoginRequest {
    pub(crate) tenant: String,
    pub(crate) version: Version,
    /// `Host` header and path: what an assertion's audience must name.
    pub(crate) endpoint: String,
    pub(crate) form: HashMap<String, String>,
    /// Client id and secret of an `Authorization: Basic` header, already decoded.
    pub(crate) basic: Option<(String, String)>,
}

impl LoginRequest {
    fn field(&self, name: &str) -> Option<&str> {
        self.form.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Grants a token for the world's present. `impostor` puts another tenant's id into it.
pub(crate) fn grant(
    world: &World,
    signer: &Signer,
    request: &LoginRequest,
    impostor: Option<&str>,
) -> Result<String, Refusal> {
    let now = world.now();
    let tenant = find_tenant(world, &request.tenant)?;
    let grant = request.field("grant_type").ok_or(Refusal::MissingParameter("grant_type"))?;
    if grant != "client_credentials" {
        return Err(Refusal::UnsupportedGrant(grant.to_owned()));
    }
    let client = request.field("client_id").or(request.basic.as_ref().map(|(client, _)| client.as_str()));
    let client = client.ok_or(Refusal::MissingParameter("client_id"))?;
    let resource = resource(request)?;
    let app = find_app(world, tenant, client)?;
    let proof = prove(app, request, now)?;
    if !tenant.state.service_principal {
        return Err(Refusal::ResourceNotFound { resource, tenant: tenant.id().to_owned() });
    }
    if tenant.state.conditional_access {
        return Err(Refusal::ConditionalAccess);
    }
    let lifetime = rand::rng().random_range(app.token_lifetime.clone());
    let claims = claims(app, tenant, &resource, proof, lifetime, now, impostor);
    let token = signer.sign(&claims).ok_or(Refusal::NoCredential)?;
    Ok(answer(request.version, app, &claims, &resource, lifetime, &token))
}

fn find_tenant<'w>(world: &'w World, name: &str) -> Result<&'w Tenant, Refusal> {
    let lower = name.to_ascii_lowercase();
    if ["common", "organizations", "consumers"].contains(&lower.as_str()) {
        return Err(Refusal::NoTenant);
    }
    if ids::canonical_guid(&lower).is_none() && (!lower.contains('.') || lower.contains("..")) {
        return Err(Refusal::BadTenantName(name.to_owned()));
    }
    let found = world.find_tenant(&lower).filter(|tenant| !tenant.state.deleted);
    found.ok_or_else(|| Refusal::TenantNotFound(name.to_owned()))
}

/// The one resource that is asked for: `resource` in version 1, a scope ending in `/.default` in version 2.
fn resource(request: &LoginRequest) -> Result<String, Refusal> {
    if request.version == Version::V1 {
        let resource = request.field("resource").ok_or(Refusal::MissingParameter("resource"))?;
        return Ok(resource.trim_end_matches('/').to_owned());
    }
    if request.field("resource").is_some() {
        return Err(Refusal::ResourceOnV2);
    }
    let scope = request.field("scope").ok_or(Refusal::MissingParameter("scope"))?;
    if scope.split_whitespace().count() > 1 {
        return Err(Refusal::SeveralResources);
    }
    if !scope.contains("://") && ids::canonical_guid(scope.split('/').next().unwrap_or_default()).is_none() {
        return Err(Refusal::BadScope(scope.to_owned()));
    }
    let resource = scope.strip_suffix("/.default").ok_or_else(|| Refusal::ScopeWithoutDefault(scope.to_owned()))?;
    Ok(resource.trim_end_matches('/').to_owned())
}

fn find_app<'w>(world: &'w World, tenant: &Tenant, client: &str) -> Result<&'w App, Refusal> {
    let unknown = || Refusal::AppNotFound { app: client.to_owned(), tenant: tenant.id().to_owned() };
    let app = world.apps.iter().find(|app| app.client_id.eq_ignore_ascii_case(client)).ok_or_else(unknown)?;
    let listed = tenant.state.consented_apps.as_ref().is_none_or(|apps| apps.contains(&app.client_id));
    if !tenant.state.consented || !listed {
        return Err(unknown());
    }
    if tenant.state.app_disabled {
        return Err(Refusal::AppDisabled(client.to_owned()));
    }
    Ok(app)
}

/// Checks the credential; gives the `appidacr` it earns.
fn prove(app: &App, request: &LoginRequest, now: Ticks) -> Result<&'static str, Refusal> {
    if let Some(text) = request.field("client_assertion") {
        let kind = request.field("client_assertion_type").unwrap_or_default();
        if kind != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
            return Err(Refusal::MissingParameter("client_assertion_type"));
        }
        assertion::check(app, text, &request.endpoint, now)?;
        return Ok(assertion::BY_CERTIFICATE);
    }
    let basic = request.basic.as_ref().map(|(_, secret)| secret.as_str());
    let sent = request.field("client_secret").or(basic).ok_or(Refusal::NoCredential)?;
    match app.secrets.iter().find(|secret| secret.value == sent) {
        Some(secret) if secret.expired => Err(Refusal::ExpiredSecret(app.client_id.clone())),
        Some(_) => Ok("1"),
        None => Err(Refusal::WrongSecret(app.client_id.clone())),
    }
}

fn claims(
    app: &App,
    tenant: &Tenant,
    resource: &str,
    proof: &str,
    lifetime: i64,
    now: Ticks,
    impostor: Option<&str>,
) -> Claims {
    let now = now.unix_seconds();
    let tid = impostor.unwrap_or(tenant.id()).to_owned();
    let issuer = format!("https://sts.windows.net/{tid}/");
    let rng = &mut rand::rng();
    Claims {
        aud: resource.to_owned(),
        iss: issuer.clone(),
        iat: now - app.backdated,
        nbf: now - app.backdated,
        exp: now + lifetime,
        aio: Some(crate::generate::hex(rng, 32)),
        appid: Some(app.client_id.clone()),
        appidacr: Some(proof.to_owned()),
        idp: Some(issuer),
        oid: tenant.object_id.clone(),
        rh: Some("1.AAAA.".to_owned()),
        roles: tenant.state.roles.clone(),
        sub: tenant.object_id.clone(),
        tenant_region_scope: Some("EU".to_owned()),
        tid,
        uti: crate::generate::hex(rng, 22),
        // The API's registration asks for v1 tokens, so that is what both endpoints issue.
        ver: "1.0".to_owned(),
    }
}

/// The success body: version 1 writes every number as a string (recorded), version 2 as a number (documented).
fn answer(version: Version, app: &App, claims: &Claims, resource: &str, lifetime: i64, token: &str) -> String {
    let refresh = app.refresh_in;
    let life = lifetime - 1;
    match version {
        Version::V1 => {
            let refresh = refresh.map(|seconds| format!("\"refresh_in\":\"{seconds}\",")).unwrap_or_default();
            format!(
                "{{\"token_type\":\"Bearer\",\"expires_in\":\"{life}\",\"ext_expires_in\":\"{life}\",{refresh}\
                 \"expires_on\":\"{}\",\"not_before\":\"{}\",\"resource\":{},\"access_token\":\"{token}\"}}",
                claims.exp,
                claims.nbf,
                quoted(resource)
            )
        }
        Version::V2 => {
            let refresh = refresh.map(|seconds| format!("\"refresh_in\":{seconds},")).unwrap_or_default();
            format!(
                "{{\"token_type\":\"Bearer\",\"expires_in\":{life},\"ext_expires_in\":{life},{refresh}\
                 \"access_token\":\"{token}\"}}"
            )
        }
    }
}
