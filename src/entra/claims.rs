//! Owns what is looked at inside a token, before it is used: whose it is, whom it is for, and what it allows.
//!
//! The signature is not checked. That is the API's business; this check keeps a wrong token from being used, it does
//! not decide whom to trust. The claims themselves are documented by Microsoft (access token claims reference).

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use crate::domain::TenantId;

/// Reads what issuers write, also with padding or stray last bits: a token must not escape the check by its spelling.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The roles of which one is enough to read alerts (documented by Microsoft).
pub(super) const ROLES: [&str; 2] = ["Alert.Read.All", "Alert.ReadWrite.All"];

/// The application id of Defender for Endpoint in the public cloud (documented): tokens of version 2 may carry it as
/// their audience.
const RESOURCE_ID: &str = "fc780465-2017-40d4-a0c5-307022471b92";

/// The claims that matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Whose it is: `tid`, where that is a GUID.
    pub tenant: Option<TenantId>,
    /// Whom it is for: `aud`.
    pub audiences: Vec<String>,
    /// What it allows: `roles`.
    pub roles: Vec<String>,
    /// Seconds since 1970.
    pub expires: Option<i64>,
}

/// What is wrong with a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    /// It is another tenant's, or nobody's.
    ForeignTenant(Option<TenantId>),
    /// It is for another service.
    WrongAudience(Vec<String>),
    /// It does not allow alerts to be read.
    RoleMissing(Vec<String>),
}

impl Claims {
    /// Looks into a token; `None` when it is no JWT, which a service is free to issue.
    pub fn of(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let bytes = LENIENT.decode(payload).ok()?;
        let claims: Map<String, Value> = serde_json::from_slice(&bytes).ok()?;
        Some(Self {
            tenant: claims.get("tid").and_then(Value::as_str).and_then(|tid| TenantId::parse(tid).ok()),
            audiences: texts(claims.get("aud")),
            roles: texts(claims.get("roles")),
            expires: claims.get("exp").and_then(seconds),
        })
    }

    /// Checks the claims against what was asked for.
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    pub fn check(&self, tenant: TenantId, audience: &str) -> Result<(), Objection> {
        if self.tenant != Some(tenant) {
            return Err(Objection::ForeignTenant(self.tenant));
        }
        if !self.audiences.iter().any(|found| is_audience(found, audience)) {
            return Err(Objection::WrongAudience(self.audiences.clone()));
        }
        if !self.roles.iter().any(|role| ROLES.contains(&role.as_str())) {
            return Err(Objection::RoleMissing(self.roles.clone()));
        }
        Ok(())
    }
}

fn is_audience(found: &str, asked: &str) -> bool {
    let (found, bare) = (found.trim_end_matches('/'), asked.trim_end_matches('/'));
    // The government clouds have registrations of their own.
    let public = !bare.split('/').nth(2).is_some_and(|host| host.ends_with(".us"));
    found.eq_ignore_ascii_case(bare) || (public && found.eq_ignore_ascii_case(RESOURCE_ID))
}

/// One text or a list of texts, which both occur for `aud`.
fn texts(value: Option<&Value>) -> Vec<String> {
    let list = match value {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A number, or one in a text: both are on the wire.
pub(super) fn seconds(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The whole part of a number that is printed with a fraction.
fn whole(number: f64) -> Option<i64> {
    (number.is_finite() && number.abs() < 1e15).then(|| format!("{number:.0}").parse().ok())?
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TENANT: &str = "11111111-2222-3333-4444-555555555555";
    const OTHER: &str = "99999999-2222-3333-4444-555555555555";
    const AUDIENCE: &str = "https://api.securitycenter.microsoft.com";

    fn jwt(claims: &Value) -> String {
        format!("eyJhbGciOiJSUzI1NiJ9.{}.c2ln", LENIENT.encode(claims.to_string()))
    }

    fn tenant() -> TenantId {
        TenantId::parse(TENANT).expect("a GUID")
    }

    #[test]
    fn each_claim_is_checked() {
        let good = json!({"tid": TENANT.to_uppercase(), "aud": AUDIENCE, "roles": ["Alert.Read.All"], "exp": 5});
        let foreign = TenantId::parse(OTHER).ok();
        for (name, value, objection) in [
            ("x", json!(1), None),
            ("aud", json!("https://API.securitycenter.microsoft.com/"), None),
            ("aud", json!(["x", AUDIENCE]), None),
            ("aud", json!(RESOURCE_ID), None),
            ("roles", json!(["Machine.Read.All", "Alert.ReadWrite.All"]), None),
            ("roles", json!("Alert.Read.All"), None),
            ("tid", json!(OTHER), Some(Objection::ForeignTenant(foreign))),
            ("tid", Value::Null, Some(Objection::ForeignTenant(None))),
            ("tid", json!("common"), Some(Objection::ForeignTenant(None))),
            ("aud", json!("https://x"), Some(Objection::WrongAudience(vec!["https://x".to_owned()]))),
            ("aud", json!(7), Some(Objection::WrongAudience(Vec::new()))),
            ("roles", json!([]), Some(Objection::RoleMissing(Vec::new()))),
            ("roles", json!(["alert.read.all"]), Some(Objection::RoleMissing(vec!["alert.read.all".to_owned()]))),
            ("roles", Value::Null, Some(Objection::RoleMissing(Vec::new()))),
        ] {
            let mut claims = good.clone();
            claims[name] = value.clone();
            let seen = Claims::of(&jwt(&claims)).expect("a JWT").check(tenant(), AUDIENCE);
            assert_eq!(seen.err(), objection, "{name} = {value}");
        }
    }

    #[test]
    fn the_public_resource_id_is_no_government_audience() {
        assert!(is_audience(RESOURCE_ID, AUDIENCE));
        assert!(!is_audience(RESOURCE_ID, "https://api-gov.securitycenter.microsoft.us"));
    }

    #[test]
    fn what_is_no_jwt_is_not_guessed_at() {
        for text in ["", "opaque", "a.b", "a.!!.c", "a.e30.c.d.e", "eyJ9.WzFd.x", "eyJ9.bm90IGpzb24.x"] {
            assert_eq!(Claims::of(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_come_in_three_forms() {
        for (value, read) in [
            (json!(3599), Some(3599)),
            (json!("3599"), Some(3599)),
            (json!(1711526881.0), Some(1_711_526_881)),
            (json!(1e300), None),
            (json!("soon"), None),
            (json!(null), None),
        ] {
            assert_eq!(seconds(&value), read, "{value}");
        }
    }
}
