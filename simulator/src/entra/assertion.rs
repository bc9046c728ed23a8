//! Owns checking client assertions: an app's own certificate, or another identity provider's word.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use super::App;
use super::errors::Refusal;
use crate::ticks::Ticks;

/// How far an assertion's times may be off, in seconds.
const CLOCK_SKEW: i64 = 300;

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    x5t: Option<String>,
    #[serde(rename = "x5t#S256")]
    x5t_s256: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Claims {
    aud: Value,
    iss: String,
    sub: String,
    jti: Option<String>,
    exp: Value,
    nbf: Option<Value>,
}

/// A taken-apart JWT.
struct Assertion<'a> {
    header: Header,
    claims: Claims,
    message: &'a str,
    signature: Vec<u8>,
}

/// How an app proved who it is, as the token's `appidacr` tells it.
pub(crate) const BY_CERTIFICATE: &str = "2";

/// Accepts `text` as proof of `app`, or says why not. `endpoint` is the token endpoint's URL as it was addressed,
/// without scheme.
pub(crate) fn check(app: &App, text: &str, endpoint: &str, now: Ticks) -> Result<(), Refusal> {
    let assertion = take_apart(text).ok_or(Refusal::MalformedAssertion)?;
    if assertion.claims.iss == app.client_id || app.federated.is_empty() {
        check_own(app, &assertion, endpoint)?;
    } else {
        check_federated(app, &assertion)?;
    }
    check_times(&assertion.claims, now)
}

/// PS256 goes with `x5t#S256` and RS256 with `x5t`; both pairs are documented, and some clients mix them.
fn check_own(app: &App, assertion: &Assertion<'_>, endpoint: &str) -> Result<(), Refusal> {
    let Assertion { header, claims, .. } = assertion;
    let certificate = app.certificates.iter().find(|certificate| {
        header.x5t_s256.as_ref().is_some_and(|print| *print == certificate.x5t_s256())
            || header.x5t.as_ref().is_some_and(|print| *print == certificate.x5t())
    });
    let certificate = certificate.ok_or(Refusal::BadAssertionSignature)?;
    let pss = is_pss(&header.alg).ok_or(Refusal::MalformedAssertion)?;
    if !certificate.verifies(pss, assertion.message.as_bytes(), &assertion.signature) {
        return Err(Refusal::BadAssertionSignature);
    }
    if claims.iss != app.client_id || claims.sub != app.client_id {
        return Err(Refusal::AssertionSubject);
    }
    let addressed = |aud: &str| {
        let bare = aud.strip_prefix("https://").or_else(|| aud.strip_prefix("http://"));
        bare.is_some_and(|bare| bare.eq_ignore_ascii_case(endpoint))
    };
    if !audiences(&claims.aud).into_iter().any(addressed) {
        return Err(Refusal::AssertionAudience);
    }
    let named = claims.jti.as_ref().is_some_and(|jti| !jti.is_empty());
    named.then_some(()).ok_or(Refusal::MalformedAssertion)
}

fn check_federated(app: &App, assertion: &Assertion<'_>) -> Result<(), Refusal> {
    let Assertion { header, claims, .. } = assertion;
    let trusted = app.federated.iter().find(|trusted| {
        trusted.issuer == claims.iss
            && trusted.subject == claims.sub
            && audiences(&claims.aud).contains(&trusted.audience.as_str())
    });
    let trusted = trusted.ok_or(Refusal::NoFederatedMatch)?;
    let pss = is_pss(&header.alg).ok_or(Refusal::MalformedAssertion)?;
    let good = trusted.key.verifies(pss, assertion.message.as_bytes(), &assertion.signature);
    good.then_some(()).ok_or(Refusal::BadAssertionSignature)
}

fn check_times(claims: &Claims, now: Ticks) -> Result<(), Refusal> {
    let now = now.unix_seconds();
    let expires = seconds(&claims.exp).ok_or(Refusal::MalformedAssertion)?;
    let starts = claims.nbf.as_ref().map_or(Some(0), seconds).ok_or(Refusal::MalformedAssertion)?;
    (now < expires + CLOCK_SKEW && now >= starts - CLOCK_SKEW).then_some(()).ok_or(Refusal::AssertionTime)
}

fn take_apart(text: &str) -> Option<Assertion<'_>> {
    let (message, signature) = text.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    Some(Assertion {
        header: serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?,
        claims: serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?,
        message,
        signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
    })
}

fn is_pss(algorithm: &str) -> Option<bool> {
    match algorithm {
        "PS256" => Some(true),
        "RS256" => Some(false),
        _ => None,
    }
}

/// Numbers of seconds; a shipping library writes them as JSON strings, so both are taken.
fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn audiences(value: &Value) -> Vec<&str> {
    let many = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    value.as_str().into_iter().chain(many).collect()
}
