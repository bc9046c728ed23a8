//! Every name in a document is a published one and has the published type, or stands where a schema lets others in.
//! The lists beside this file say which; `tests/tools/mapping.sh` holds them against what was published.

use std::collections::{BTreeMap, BTreeSet};

use alertferry::mapping::Schema;
use serde_json::Value;

use crate::{hostile, samples};

const ECS: &str = include_str!("ecs-fields.tsv");
const OCSF: &str = include_str!("ocsf-attributes.tsv");

/// The cells of a list, without its comments.
fn rows(list: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    list.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}

fn everything() -> Vec<String> {
    [samples::all(), hostile::alerts()].concat()
}

/// Whether a value has a type of Elasticsearch; lists only where the field is one.
fn fits_ecs(kind: &str, is_list: bool, value: &Value) -> bool {
    match (kind, value) {
        (_, Value::Array(entries)) => is_list && entries.iter().all(|entry| fits_ecs(kind, false, entry)),
        ("date", Value::String(text)) => text.parse::<alertferry::domain::Ticks>().is_ok(),
        ("ip", Value::String(text)) => text.parse::<std::net::IpAddr>().is_ok(),
        ("keyword" | "wildcard" | "match_only_text", Value::String(_)) => true,
        ("long", Value::Number(number)) => number.is_i64(),
        _ => false,
    }
}

/// The fields of ECS that are listed: type, and whether they are lists.
type Fields = BTreeMap<&'static str, (&'static str, bool)>;

fn check_ecs(fields: &Fields, name: &str, value: &Value, used: &mut BTreeSet<String>) {
    let row = fields.get(name);
    if let (None, Value::Object(members)) = (&row, value) {
        for (inner, value) in members {
            let name = if name.is_empty() { inner.clone() } else { format!("{name}.{inner}") };
            if name != "alertferry" {
                check_ecs(fields, &name, value, used);
            }
        }
        return;
    }
    let (kind, is_list) = *row.unwrap_or_else(|| panic!("{name} is not a field of ECS"));
    assert!(fits_ecs(kind, is_list, value), "{name} should be {kind}, a list {is_list}, and is {value}");
    used.insert(name.to_owned());
}

#[test]
fn ecs_documents_have_published_fields_of_published_types() {
    let fields: Fields = rows(ECS).map(|row| (row[0], (row[1], row[2] == "list"))).collect();
    let mut used = BTreeSet::new();
    for raw in everything() {
        let document = samples::document(Schema::Ecs, &raw);
        assert_eq!(document["ecs"]["version"], Schema::Ecs.version());
        check_ecs(&fields, "", &document, &mut used);
    }
    let listed: BTreeSet<String> = fields.into_keys().map(str::to_owned).collect();
    assert_eq!(used, listed, "the fields that are used and those that are listed");
    assert!(ECS.lines().next().is_some_and(|line| line.contains(Schema::Ecs.version())), "the list's version");
}

/// Every name under our own prefix always has one type, or an index would refuse documents.
#[test]
fn our_own_fields_keep_their_types() {
    fn note(name: &str, value: &Value, types: &mut BTreeMap<String, &'static str>) {
        let kind = match value {
            Value::Object(members) => {
                members.iter().for_each(|(inner, value)| note(&format!("{name}.{inner}"), value, types));
                return;
            }
            Value::Array(entries) => return entries.iter().for_each(|entry| note(name, entry, types)),
            Value::String(_) => "text",
            Value::Number(number) if number.is_i64() => "integer",
            Value::Number(_) => "number",
            Value::Bool(_) => "flag",
            Value::Null => "nothing",
        };
        assert_eq!(*types.entry(name.to_owned()).or_insert(kind), kind, "{name}");
    }
    let mut types = BTreeMap::new();
    for raw in everything() {
        note("alertferry", &samples::document(Schema::Ecs, &raw)["alertferry"], &mut types);
    }
    assert!(types.len() > 40 && types.values().all(|kind| ["text", "integer"].contains(kind)), "{types:?}");
}

/// An attribute of an object of OCSF.
struct Attribute {
    kind: &'static str,
    is_list: bool,
    numbers: BTreeSet<i64>,
}

#[derive(Default)]
struct Ocsf {
    attributes: BTreeMap<&'static str, BTreeMap<&'static str, Attribute>>,
    required: BTreeMap<&'static str, Vec<&'static str>>,
    /// Of which attributes an object must have one.
    one_of: BTreeMap<&'static str, Vec<&'static str>>,
    used: BTreeSet<(String, String)>,
}

