//! Owns the filterable columns of an alert, read tolerantly out of its JSON text.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::Ticks;

/// The columns of one alert. What the service adds or changes never makes this fail: a value of an unexpected type
/// is kept as its JSON text, an unknown enum value as it is, a time that cannot be read as it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the wire field of the same name; docs/SCHEMA.md has their meaning")]
pub struct Columns {
    pub incident_id: Option<i64>,
    pub severity: Option<String>,
    pub status: Option<String>,
    pub classification: Option<String>,
    pub determination: Option<String>,
    pub investigation_state: Option<String>,
    pub category: Option<String>,
    pub detection_source: Option<String>,
    pub title: Option<String>,
    pub assigned_to: Option<String>,
    pub machine_id: Option<String>,
    pub computer_dns_name: Option<String>,
    pub threat_name: Option<String>,
    pub mitre_techniques: Option<String>,
    pub alert_creation_time: Option<String>,
    pub first_event_time: Option<String>,
    pub last_event_time: Option<String>,
    pub resolved_time: Option<String>,
    pub evidence_count: i64,
}

/// The wire fields that become columns, each still as JSON text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow, default)]
    incident_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    severity: Option<&'a RawValue>,
    #[serde(borrow, default)]
    status: Option<&'a RawValue>,
    #[serde(borrow, default)]
    classification: Option<&'a RawValue>,
    #[serde(borrow, default)]
    determination: Option<&'a RawValue>,
    #[serde(borrow, default)]
    investigation_state: Option<&'a RawValue>,
    #[serde(borrow, default)]
    category: Option<&'a RawValue>,
    #[serde(borrow, default)]
    detection_source: Option<&'a RawValue>,
    #[serde(borrow, default)]
    title: Option<&'a RawValue>,
    #[serde(borrow, default)]
    assigned_to: Option<&'a RawValue>,
    #[serde(borrow, default)]
    machine_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    computer_dns_name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    threat_name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    mitre_techniques: Option<&'a RawValue>,
    #[serde(borrow, default)]
    alert_creation_time: Option<&'a RawValue>,
    #[serde(borrow, default)]
    first_event_time: Option<&'a RawValue>,
    #[serde(borrow, default)]
    last_event_time: Option<&'a RawValue>,
    #[serde(borrow, default)]
    resolved_time: Option<&'a RawValue>,
    #[serde(borrow, default)]
    evidence: Option<&'a RawValue>,
}

impl Columns {
    /// Reads the columns out of an alert's JSON text.
    ///
    /// # Errors
    /// When the text is no JSON object, or names one of these fields twice.
    pub fn of(raw: &str) -> Result<Self, serde_json::Error> {
        let wire: Wire<'_> = serde_json::from_str(raw)?;
        Ok(Self {
            incident_id: wire.incident_id.and_then(integer),
            severity: text(wire.severity),
            status: text(wire.status),
            classification: text(wire.classification),
            determination: text(wire.determination),
            investigation_state: text(wire.investigation_state),
            category: text(wire.category),
            detection_source: text(wire.detection_source),
            title: text(wire.title),
            assigned_to: text(wire.assigned_to),
            machine_id: text(wire.machine_id),
            computer_dns_name: text(wire.computer_dns_name),
            threat_name: text(wire.threat_name),
            mitre_techniques: text(wire.mitre_techniques),
            alert_creation_time: time(wire.alert_creation_time),
            first_event_time: time(wire.first_event_time),
            last_event_time: time(wire.last_event_time),
            resolved_time: time(wire.resolved_time),
            evidence_count: wire.evidence.map_or(0, count),
        })
    }
}

fn integer(value: &RawValue) -> Option<i64> {
    serde_json::from_str(value.get()).ok().or_else(|| text(Some(value))?.parse().ok())
}

/// A JSON string's text, nothing for null, and the JSON text of anything else.
fn text(value: Option<&RawValue>) -> Option<String> {
    let json = value?.get();
    if json == "null" {
        return None;
    }
    if !json.starts_with('"') {
        return Some(json.to_owned());
    }
    serde_json::from_str(json).or_else(|_| serde_json::from_str(&mend_surrogates(json))).ok()
}

