//! Owns completing an alert that was read without its evidence.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

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

/// Where `part`, a slice of `whole`, begins.
pub(super) fn offset_in(whole: &str, part: &str) -> Option<usize> {
    let at = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    (at + part.len() <= whole.len()).then_some(at)
}

#[cfg(test)]
mod tests {
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
    fn without_anything_to_put_back_the_text_stays() {
        for (earlier, thin) in [("{}", r#"{"evidence":[]}"#), (r#"{"evidence":[1]}"#, "{}"), ("no", "{}")] {
            assert_eq!(with_evidence_of(earlier, thin), thin);
        }
    }
}