impl Ocsf {
    fn read() -> Self {
        let mut schema = Self::default();
        for row in rows(OCSF) {
            let (object, name) = (row[0], row[1]);
            if name == "(at least one)" {
                schema.one_of.insert(object, row[2].split('|').collect());
                continue;
            }
            let numbers = row[5].split('|').filter_map(|number| number.parse().ok()).collect();
            let attribute = Attribute { kind: row[2], is_list: row[3] == "list", numbers };
            schema.attributes.entry(object).or_default().insert(name, attribute);
            if row[4] == "required" {
                schema.required.entry(object).or_default().push(name);
            }
        }
        schema
    }

    fn check(&mut self, object: &str, value: &Value, place: &str) {
        let members = value.as_object().unwrap_or_else(|| panic!("{place} should be an object: {value}"));
        for (name, value) in members {
            let place = format!("{place}.{name}");
            let found = self.attributes.get(object).and_then(|attributes| attributes.get(name.as_str()));
            let attribute = found.unwrap_or_else(|| panic!("{place}: `{object}` has no attribute `{name}`"));
            let (kind, numbers) = (attribute.kind, attribute.numbers.clone());
            self.used.insert((object.to_owned(), name.clone()));
            let values =
                value.as_array().filter(|_| attribute.is_list).map_or(std::slice::from_ref(value), Vec::as_slice);
            for value in values {
                self.check_value(kind, &numbers, value, &place);
            }
        }
        for name in self.required.get(object).into_iter().flatten() {
            assert!(members.contains_key(*name), "{place}: `{object}` lacks `{name}`");
        }
        if let Some(names) = self.one_of.get(object) {
            assert!(names.iter().any(|name| members.contains_key(*name)), "{place}: `{object}` needs one of {names:?}");
        }
    }

    fn check_value(&mut self, kind: &str, numbers: &BTreeSet<i64>, value: &Value, place: &str) {
        if let Some(object) = kind.strip_prefix("object ") {
            return self.check(object, value, place);
        }
        let fits = match kind {
            "json_t" => true,
            "object" => value.is_object(),
            "boolean_t" => value.is_boolean(),
            "integer_t" | "long_t" | "timestamp_t" => value.is_i64(),
            "port_t" => value.as_u64().is_some_and(|port| port <= 65_535),
            "file_hash_t" => value.as_str().is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit())),
            _ => value.is_string(),
        };
        assert!(fits, "{place} should be {kind}: {value}");
        let listed = value.as_i64().is_some_and(|number| numbers.contains(&number));
        assert!(numbers.is_empty() || listed, "{place}: {value} is none of {numbers:?}");
    }
}

#[test]
fn ocsf_events_have_published_attributes_of_published_types() {
    let mut schema = Ocsf::read();
    for raw in everything() {
        let event = samples::document(Schema::Ocsf, &raw);
        assert_eq!(event["metadata"]["version"], Schema::Ocsf.version());
        schema.check("detection_finding", &event, "event");
    }
    let names = schema.attributes.iter().flat_map(|(object, names)| names.keys().map(move |name| (*object, *name)));
    let listed: BTreeSet<(String, String)> = names.map(|(object, name)| (object.to_owned(), name.to_owned())).collect();
    assert_eq!(schema.used, listed, "the attributes that are used and those that are listed");
    assert!(OCSF.lines().next().is_some_and(|line| line.contains(Schema::Ocsf.version())), "the list's version");
}

/// An observable says where its value stands, and there it stands.
#[test]
fn observables_point_at_their_values() {
    let mut count = 0;
    for raw in samples::all() {
        let event = samples::document(Schema::Ocsf, &raw);
        for observable in event["observables"].as_array().into_iter().flatten() {
            let name = observable["name"].as_str().expect("a name");
            let pointer = format!("/{}", name.replace('[', "/").replace(']', "").replace('.', "/"));
            let value = event.pointer(&pointer).unwrap_or_else(|| panic!("{name} is not in {event}"));
            let is_address = name.ends_with(".ipAddress");
            assert!(is_address || *value == observable["value"], "{name}: {value} and {observable}");
            count += 1;
        }
    }
    assert!(count > 1_000, "{count}");
}
