//! What an alert is found by, and its documents in other schemas, for any text.
//!
//! Input: an alert's text.

use std::collections::HashSet;

use alertferry::domain::{Columns, Findable, ObservableKind, comparable};
use alertferry::mapping::{Schema, Source, map};
use serde_json::Value;

/// The longest value that is compared.
const MOST_BYTES: usize = 1024;
const TENANT: &str = "a839b112-1253-6432-9bf6-94542403f21c";

/// Fields of evidence, with the kind that their value is found as.
const NAMED: [(&str, ObservableKind); 10] = [
    ("sha1", ObservableKind::Sha1),
    ("sha256", ObservableKind::Sha256),
    ("ipAddress", ObservableKind::Ip),
    ("url", ObservableKind::Url),
    ("fileName", ObservableKind::File),
    ("parentProcessFileName", ObservableKind::File),
    ("accountName", ObservableKind::Account),
    ("userPrincipalName", ObservableKind::Upn),
    ("userSid", ObservableKind::Sid),
    ("aadUserId", ObservableKind::User),
];

pub fn run(data: &[u8]) {
    let raw = String::from_utf8_lossy(data);
    findable(&raw);
    if let Ok(value @ Value::Object(_)) = serde_json::from_str::<Value>(&raw) {
        named(&value);
    }
    for schema in Schema::ALL {
        mapped(schema, &raw);
    }
}

fn findable(raw: &str) -> Findable {
    let columns = Columns::of(raw).unwrap_or_default();
    let found = Findable::of(raw, &columns);
    assert_eq!(
        found,
        Findable::of(raw, &columns),
        "the same text is found by the same: what is entered can be removed"
    );
    for kind in ObservableKind::ALL {
        let mut seen = HashSet::new();
        for value in found.values_of(kind) {
            assert!(!value.is_empty() && value.len() <= MOST_BYTES, "{kind}: {} bytes", value.len());
            assert!(!value.contains(char::is_control), "{kind}: {value:?}");
            assert!(seen.insert(value), "{kind}: {value:?} twice");
        }
    }
    found
}

/// What evidence names is found, whatever stands beside it. The text is written anew, so that no name is there twice.
fn named(alert: &Value) {
    let found = findable(&alert.to_string());
    for entity in alert["evidence"].as_array().into_iter().flatten().filter(|entity| entity.is_object()) {
        for (name, kind) in NAMED {
            let value = entity[name].as_str().map(|text| comparable(kind, text)).unwrap_or_default();
            assert!(value.is_empty() || found.values_of(kind).any(|known| known == value), "{name} {value:?}");
        }
    }
}

fn mapped(schema: Schema, raw: &str) {
    let source =
        Source { tenant_id: TENANT, tenant_name: "Contoso", seq: 7, first_seen_at: "2026-11-23T10:20:31Z", raw };
    let document = map(schema, &source);
    let (text, tenant) = match schema {
        Schema::Ecs => (&document["event"]["original"], &document["organization"]["id"]),
        Schema::Ocsf => (&document["raw_data"], &document["metadata"]["tenant_uid"]),
    };
    assert_eq!(text.as_str().unwrap_or_default(), raw, "the text is in the document");
    assert_eq!(tenant, TENANT, "no alert changes whose it is");
    let printed = document.to_string();
    assert_eq!(printed, map(schema, &source).to_string(), "the same alert, the same bytes");
    let again = serde_json::from_str::<Value>(&printed).expect("it is JSON");
    // Fractions and numbers beyond 64 bits may differ in their last digit; the alert's own text stands beside them.
    let printed_again = again.to_string();
    assert!(printed_again == printed || !is_exact(&again), "it reads back as it was written: {printed}");
}

/// Whether it holds whole numbers alone.
fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) => !number.is_f64(),
        Value::Array(all) => all.iter().all(is_exact),
        Value::Object(all) => all.values().all(is_exact),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}
