//! Owns building a JSON object by dotted names, without anything empty in it, and reading one tolerantly.

use serde_json::{Map, Value};

use crate::domain::Ticks;

/// A JSON object that is being built. What is empty (null, a text of no letters, a list or object without entries) is
/// not written.
#[derive(Debug, Default)]
pub(super) struct Object(Map<String, Value>);

impl Object {
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a value at a name whose dots lead into objects.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        if !is_empty(&value) {
            insert(&mut self.0, name, value);
        }
    }

    /// Writes a value if there is one.
    pub fn maybe(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The object, or nothing when nothing is in it.
    pub fn some(self) -> Option<Self> {
        (!self.is_empty()).then_some(self)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object.0)
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(entries) => entries.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

fn insert(object: &mut Map<String, Value>, name: &str, value: Value) {
    let Some((first, rest)) = name.split_once('.') else {
        object.insert(name.to_owned(), value);
        return;
    };
    let inner = object.entry(first).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(inner) = inner {
        insert(inner, rest, value);
    }
}

/// Members of a JSON object that somebody else wrote: each is read as what it should be, or is not there.
#[derive(Debug, Default)]
pub(super) struct Members(pub Map<String, Value>);

impl Members {
    /// A text with something in it.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.trim().is_empty())
    }

    /// A whole number, which may be written as a text.
    pub fn integer(&self, name: &str) -> Option<i64> {
        let value = self.0.get(name)?;
        value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
    }

    pub fn time(&self, name: &str) -> Option<Ticks> {
        Ticks::parse(self.text(name)?.trim()).ok()
    }

    /// The texts of a list.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.entries(name).iter().filter_map(Value::as_str).filter(|text| !text.trim().is_empty())
    }

    /// The objects of a list.
    pub fn objects(&self, name: &str) -> impl Iterator<Item = Self> {
        self.entries(name).iter().filter_map(Value::as_object).map(|members| Self(members.clone()))
    }

    /// The object of this name; without members when it is none.
    pub fn object(&self, name: &str) -> Self {
        Self(self.0.get(name).and_then(Value::as_object).cloned().unwrap_or_default())
    }

    /// All members with a value, but for those of these names.
    pub fn others(&self, names: &[&str]) -> Map<String, Value> {
        let other = |(name, value): &(&String, &Value)| !names.contains(&name.as_str()) && !is_empty(value);
        self.0.iter().filter(other).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn entries(&self, name: &str) -> &[Value] {
        self.0.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

/// A list of texts, each once, in the order they came.
#[derive(Debug, Default)]
pub(super) struct Once {
    texts: Vec<Value>,
    seen: std::collections::HashSet<String>,
}

impl Once {
    pub fn add(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() && self.seen.insert(text.clone()) {
            self.texts.push(Value::String(text));
        }
    }

    pub fn maybe(&mut self, text: Option<impl Into<String>>) {
        if let Some(text) = text {
            self.add(text);
        }
    }
}

impl From<Once> for Value {
    fn from(once: Once) -> Self {
        Self::Array(once.texts)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dots_lead_into_objects_and_nothing_empty_is_written() {
        let mut object = Object::new();
        object.set("a.b.c", 1);
        object.set("a.b.d", "x");
        object.set("a.e", "");
        object.maybe("f", None::<&str>);
        object.set("g", Value::Array(Vec::new()));
        object.set("h.i", Value::from(Object::new()));
        assert_eq!(Value::from(object), json!({"a": {"b": {"c": 1, "d": "x"}}}));
    }

    #[test]
    fn members_are_what_they_should_be_or_are_not_there() {
        let Value::Object(members) = json!({"a": "x", "b": " ", "c": "7", "d": 7, "e": ["x", 1, {"y": 1}], "f": null})
        else {
            panic!("an object")
        };
        let members = Members(members);
        assert_eq!(
            ["a", "b", "d", "e", "f", "g"].map(|name| members.text(name)),
            [Some("x"), None, None, None, None, None]
        );
        assert_eq!(["a", "c", "d", "e"].map(|name| members.integer(name)), [None, Some(7), Some(7), None]);
        assert_eq!(members.texts("e").collect::<Vec<_>>(), ["x"]);
        assert_eq!((members.objects("e").count(), members.objects("a").count(), members.texts("d").count()), (1, 0, 0));
        assert_eq!(Value::Object(members.others(&["e", "b"])), json!({"a": "x", "c": "7", "d": 7}));
    }
}
