//! Owns one version of one alert: the exact text that is served and the integers and strings filters look at.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::json::{self, Members};
use crate::ticks::Ticks;

/// Why a text cannot be an alert of the simulated service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAlert {
    /// The text is not one valid JSON object in UTF-8.
    #[error("not one JSON object")]
    NotAnObject,
    /// There is no string `id`.
    #[error("no string \"id\"")]
    NoId,
    /// `lastUpdateTime` is missing or not a UTC time.
    #[error("no valid \"lastUpdateTime\"")]
    NoLastUpdateTime,
}

/// The values of the documented filter fields (list-alerts page of the product documentation, `$filter` section).
#[derive(Clone, Debug, Default)]
pub(crate) struct Filterable {
    pub(crate) creation: Option<Ticks>,
    pub(crate) last_event: Option<Ticks>,
    pub(crate) incident_id: Option<i64>,
    pub(crate) investigation_id: Option<i64>,
    pub(crate) assigned_to: Option<Arc<str>>,
    pub(crate) detection_source: Option<Arc<str>>,
    pub(crate) status: Option<Arc<str>>,
    pub(crate) severity: Option<Arc<str>>,
    pub(crate) category: Option<Arc<str>>,
}

/// One version of one alert.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) id: Arc<str>,
    pub(crate) last_update: Ticks,
    pub(crate) fields: Filterable,
    /// What is served with `$expand=evidence`, byte for byte.
    pub(crate) text: Bytes,
    evidence: Option<Range<usize>>,
    related_user: Option<Range<usize>>,
}

impl Version {
    /// Reads an alert out of its text, which is kept unchanged as the expanded form.
    pub(crate) fn parse(text: impl Into<Bytes>) -> Result<Self, BadAlert> {
        let bytes: Bytes = text.into();
        let text = std::str::from_utf8(&bytes).map_err(|_| BadAlert::NotAnObject)?;
        let members = Members::of(text).ok_or(BadAlert::NotAnObject)?;
        let id = members.string(text, "id").filter(|id| !id.is_empty()).ok_or(BadAlert::NoId)?;
        let time = |key| members.string(text, key).and_then(|value| Ticks::parse(&value));
        let word = |key| members.string(text, key).map(Arc::from);
        let last_update = time("lastUpdateTime").ok_or(BadAlert::NoLastUpdateTime)?;
        let fields = Filterable {
            creation: time("alertCreationTime"),
            last_event: time("lastEventTime"),
            incident_id: members.integer(text, "incidentId"),
            investigation_id: members.integer(text, "investigationId"),
            assigned_to: word("assignedTo"),
            detection_source: word("detectionSource"),
            status: word("status"),
            severity: word("severity"),
            category: word("category"),
        };
        let (evidence, related_user) = (members.span("evidence"), members.span("relatedUser"));
        Ok(Self { id: id.into(), last_update, fields, text: bytes, evidence, related_user })
    }

    /// A copy under another id and time, for making many alike alerts without parsing each.
    ///
    /// `cut` are the spans of the id and of the `lastUpdateTime` (inside the quotes), in the order of the text.
    pub(crate) fn restamped(&self, cut: &TemplateCut, id: &str, last_update: Ticks) -> Self {
        let stamp = last_update.to_string();
        let mut text = Vec::with_capacity(self.text.len() + 8);
        text.extend_from_slice(self.text.get(..cut.id.start).unwrap_or_default());
        text.extend_from_slice(id.as_bytes());
        text.extend_from_slice(self.text.get(cut.id.end..cut.last_update.start).unwrap_or_default());
        text.extend_from_slice(stamp.as_bytes());
        text.extend_from_slice(self.text.get(cut.last_update.end..).unwrap_or_default());
        let moved = |span: &Range<usize>| {
            // Both spans stand behind the two cuts, so they move by as much as the text grew or shrank.
            let shift = |at: usize| at + text.len() - self.text.len();
            shift(span.start)..shift(span.end)
        };
        let (evidence, related_user) = (self.evidence.as_ref().map(moved), self.related_user.as_ref().map(moved));
        let fields = self.fields.clone();
        Self { id: id.into(), last_update, fields, text: Bytes::from(text), evidence, related_user }
    }

