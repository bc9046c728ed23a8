//! Alerts that break every promise: wrong types everywhere, halves of characters, lists without end.

use alertferry::mapping::Schema;
use serde_json::{Value, json};

use crate::samples::{TENANT, document, full};

/// What may stand where something else should: JSON texts, some of which no number or character can hold.
const VALUES: [&str; 14] = [
    "null",
    "true",
    "7",
    "-1.5",
    "1e999",
    "99999999999999999999",
    "\"\"",
    "\" \"",
    "\"x\"",
    "\"\\ud800\"",
    "[]",
    "[1,\"x\",null,{},[]]",
    "{}",
    "{\"a\":[1]}",
];

/// Each field of the alert and of its entities, with each of the values in its place; and texts that are no alert.
pub fn alerts() -> Vec<String> {
    let whole = full();
    let mut found: Vec<String> =
        ["", "no", "[]", "7", "null", "{", "\"a\"", "{\"id\":1,\"id\":2}"].map(str::to_owned).into();
    for value in VALUES {
        for name in whole.as_object().expect("an object").keys() {
            found.push(with(&whole, &format!("/{name}"), value));
        }
        for (index, entity) in whole["evidence"].as_array().expect("entities").iter().enumerate() {
            for name in entity.as_object().expect("an entity").keys() {
                found.push(with(&whole, &format!("/evidence/{index}/{name}"), value));
            }
        }
        for name in ["/relatedUser/userName", "/loggedOnUsers/0", "/comments/0/comment", "/mitreTechniques/0"] {
            found.push(with(&whole, name, value));
        }
    }
    found.push(with(&whole, "/aNewField", &("[".repeat(5_000) + &"]".repeat(5_000))));
    found
}

/// The alert's text with another text at a place.
fn with(alert: &Value, place: &str, text: &str) -> String {
    let mark = "\u{1}the place\u{1}";
    let mut changed = alert.clone();
    *changed.pointer_mut(place).expect("a place") = mark.into();
    changed.to_string().replace(&json!(mark).to_string(), text)
}

#[test]
fn nothing_makes_it_fail_and_the_text_is_always_kept() {
    let alerts = alerts();
    assert!(alerts.len() > 1_000, "{}", alerts.len());
    for raw in &alerts {
        let (ecs, ocsf) = (document(Schema::Ecs, raw), document(Schema::Ocsf, raw));
        for text in [ecs["event"].get("original"), ocsf.get("raw_data")] {
            assert_eq!(text.and_then(Value::as_str).unwrap_or_default(), raw);
        }
        assert_eq!(ecs["organization"]["id"], TENANT);
        assert_eq!(ocsf["metadata"]["tenant_uid"], TENANT);
    }
}

#[test]
fn a_bad_member_costs_itself_alone() {
    for value in VALUES {
        let ecs = document(Schema::Ecs, &with(&full(), "/severity", value));
        assert_eq!(
            (&ecs["event"]["severity"], &ecs["message"]),
            (&Value::Null, &json!("Credential dumping")),
            "{value}"
        );
        let ocsf = document(Schema::Ocsf, &with(&full(), "/evidence/1/processCreationTime", value));
        let process = ocsf["evidences"].as_array().map(|all| all.len());
        assert_eq!(process, Some(11), "{value}");
    }
}

#[test]
fn halves_of_characters_are_replaced_in_values_and_kept_in_the_text() {
    let raw = r#"{"id":"a","title":"x\ud800y","evidence":[{"entityType":"File","fileName":"\udc00.exe"}]}"#;
    let ecs = document(Schema::Ecs, raw);
    assert_eq!((&ecs["message"], &ecs["file"]["name"]), (&json!("x\u{fffd}y"), &json!("\u{fffd}.exe")));
    assert_eq!(ecs["event"]["original"], raw);
}

#[test]
fn ten_thousand_entities_are_mapped_and_named_once() {
    let entities: Vec<Value> = (0..10_000)
        .map(|n| json!({"entityType": "File", "fileName": format!("{}.exe", n % 100), "sha1": "ab"}))
        .collect();
    let alert = json!({"id": "a", "description": "d".repeat(1 << 20), "evidence": entities}).to_string();
    let ecs = document(Schema::Ecs, &alert);
    assert_eq!(ecs["related"]["hash"], json!(["ab"]));
    assert_eq!(ecs["alertferry"]["evidence"].as_array().map(Vec::len), Some(10_000));
    let ocsf = document(Schema::Ocsf, &alert);
    assert_eq!(ocsf["evidences"].as_array().map(Vec::len), Some(10_000));
    assert_eq!(ocsf["observables"].as_array().map(Vec::len), Some(101));
}

#[test]
fn the_same_alert_gives_the_same_bytes() {
    for raw in crate::samples::all() {
        for schema in Schema::ALL {
            assert_eq!(document(schema, &raw).to_string(), document(schema, &raw).to_string());
        }
    }
}
