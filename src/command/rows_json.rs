//! Owns rows as JSON objects: names in the order of the columns, numbers as numbers, nulls as null.

use std::collections::HashSet;

use crate::logging::visible_json;
use crate::store::Value;

/// The names of columns, with a number behind those that come again: an object has each name once.
pub(super) fn distinct(names: &[String]) -> Vec<String> {
    let mut taken = HashSet::new();
    names
        .iter()
        .map(|name| {
            let numbered = (2..).map(|number: u32| format!("{name}_{number}"));
            let free = std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name));
            let free = free.unwrap_or_default();
            taken.insert(free.clone());
            free
        })
        .collect()
}

/// A row as an object in one line.
pub(super) fn object(names: &[String], values: &[Value]) -> String {
    let mut text = String::from("{");
    for (at, (name, value)) in names.iter().zip(values).enumerate() {
        text += if at == 0 { "" } else { "," };
        text += &string(name);
        text += ":";
        text += &match value {
            Value::Null => "null".to_owned(),
            Value::Text(text) => string(text),
            Value::Blob(_) => string(&bare(value)),
            Value::Real(number) if !number.is_finite() => string(&bare(value)),
            Value::Integer(_) | Value::Real(_) => bare(value),
        };
    }
    text + "}"
}

/// Numbers as they are written in JSON, bytes in hexadecimal digits; texts as they are.
pub(super) fn bare(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => format!("{number:?}"),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// A JSON string; what steers a terminal or hides is escaped.
fn string(text: &str) -> String {
    visible_json(&serde_json::to_string(text).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_keeps_order_types_and_terminals_safe() {
        let names = distinct(&["b", "a", "b", "c", "d", "e"].map(str::to_owned));
        let values = [
            Value::Integer(-3),
            Value::Real(2.0),
            Value::Null,
            Value::Text("\u{1b}[2J\u{202e}\u{9b}\0\"".to_owned()),
            Value::Blob(vec![0, 255]),
            Value::Real(f64::INFINITY),
        ];
        assert_eq!(
            object(&names, &values),
            r#"{"b":-3,"a":2.0,"b_2":null,"c":"\u001b[2J\u202e\u009b\u0000\"","d":"00ff","e":"inf"}"#
        );
    }
}
