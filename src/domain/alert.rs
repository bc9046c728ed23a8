//! Owns an alert as it came from the wire: its text, and the few facts that decide where it belongs.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use xxhash_rust::xxh3::xxh3_128;

use super::columns::{Outline, Wire};
use super::{AlertId, TenantId, Ticks};

/// One alert, checked to be valid JSON with an id and a last update time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The alert's id.
    pub id: AlertId,
    /// The version: the alert's `lastUpdateTime`.
    pub last_update: Ticks,
    /// The tenant the alert says it belongs to; the oldest schema lacks it, and what is no GUID says nothing.
    pub tenant: Option<TenantId>,
    /// A digest of `raw`: equal text, equal digest.
    pub digest: u128,
    /// Whether it was read without its evidence.
    pub thin: bool,
    /// Where its columns stand in `raw`.
    pub outline: Outline,
    /// The JSON text exactly as received.
    pub raw: String,
}

/// A piece of an answer that cannot be stored as an alert, kept with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Its id, where one could be read.
    pub id: Option<String>,
    /// Why it cannot be stored.
    pub reason: String,
    /// The bytes as received, possibly cut.
    pub raw: Vec<u8>,
    /// Whether the text itself is broken (no UTF-8, no JSON): then the answer around it is not to be trusted at once.
    pub damaged: bool,
}

impl Alert {
    /// Checks one element of an answer. The whole text is validated as JSON; only three fields are looked at.
    ///
    /// # Errors
    /// When the text is not valid UTF-8 or JSON, or has no usable `id` or `lastUpdateTime`.
    pub fn scan(raw: Vec<u8>, thin: bool) -> Result<Self, Unusable> {
        let text = match String::from_utf8(raw) {
            Ok(text) => text,
            Err(error) => {
                let reason = format!("not UTF-8: {}", error.utf8_error());
                return Err(Unusable { id: None, reason, raw: error.into_bytes(), damaged: true });
            }
        };
        match facts(&text) {
            Ok((id, last_update, tenant, outline)) => {
                Ok(Self { id, last_update, tenant, digest: digest(text.as_bytes()), thin, outline, raw: text })
            }
            Err((id, reason)) => {
                let damaged = serde_json::from_str::<IgnoredAny>(&text).is_err();
                Err(Unusable { id, reason, raw: text.into_bytes(), damaged })
            }
        }
    }
}

/// 128 bits of a text as received: equal text, equal digest.
#[must_use]
pub fn digest(text: &[u8]) -> u128 {
    xxh3_128(text)
}

type Facts = (AlertId, Ticks, Option<TenantId>, Outline);

/// Id, version, tenant and outline of an alert; or its id as far as it can be read, and what is wrong.
fn facts(text: &str) -> Result<Facts, (Option<String>, String)> {
    if !text.trim_start().starts_with('{') {
        return Err((None, "not an alert object".to_owned()));
    }
    let head: Wire<'_> = serde_json::from_str(text).map_err(|e| (None, format!("not an alert object: {e}")))?;
    let id_text = head.id.and_then(string);
    let Some(id) = id_text.as_deref().and_then(AlertId::new) else {
        let reason = "`id` is missing, empty, too long or no string".to_owned();
        return Err((id_text.map(Cow::into_owned), reason));
    };
    let time = head.last_update_time.and_then(string).ok_or("`lastUpdateTime` is missing or no string".to_owned());
    let last_update = time.and_then(|text| Ticks::parse(&text).map_err(|e| format!("`lastUpdateTime`: {e}")));
    let tenant = head.aad_tenant_id.and_then(string).and_then(|guid| TenantId::parse(&guid).ok());
    match last_update {
        Ok(last_update) => Ok((id, last_update, tenant, head.outline(text))),
        Err(reason) => Err((Some(id.as_str().to_owned()), reason)),
    }
}

/// The text of a JSON string; `None` for any other value.
fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str::<Text<'_>>(value.get()).ok().map(|text| text.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID: &str = "a839b112-1253-6432-9bf6-94542403f21c";

    #[test]
    fn the_text_is_kept_to_the_byte() {
        let raw = format!(
            "{{ \"id\":\"da\\u0031_1\", \"lastUpdateTime\":\"2026-01-01T00:00:00.2Z\",\"aadTenantId\":\"{GUID}\",\"new\":[1.0] }}"
        );
        let alert = Alert::scan(raw.clone().into_bytes(), false).expect("usable");
        assert_eq!(alert.raw, raw);
        assert_eq!(alert.id.as_str(), "da1_1");
        assert_eq!(alert.last_update.to_string(), "2026-01-01T00:00:00.2000000Z");
        assert_eq!(alert.tenant.map(|t| t.to_string()).as_deref(), Some(GUID));
    }

    #[test]
    fn a_tenant_that_is_absent_or_no_guid_is_unchecked() {
        for tenant in ["", ",\"aadTenantId\":null", ",\"aadTenantId\":\"5c824599-ab2c-43ab-651x-3b886d4f8f10\""] {
            let raw = format!("{{\"id\":\"a\",\"lastUpdateTime\":\"2026-01-01T00:00:00Z\"{tenant}}}");
            assert_eq!(Alert::scan(raw.clone().into_bytes(), false).expect("usable").tenant, None);
        }
    }

    #[test]
    fn what_cannot_be_stored_says_why() {
        for (raw, why) in [
            (&b"{\"id\":\"a\",\"lastUpdateTime\":\"soon\"}"[..], "is not a time"),
            (b"{\"id\":\"a\"}", "`lastUpdateTime` is missing"),
            (b"{\"lastUpdateTime\":\"2026-01-01T00:00:00Z\"}", "`id` is missing"),
            (b"{\"id\":7,\"lastUpdateTime\":\"2026-01-01T00:00:00Z\"}", "`id` is missing"),
            (b"{\"id\":\"\xff\"}", "not UTF-8"),
            (b"{\"id\":\"a\",}", "object: trailing"),
            (b"[1]", "not an alert object"),
            (b"7", "not an alert object"),
        ] {
            let unusable = Alert::scan(raw.to_vec(), false).expect_err("unusable");
            assert!(unusable.reason.contains(why), "{} / {why}", unusable.reason);
            assert_eq!(unusable.raw, raw);
            assert_eq!(unusable.damaged, why.starts_with("not UTF-8") || why == "object: trailing");
        }
    }
}
