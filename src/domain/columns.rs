//! Owns the filterable columns of an alert, read tolerantly out of its JSON text.

use std::borrow::Cow;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Ticks;
use super::evidence::offset_in;

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

/// The wire fields that are looked at, each still as JSON text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wire<'a> {
    #[serde(borrow, default)]
    pub id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub last_update_time: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub aad_tenant_id: Option<&'a RawValue>,
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
    #[serde(default)]
    evidence: Entries,
}

/// Where the columns stand in an alert's text, so that a row that turns out to be news need not be parsed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Beginning and end of each value, in the order of [`Wire::values`]; nothing for null and absent ones.
    values: [Option<(u32, u32)>; VALUES],
    evidence_count: u32,
}

/// How many fields become columns, evidence aside.
const VALUES: usize = 18;

impl Wire<'_> {
    const fn values(&self) -> [Option<&RawValue>; VALUES] {
        [
            self.incident_id,
            self.severity,
            self.status,
            self.classification,
            self.determination,
            self.investigation_state,
            self.category,
            self.detection_source,
            self.title,
            self.assigned_to,
            self.machine_id,
            self.computer_dns_name,
            self.threat_name,
            self.mitre_techniques,
            self.alert_creation_time,
            self.first_event_time,
            self.last_event_time,
            self.resolved_time,
        ]
    }

    /// The outline of `raw`, the text this was read from.
    pub(super) fn outline(&self, raw: &str) -> Outline {
        let place = |value: &RawValue| {
            let from = offset_in(raw, value.get())?;
            Some((u32::try_from(from).ok()?, u32::try_from(from + value.get().len()).ok()?))
        };
        Outline { values: self.values().map(|value| value.and_then(place)), evidence_count: self.evidence.0 }
    }
}

impl Columns {
    /// Reads the columns out of an alert's JSON text.
    ///
    /// # Errors
    /// When the text is no JSON object, or names one of these fields twice.
    pub fn of(raw: &str) -> Result<Self, serde_json::Error> {
        let wire: Wire<'_> = serde_json::from_str(raw)?;
        Ok(Self::at(raw, &wire.outline(raw)))
    }

    /// Reads the columns where the outline of the same text says they stand.
    #[must_use]
    pub fn at(raw: &str, outline: &Outline) -> Self {
        let mut values = outline.values.iter().map(|place| {
            let (from, until) = (*place)?;
            raw.get(from as usize..until as usize)
        });
        let mut next = || values.next().flatten();
        Self {
            incident_id: next().and_then(integer),
            severity: text(next()),
            status: text(next()),
            classification: text(next()),
            determination: text(next()),
            investigation_state: text(next()),
            category: text(next()),
            detection_source: text(next()),
            title: text(next()),
            assigned_to: text(next()),
            machine_id: text(next()),
            computer_dns_name: text(next()),
            threat_name: text(next()),
            mitre_techniques: text(next()),
            alert_creation_time: time(next()),
            first_event_time: time(next()),
            last_event_time: time(next()),
            resolved_time: time(next()),
            evidence_count: i64::from(outline.evidence_count),
        }
    }
}

fn integer(json: &str) -> Option<i64> {
    serde_json::from_str(json).ok().or_else(|| text(Some(json))?.parse().ok())
}

/// A JSON string's text, nothing for null, and the JSON text of anything else.
fn text(json: Option<&str>) -> Option<String> {
    let json = json?;
    if json == "null" {
        return None;
    }
    if !json.starts_with('"') {
        return Some(json.to_owned());
    }
    serde_json::from_str(json).or_else(|_| serde_json::from_str(&mend_surrogates(json))).ok()
}

fn time(json: Option<&str>) -> Option<String> {
    let text = text(json)?;
    Some(Ticks::parse(&text).map_or(text, |ticks| ticks.to_string()))
}

/// The number of entries of a list; 0 for anything else.
#[derive(Default)]
struct Entries(u32);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountEntries)
    }
}

struct CountEntries;

impl<'de> Visitor<'de> for CountEntries {
    type Value = Entries;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of evidence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Entries, A::Error> {
        let mut count = 0;
        while entries.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Entries(count))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Entries, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Entries(0))
    }

    fn visit_str<E>(self, _: &str) -> Result<Entries, E> {
        Ok(Entries(0))
    }

    fn visit_unit<E>(self) -> Result<Entries, E> {
        Ok(Entries(0))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Entries, E> {
        Ok(Entries(0))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Entries, E> {
        Ok(Entries(0))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Entries, E> {
        Ok(Entries(0))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Entries, E> {
        Ok(Entries(0))
    }
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
