//! Owns the token routes over HTTP: reading the form, Basic credentials, and the headers of the answer.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request};

use super::handle::{Asked, Target};
use super::reply::{JSON, Reply};
use super::{Shared, spoil};
use crate::entra::errors::Refusal;
use crate::entra::login::{LoginRequest, Version, grant};
use crate::fault::{Fault, Stage};
use crate::ids;

/// The largest form that is read.
const MAX_FORM_BYTES: usize = 256 * 1024;

pub(super) async fn answer(shared: &Shared, asked: &Asked, request: Request<Incoming>) -> Reply {
    let Target::Login(tenant, version) = &asked.target else { return Reply::empty(404) };
    if asked.method != Method::POST {
        return Reply::empty(405).header("allow", "POST");
    }
    let Ok(form) = Limited::new(request.into_body(), MAX_FORM_BYTES).collect().await else {
        return Reply::empty(413);
    };
    let form = url::form_urlencoded::parse(&form.to_bytes()).into_owned().collect();
    let login = LoginRequest {
        tenant: tenant.clone(),
        version: *version,
        endpoint: format!("{}{}", asked.host, asked.path),
        form,
        basic: asked.authorization.as_deref().and_then(basic),
    };
    let struck = shared.faults.strike(Stage::Token, asked.circumstances());
    let impostor = struck.iter().find_map(|fault| {
        let Fault::ForeignTenantToken { tid } = fault else { return None };
        Some(tid.as_str())
    });
    let (granted, now) = shared.with_world(|world| (grant(world, &shared.signer, &login, impostor), world.now()));
    match granted {
        Ok(body) => {
            let reply = Reply::sized(200, JSON, body);
            spoil::login(reply, &shared.faults.strike(Stage::Answer, asked.circumstances()))
        }
        Err(refusal) => {
            let correlation = login.form.get("client-request-id").cloned();
            let correlation = correlation.unwrap_or_else(|| ids::guid(&mut rand::rng()));
            Reply::sized(refusal.codes().0, JSON, refusal.body(now, &correlation))
        }
    }
}

/// Client id and secret of an `Authorization: Basic` header, each form-encoded inside as OAuth asks for.
fn basic(header: &str) -> Option<(String, String)> {
    let packed = header.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(packed.trim()).ok()?).ok()?;
    let (client, secret) = text.split_once(':')?;
    let plain = |part: &str| {
        let mut pairs = url::form_urlencoded::parse(part.as_bytes());
        pairs.next().map(|(name, _)| name.into_owned()).unwrap_or_default()
    };
    Some((plain(client), plain(secret)))
}

/// Headers of every answer of the token endpoint.
pub(super) fn headers() -> Vec<(&'static str, String)> {
    vec![
        ("cache-control", "no-store, no-cache".to_owned()),
        ("pragma", "no-cache".to_owned()),
        ("expires", "-1".to_owned()),
        ("strict-transport-security", "max-age=31536000; includeSubDomains".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("x-ms-request-id", ids::guid(&mut rand::rng())),
    ]
}

/// A token for the first app's first good secret, over no wire.
pub(super) fn direct_token(shared: &Shared, tenant: &str) -> Option<String> {
    shared.with_world(|world| {
        let app = world.apps.first()?;
        let secret = app.secrets.iter().find(|secret| !secret.expired)?;
        let resource = world.options.audiences.first()?.clone();
        let fields = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", app.client_id.clone()),
            ("client_secret", secret.value.clone()),
            ("resource", resource),
        ];
        let form: HashMap<String, String> = fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let request = LoginRequest {
            tenant: tenant.to_owned(),
            version: Version::V1,
            endpoint: String::new(),
            form,
            basic: None,
        };
        let body: Result<String, Refusal> = grant(world, &shared.signer, &request, None);
        let answer: serde_json::Value = serde_json::from_str(&body.ok()?).ok()?;
        answer.get("access_token")?.as_str().map(str::to_owned)
    })
}