    /// Appends the text as served without `$expand`: recorded lists show `[]` evidence and a null related user.
    pub(crate) fn write_thin(&self, out: &mut Vec<u8>) {
        let mut cuts = [(self.evidence.as_ref(), &b"[]"[..]), (self.related_user.as_ref(), &b"null"[..])];
        cuts.sort_by_key(|(span, _)| span.map_or(usize::MAX, |span| span.start));
        let mut at = 0;
        for (span, instead) in cuts {
            let Some(span) = span else { continue };
            out.extend_from_slice(self.text.get(at..span.start).unwrap_or_default());
            out.extend_from_slice(instead);
            at = span.end;
        }
        out.extend_from_slice(self.text.get(at..).unwrap_or_default());
    }

    /// Appends only the selected members, in the order they were asked for.
    pub(crate) fn write_selected(&self, keys: &[String], expand: bool, out: &mut Vec<u8>) {
        let mut whole = Vec::new();
        if expand {
            whole.extend_from_slice(&self.text);
        } else {
            self.write_thin(&mut whole);
        }
        let text = String::from_utf8_lossy(&whole);
        let Some(members) = Members::of(&text) else { return };
        out.push(b'{');
        let mut comma = "";
        for key in keys {
            if let Some(raw) = members.raw(&text, key) {
                out.extend_from_slice(format!("{comma}{}:{raw}", json::quoted(key)).as_bytes());
                comma = ",";
            }
        }
        out.push(b'}');
    }

    /// The text without `$expand`, as a string.
    pub(crate) fn thin(&self) -> String {
        let mut out = Vec::with_capacity(self.text.len());
        self.write_thin(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// The text with `$expand=evidence`, as a string.
    pub(crate) fn expanded(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }
}

/// Where a template's id and `lastUpdateTime` stand.
#[derive(Clone, Debug)]
pub(crate) struct TemplateCut {
    id: Range<usize>,
    last_update: Range<usize>,
}

impl TemplateCut {
    /// Finds both spans; `None` when they do not stand before evidence and related user, as the service writes them.
    pub(crate) fn of(version: &Version) -> Option<Self> {
        let text = std::str::from_utf8(&version.text).ok()?;
        let members = Members::of(text)?;
        let inside = |span: Range<usize>| span.start + 1..span.end - 1;
        let cut = Self { id: inside(members.span("id")?), last_update: inside(members.span("lastUpdateTime")?) };
        let first_late = [&version.evidence, &version.related_user].into_iter().flatten().map(|span| span.start).min();
        (cut.id.end < cut.last_update.start && first_late.is_none_or(|at| at > cut.last_update.end)).then_some(cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"id":"da1_-2","lastUpdateTime":"2026-01-01T00:00:00Z","relatedUser":{"userName":"u"},"evidence":[{"a":1}],"x":1}"#;

    #[test]
    fn thin_is_the_same_text_without_evidence_and_user() {
        let version = Version::parse(TEXT).expect("valid");
        assert_eq!(
            version.thin(),
            r#"{"id":"da1_-2","lastUpdateTime":"2026-01-01T00:00:00Z","relatedUser":null,"evidence":[],"x":1}"#
        );
        assert_eq!(version.expanded(), TEXT);
    }

    #[test]
    fn a_2019_alert_has_no_keys_added() {
        let text = r#"{"id":"1234","lastUpdateTime":"2019-09-01T13:31:08.57Z","alertUser":null}"#;
        assert_eq!(Version::parse(text).expect("valid").thin(), text);
    }

    #[test]
    fn restamping_equals_parsing() {
        let version = Version::parse(TEXT).expect("valid");
        let cut = TemplateCut::of(&version).expect("usual order");
        let copy = version.restamped(&cut, "da00000000_1", Ticks::parse("2026-01-01T00:00:01.5Z").expect("valid"));
        let parsed = Version::parse(copy.text.clone()).expect("valid");
        assert_eq!(parsed.thin(), copy.thin());
        assert_eq!((parsed.id, parsed.last_update), (copy.id, copy.last_update));
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(Version::parse("[]").err(), Some(BadAlert::NotAnObject));
        assert_eq!(Version::parse(r#"{"id":7}"#).err(), Some(BadAlert::NoId));
        assert_eq!(Version::parse(r#"{"id":"a","lastUpdateTime":"soon"}"#).err(), Some(BadAlert::NoLastUpdateTime));
    }
}
