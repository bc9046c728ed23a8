//! Owns the observables: values of the device and the evidence that one searches for, each once, with their places.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::super::web::address;

/// Numbers and captions of the types that are used.
const HOSTNAME: (i64, &str) = (1, "Hostname");
const ADDRESS: (i64, &str) = (2, "IP Address");

/// Attributes that are observables, by the object they stand in and their own name.
const OBSERVED: [(&str, &str, (i64, &str)); 14] = [
    ("device", "hostname", HOSTNAME),
    ("device", "uid", (47, "Device Object: uid")),
    ("file", "name", (7, "File Name")),
    ("file", "path", (45, "File Path")),
    ("hashes", "value", (8, "Hash")),
    ("process", "name", (9, "Process Name")),
    ("process", "cmd_line", (13, "Command Line")),
    ("parent_process", "name", (9, "Process Name")),
    ("user", "name", (4, "User Name")),
    ("user", "uid", (31, "User Object: uid")),
    ("user", "email_addr", (5, "Email Address")),
    ("url", "url_string", (6, "URL String")),
    ("url", "hostname", HOSTNAME),
    ("reg_key", "path", (46, "Registry Key Path")),
];

pub(super) fn all(device: Option<&Value>, evidences: &[Value]) -> Vec<Value> {
    let mut found = Found::default();
    if let Some(Value::Object(device)) = device {
        found.object("device", "device", device);
    }
    for (index, evidence) in evidences.iter().enumerate() {
        if let Value::Object(evidence) = evidence {
            found.object("evidences", &format!("evidences[{index}]"), evidence);
        }
    }
    found.observables
}

#[derive(Default)]
struct Found {
    observables: Vec<Value>,
    seen: HashSet<(i64, String)>,
}

impl Found {
    /// Looks through an object that is the attribute `parent` at `place`.
    fn object(&mut self, parent: &str, place: &str, members: &Map<String, Value>) {
        for (name, value) in members {
            let place = format!("{place}.{name}");
            match value {
                // What the service sent in its own form: only an address is looked for.
                Value::Object(data) if name == "data" => self.address_in(&place, data),
                Value::Object(inner) => self.object(name, &place, inner),
                Value::Array(entries) => {
                    for (index, entry) in entries.iter().enumerate() {
                        if let Value::Object(inner) = entry {
                            self.object(name, &format!("{place}[{index}]"), inner);
                        }
                    }
                }
                Value::String(text) => self.text(parent, name, &place, text),
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
    }

    fn text(&mut self, parent: &str, name: &str, place: &str, text: &str) {
        let observed = OBSERVED.iter().find(|(object, attribute, _)| *object == parent && *attribute == name);
        let Some(&(_, _, kind)) = observed else { return };
        let is_address = kind == HOSTNAME && address(text).is_some();
        self.add(place, if is_address { ADDRESS } else { kind }, text);
    }

    fn address_in(&mut self, place: &str, data: &Map<String, Value>) {
        let text = data.get("ipAddress").and_then(Value::as_str);
        if let Some(address) = text.and_then(address) {
            self.add(&format!("{place}.ipAddress"), ADDRESS, &address);
        }
    }

    fn add(&mut self, place: &str, (id, caption): (i64, &str), text: &str) {
        if self.seen.insert((id, text.to_owned())) {
            self.observables.push(json!({ "name": place, "type_id": id, "type": caption, "value": text }));
        }
    }
}
