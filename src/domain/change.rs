//! Owns what differs between two versions of an alert.

use std::fmt;

use serde_json::{Map, Value, json};

use super::evidence::members_of;

/// What happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It was seen for the first time.
    Created,
    /// It was seen in another version.
    Updated,
}

impl ChangeKind {
    /// The name used in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
        }
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Lists of entries: for these a change holds `[entries gone, entries come]` instead of both whole lists.
const ENTRY_LISTS: [&str; 2] = ["evidence", "comments"];

/// The fields in which two versions differ, each as `name: [old, new]` with the name in `snake_case`.
///
/// The order of keys, the order of evidence and comment entries, and OData annotations are no difference: the
/// service owes nobody an order. Empty when the versions say the same.
#[must_use]
pub fn difference(old: &str, new: &str) -> Map<String, Value> {
    let (old, new) = (members_of(old), members_of(new));
    let names = new.keys().chain(old.keys().filter(|name| !new.contains_key(*name)));
    let mut fields = Map::new();
    for name in names.filter(|name| !name.contains('@')) {
        let before = old.get(name).unwrap_or(&Value::Null);
        let after = new.get(name).unwrap_or(&Value::Null);
        if before == after {
            continue;
        }
        let (before, after) = match (ENTRY_LISTS.contains(&name.as_str()), before, after) {
            (true, Value::Array(before), Value::Array(after)) => {
                let (gone, come) = (lacking(before, after), lacking(after, before));
                if gone.is_empty() && come.is_empty() {
                    continue;
                }
                (Value::Array(gone), Value::Array(come))
            }
            _ => (before.clone(), after.clone()),
        };
        fields.insert(snake_case(name), json!([before, after]));
    }
    fields
}

/// The entries of `these` that `those` lacks, counting repeats.
fn lacking(these: &[Value], those: &[Value]) -> Vec<Value> {
    let mut unmatched: Vec<&Value> = those.iter().collect();
    let mut lacking = Vec::new();
    for entry in these {
        match unmatched.iter().position(|other| *other == entry) {
            Some(at) => drop(unmatched.swap_remove(at)),
            None => lacking.push(entry.clone()),
        }
    }
    lacking
}

fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(old: &str, new: &str) -> String {
        Value::Object(difference(old, new)).to_string()
    }

    #[test]
    fn only_what_differs_is_told() {
        assert_eq!(
            fields(
                r#"{"status":"New","assignedTo":null,"title":"t"}"#,
                r#"{"status":"Resolved","assignedTo":"a","title":"t"}"#
            ),
            r#"{"assigned_to":[null,"a"],"status":["New","Resolved"]}"#
        );
        assert_eq!(fields(r#"{"a":1}"#, r#"{"b":2}"#), r#"{"a":[1,null],"b":[null,2]}"#);
    }

    #[test]
    fn orders_and_annotations_are_no_difference() {
        assert_eq!(fields(r#"{"a":1,"evidence":[{"x":1},{"y":2}]}"#, r#"{"evidence":[{"y":2},{"x":1}],"a":1}"#), "{}");
        assert_eq!(fields(r#"{"@odata.context":"c","a":1}"#, r#"{"a":1}"#), "{}");
    }

    #[test]
    fn lists_tell_what_went_and_what_came() {
        assert_eq!(fields(r#"{"evidence":[1,2,2]}"#, r#"{"evidence":[2,3]}"#), r#"{"evidence":[[1,2],[3]]}"#);
        assert_eq!(
            fields(r#"{"mitreTechniques":["a"]}"#, r#"{"mitreTechniques":["b"]}"#),
            r#"{"mitre_techniques":[["a"],["b"]]}"#
        );
    }

    #[test]
    fn broken_escapes_do_not_hide_a_change() {
        assert_eq!(fields(r#"{"title":"\ud800"}"#, r#"{"title":"x"}"#), "{\"title\":[\"\u{fffd}\",\"x\"]}");
    }

    #[test]
    fn numbers_beyond_all_bounds_do_not_hide_a_change() {
        assert_eq!(
            fields(r#"{"status":"New","n":1e400}"#, r#"{"status":"Resolved","n":1e400}"#),
            r#"{"status":["New","Resolved"]}"#
        );
        assert_eq!(
            fields(r#"{"evidence":[{"n":1e400}]}"#, r#"{"evidence":[{"n":1e401}]}"#),
            r#"{"evidence":[[{"n":"1e400"}],[{"n":"1e401"}]]}"#
        );
    }
}
