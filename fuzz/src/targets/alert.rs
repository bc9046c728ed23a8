//! One row as an alert: its text stays to the byte, its facts are what a JSON parser says, and what cannot be stored is kept
//! with a reason. Then what a change of it says, and what completes it.
//!
//! Input: a row; behind a NUL another version of it.

use alertferry::domain::{Alert, Columns, TenantId, Ticks, difference, members_of, with_evidence_of};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::input::Input;

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (one, other) = (input.until(0), input.rest());
    scanned(one);
    if let (Ok(one), Ok(other)) = (std::str::from_utf8(one), std::str::from_utf8(other)) {
        versions(one, other);
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn scanned(bytes: &[u8]) {
    let valid = std::str::from_utf8(bytes).is_ok_and(is_json);
    match Alert::scan(bytes.to_vec(), false) {
        Ok(alert) => {
            assert!(valid, "an alert is valid JSON");
            assert_eq!(alert.raw.as_bytes(), bytes, "the text is kept");
            let columns = Columns::of(&alert.raw).expect("columns");
            assert_eq!(Columns::at(&alert.raw, &alert.outline), columns, "the outline is that of this text");
            if let Ok(value) = serde_json::from_str::<Value>(&alert.raw) {
                facts(&alert, &columns, &value);
            }
        }
        Err(unusable) => {
            assert_eq!(unusable.raw, bytes, "the bytes are kept");
            assert_eq!(unusable.damaged, !valid, "damage is told from strangeness: {}", unusable.reason);
            assert!(!unusable.reason.is_empty());
        }
    }
}

fn facts(alert: &Alert, columns: &Columns, value: &Value) {
    assert_eq!(value["id"], alert.id.as_str());
    let time = value["lastUpdateTime"].as_str().expect("a text");
    assert_eq!(Ticks::parse(time), Ok(alert.last_update));
    let tenant = value["aadTenantId"].as_str().and_then(|text| TenantId::parse(text).ok());
    assert_eq!(alert.tenant, tenant);
    for (name, column) in [
        ("severity", &columns.severity),
        ("status", &columns.status),
        ("title", &columns.title),
        ("machineId", &columns.machine_id),
        ("computerDnsName", &columns.computer_dns_name),
    ] {
        match &value[name] {
            Value::Null => assert_eq!(column, &None),
            Value::String(text) => assert_eq!(column.as_ref(), Some(text)),
            // Kept as the JSON text that it is.
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                assert!(column.as_deref().is_some_and(is_json));
            }
        }
    }
    let entries = value["evidence"].as_array().map_or(0, Vec::len);
    assert_eq!(usize::try_from(columns.evidence_count), Ok(entries));
}

fn versions(one: &str, other: &str) {
    assert!(difference(one, one).is_empty(), "a version differs from itself");
    let there = difference(one, other);
    let back = difference(other, one);
    assert!(there.keys().all(|name| back.contains_key(name)) && there.len() == back.len(), "{there:?} / {back:?}");
    if let (true, Ok(Value::Object(members))) = (is_json(one), serde_json::from_str(one)) {
        assert_eq!(members_of(one), members);
    }
    let whole = with_evidence_of(one, other);
    assert!(!is_json(other) || is_json(&whole), "completed text is still JSON: {whole}");
    assert!(is_json(other) || whole == other, "what cannot be read is left alone");
}
