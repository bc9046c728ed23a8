//! Holds docs/MAPPING.md against the code, in both directions: what can be emitted is on the page, and what is on the
//! page is emitted.

use std::collections::BTreeSet;

use alertferry::mapping::Schema;
use serde_json::Value;

use crate::samples;

const PAGE: &str = include_str!("../../docs/MAPPING.md");

/// Where anything may stand that the service sends.
const OPEN: [&str; 2] = ["unmapped", "evidences.data"];

/// The section of the page under a heading.
fn section(heading: &str) -> &'static str {
    let rest = PAGE.split(&format!("\n## {heading}")).nth(1).expect("the section");
    rest.split("\n## ").next().expect("its text")
}

/// The names in the second column of a section's tables.
fn on_the_page(heading: &str) -> BTreeSet<String> {
    let rows = section(heading).lines().filter(|line| line.starts_with("| ") && !line.starts_with("| from"));
    let cells = rows.filter_map(|row| row.split(" | ").nth(1));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

fn names(name: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) if !OPEN.contains(&name) => {
            for (inner, value) in members {
                let name = if name.is_empty() { inner.clone() } else { format!("{name}.{inner}") };
                names(&name, value, found);
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| names(name, entry, found)),
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            found.insert(name.to_owned());
        }
    }
}

fn emitted(schema: Schema) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for raw in [samples::all(), crate::hostile::alerts()].concat() {
        names("", &samples::document(schema, &raw), &mut found);
    }
    found
}

fn assert_told(schema: Schema, heading: &str) {
    let (told, emitted) = (on_the_page(heading), emitted(schema));
    let silent: Vec<_> = emitted.difference(&told).collect();
    assert!(silent.is_empty(), "docs/MAPPING.md does not tell of {silent:#?}");
    let invented: Vec<_> = told.difference(&emitted).collect();
    assert!(invented.is_empty(), "docs/MAPPING.md tells of {invented:#?}, which no sample has");
    assert!(section(heading).contains(schema.version()), "the version");
}

#[test]
fn the_page_tells_every_field_of_ecs_and_no_other() {
    assert_told(Schema::Ecs, "ECS");
}

#[test]
fn the_page_tells_every_attribute_of_ocsf_and_no_other() {
    assert_told(Schema::Ocsf, "OCSF");
}

/// Each field that the service sends is in the first column of both sections, or said not to be mapped.
#[test]
fn the_page_tells_what_becomes_of_every_field_of_the_service() {
    let alert = samples::full();
    let own = alert.as_object().expect("an object").keys().filter(|name| *name != "aNewField");
    let fields: Vec<&str> = own.map(String::as_str).chain(alertferry_simulator::EVIDENCE_KEYS).collect();
    for heading in ["ECS", "OCSF"] {
        let text = section(heading);
        let lost: Vec<_> = fields.iter().filter(|field| !text.contains(&format!("`{field}`"))).collect();
        assert!(lost.is_empty(), "{heading}: {lost:?}");
    }
}