fn time(value: Option<&RawValue>) -> Option<String> {
    let text = text(value)?;
    Some(Ticks::parse(&text).map_or(text, |ticks| ticks.to_string()))
}

fn count(evidence: &RawValue) -> i64 {
    let entries: Vec<IgnoredAny> = serde_json::from_str(evidence.get()).unwrap_or_default();
    i64::try_from(entries.len()).unwrap_or(i64::MAX)
}

/// Replaces each UTF-16 surrogate escape that has no partner with U+FFFD.
///
/// `"\ud800"` is valid JSON by the grammar and can be sent by a service that cuts strings by UTF-16 units, but no
/// Rust string can hold it.
pub(super) fn mend_surrogates(json: &str) -> Cow<'_, str> {
    if !json.contains("\\u") {
        return Cow::Borrowed(json);
    }
    let mut mended = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        mended.push_str(&rest[..at]);
        rest = &rest[at..];
        let (escape, paired) = match (unit(rest), rest.get(6..).and_then(unit)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => (12, true),
            (Some(0xd800..0xe000), _) => (6, false),
            (Some(_), _) => (6, true),
            (None, _) => (rest.char_indices().nth(2).map_or(rest.len(), |(next, _)| next), true),
        };
        mended.push_str(if paired { &rest[..escape] } else { "\\ufffd" });
        rest = &rest[escape..];
    }
    mended.push_str(rest);
    Cow::Owned(mended)
}

/// The UTF-16 unit that a `\uXXXX` escape at the start of `json` stands for.
fn unit(json: &str) -> Option<u16> {
    u16::from_str_radix(json.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_columns() {
        let columns = Columns::of(
            r#"{"id":"a","incidentId":7,"severity":"High","status":"Brandnew","title":"a\u0000b","resolvedTime":null,
               "alertCreationTime":"2026-01-01T00:00:00.5Z","mitreTechniques":["T1"],"evidence":[{},{}],"more":{}}"#,
        )
        .expect("an object");
        assert_eq!(columns.incident_id, Some(7));
        assert_eq!(columns.status.as_deref(), Some("Brandnew"));
        assert_eq!(columns.title.as_deref(), Some("a\0b"));
        assert_eq!(columns.alert_creation_time.as_deref(), Some("2026-01-01T00:00:00.5000000Z"));
        assert_eq!(columns.resolved_time, None);
        assert_eq!(columns.mitre_techniques.as_deref(), Some("[\"T1\"]"));
        assert_eq!(columns.evidence_count, 2);
    }

    #[test]
    fn unexpected_types_are_kept_as_text() {
        let columns = Columns::of(
            r#"{"incidentId":"12","severity":3,"title":{"a":1},"firstEventTime":"yesterday","evidence":"none"}"#,
        )
        .expect("an object");
        assert_eq!(columns.incident_id, Some(12));
        assert_eq!(columns.severity.as_deref(), Some("3"));
        assert_eq!(columns.title.as_deref(), Some("{\"a\":1}"));
        assert_eq!(columns.first_event_time.as_deref(), Some("yesterday"));
        assert_eq!(columns.evidence_count, 0);
    }

    #[test]
    fn lone_surrogates_are_mended_and_pairs_left_alone() {
        let pair = "\\ud83d\\ude00";
        for (json, text) in [
            (r#""x\ud800y""#.to_owned(), "x\u{fffd}y"),
            (r#""\udc00""#.to_owned(), "\u{fffd}"),
            (r#""\ud800\ud800""#.to_owned(), "\u{fffd}\u{fffd}"),
            (r#""\\ud800""#.to_owned(), "\\ud800"),
            (format!("\"{pair}\\ud83d\""), "\u{1f600}\u{fffd}"),
        ] {
            let mended: String = serde_json::from_str(&mend_surrogates(&json)).expect("now a string");
            assert_eq!(mended, text, "{json}");
        }
    }
}
