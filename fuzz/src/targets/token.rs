//! The answers of the login service, and the claims of a token: what is read is what was written, and nothing of a token or
//! of a secret gets into a text for people.
//!
//! Input: the body of an answer, which is also taken for the claims of a token.

use alertferry::domain::TenantId;
use alertferry::entra::claims::Claims;
use alertferry::entra::reply::{Complaint, Issued};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// What a service might repeat of the request.
const SECRET: &str = "hunter2-canary";
const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const AUDIENCE: &str = "https://api.securitycenter.microsoft.com";
/// The limits of the texts, with the mark that says they were cut.
const MOST_DESCRIPTION: usize = 301;
const MOST_CODE: usize = 65;
/// A shorter text may stand in a message by chance.
const TELLING: usize = 12;

pub fn run(data: &[u8]) {
    let body = String::from_utf8_lossy(data);
    let read = serde_json::from_str::<Value>(&body).unwrap_or_default();
    issued(&body, &read);
    complaint(&body);
    claims(data, &read);
}

fn issued(body: &str, read: &Value) {
    let token = read["access_token"].as_str().unwrap_or_default();
    match Issued::read(body) {
        Ok(issued) => {
            assert_eq!(issued.bearer.expose(), token);
            assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()), "it fits a header");
            assert!(read["token_type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")));
            assert!(!format!("{issued:?}").contains(token) || token.len() < TELLING, "it cannot be printed");
        }
        Err(reason) => assert!(token.len() < TELLING || !reason.contains(token), "{reason}"),
    }
}

fn complaint(body: &str) {
    let Some(told) = Complaint::read(body, |text| text.replace(SECRET, "…")) else { return };
    for (text, most) in [(&told.error, MOST_CODE), (&told.description, MOST_DESCRIPTION)] {
        assert!(text.chars().count() <= most, "{} characters", text.chars().count());
        assert!(!text.contains(SECRET), "{text}");
        let steers = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(!text.contains(steers), "{text:?}");
    }
}

fn claims(data: &[u8], read: &Value) {
    let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(data));
    let tenant = TenantId::parse(TENANT).expect("a GUID");
    let Some(claims) = Claims::of(&token) else { return };
    if claims.check(tenant, AUDIENCE).is_ok() {
        let has = |name: &str, wanted: &dyn Fn(&str) -> bool| match &read[name] {
            Value::String(text) => wanted(text),
            Value::Array(list) => list.iter().filter_map(Value::as_str).any(wanted),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
        };
        assert!(has("tid", &|tid| tid.eq_ignore_ascii_case(TENANT)), "another tenant's token is accepted: {read}");
        assert!(has("roles", &|role| role.starts_with("Alert.Read")), "a token without the role is accepted: {read}");
        assert!(has("aud", &|_| true), "a token for nobody is accepted: {read}");
    }
}
