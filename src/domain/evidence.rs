//! Owns the evidence in an alert's text: reading it, and completing an alert that was read without it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::columns::mend_surrogates;

/// The fields that the service empties when evidence is not asked for: `evidence` becomes `[]` and `relatedUser`
/// becomes null (seen in recorded answers with and without it).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Emptied<'a> {
    #[serde(borrow, default, deserialize_with = "even_null")]
    evidence: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "even_null")]
    related_user: Option<&'a RawValue>,
}

/// Keeps a null as its text: it is the very place where something is to be put back.
fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// The thin text of an alert, with the evidence and related user of an earlier version put back in.
///
/// Everything else stays to the byte. When either text cannot be read, the thin text is returned as it is.
#[must_use]
pub fn with_evidence_of(earlier: &str, thin: &str) -> String {
    let (Ok(earlier), Ok(emptied)) =
        (serde_json::from_str::<Emptied<'_>>(earlier), serde_json::from_str::<Emptied<'_>>(thin))
    else {
        return thin.to_owned();
    };
    let mut edits: Vec<(usize, usize, &str)> = Vec::new();
    for (old, new) in [(earlier.evidence, emptied.evidence), (earlier.related_user, emptied.related_user)] {
        if let (Some(old), Some(new)) = (old, new)
            && let Some(at) = offset_in(thin, new.get())
        {
            edits.push((at, new.get().len(), old.get()));
        }
    }
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.0));
    let mut whole = thin.to_owned();
    for (at, length, text) in edits {
        whole.replace_range(at..at + length, text);
    }
    whole
}

/// The entities in an alert's text, in its order; what cannot be read is none.
#[must_use]
pub fn evidence_of(raw: &str) -> Vec<Map<String, Value>> {
    let Some(Value::Array(entries)) = members_of(raw).remove("evidence") else { return Vec::new() };
    let object = |entry| if let Value::Object(entity) = entry { Some(entity) } else { None };
    entries.into_iter().filter_map(object).collect()
}

/// The members of an alert's text, however odd their values are: one that no number or list here can hold (a number beyond
/// all bounds, lists within lists without end) is there as its text. A text that is no object has no members.
#[must_use]
pub fn members_of(raw: &str) -> Map<String, Value> {
    if let Ok(members) = serde_json::from_str(raw) {
        return members;
    }
    let as_text = |odd: &str| Value::String(odd.to_owned());
    match value_of(&mend_surrogates(raw), as_text, 0) {
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}

/// The text with null for what no number or list here can hold.
pub(super) fn without_odd_values(json: &str) -> String {
    value_of(json, |_| Value::Null, 0).to_string()
}

/// So far down, an odd value is told from those beside it: an alert, its evidence, an entity, a member, and some more.
const MOST_LEVELS: usize = 8;

/// A value, with `odd` in the place of the smallest parts that cannot be read.
fn value_of(json: &str, odd: fn(&str) -> Value, level: usize) -> Value {
    if let Ok(value) = serde_json::from_str(json) {
        return value;
    }
    let part = |part: &RawValue| value_of(part.get(), odd, level + 1);
    if level < MOST_LEVELS {
        if let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(json) {
            return members.into_iter().map(|(name, value)| (name, part(value))).collect();
        }
        if let Ok(entries) = serde_json::from_str::<Vec<&RawValue>>(json) {
            return entries.into_iter().map(part).collect();
        }
    }
    odd(json)
}

/// Where `part`, a slice of `whole`, begins.
pub(super) fn offset_in(whole: &str, part: &str) -> Option<usize> {
    let at = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    (at + part.len() <= whole.len()).then_some(at)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn evidence_is_put_back_and_nothing_else() {
        let earlier = r#"{"status":"New","relatedUser":{"userName":"u"},"evidence":[{"sha1":"x"}]}"#;
        let thin = r#"{ "evidence": [], "status":"Resolved", "relatedUser":null }"#;
        assert_eq!(
            with_evidence_of(earlier, thin),
            r#"{ "evidence": [{"sha1":"x"}], "status":"Resolved", "relatedUser":{"userName":"u"} }"#
        );
    }

    #[test]
    fn entities_are_read_from_any_text() {
        let read = |raw: &str| evidence_of(raw).len();
        assert_eq!(read(r#"{"evidence":[{"sha1":"\ud800"},7,{}]}"#), 2);
        assert_eq!(["no", "[]", "{}", r#"{"evidence":null}"#, r#"{"evidence":{}}"#].map(read), [0; 5]);
    }

    #[test]
    fn what_cannot_be_read_is_there_as_its_text_and_costs_nothing_beside_it() {
        let deep = "[".repeat(500) + &"]".repeat(500);
        let raw =
            format!(r#"{{"title":"a\ud800","incidentId":1e999,"comments":[7,{{"x":{deep}}}],"evidence":[{{}}]}}"#);
        let members = members_of(&raw);
        assert_eq!(members.keys().collect::<Vec<_>>(), ["comments", "evidence", "incidentId", "title"]);
        assert_eq!((&members["title"], &members["incidentId"]), (&json!("a\u{fffd}"), &json!("1e999")));
        assert_eq!(members["comments"][0], 7);
        let shown = members["comments"][1]["x"].to_string();
        assert_eq!(["[", "]"].map(|bracket| shown.matches(bracket).count()), [500, 500], "{shown}");
        assert!(["", "no", "[]", "7", "{\"a\":1"].iter().all(|raw| members_of(raw).is_empty()));
    }

    #[test]
    fn a_number_beyond_all_bounds_costs_no_entity() {
        let raw = r#"{"evidence":[{"sha1":"x","processId":1e400},{"sha1":"y"}],"n":[-1E+400,1]}"#;
        let evidence = evidence_of(raw);
        assert_eq!(evidence.len(), 2);
        assert_eq!((&evidence[0]["sha1"], &evidence[0]["processId"]), (&json!("x"), &json!("1e400")));
        assert_eq!(members_of(raw)["n"], json!(["-1E+400", 1]));
    }

    #[test]
    fn without_anything_to_put_back_the_text_stays() {
        for (earlier, thin) in [("{}", r#"{"evidence":[]}"#), (r#"{"evidence":[1]}"#, "{}"), ("no", "{}")] {
            assert_eq!(with_evidence_of(earlier, thin), thin);
        }
    }
}
