//! Owns what an alert can be found by: its words, and the values that its evidence names.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Columns;
use super::columns::mend_surrogates;
use super::evidence::without_odd_values;
use super::observable::{ObservableKind, comparable, host_of, names_above};

/// What an alert can be found by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findable {
    /// The title.
    pub title: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// Command lines of the evidence, one a line.
    pub command_lines: Option<String>,
    /// Names of files in the evidence, one a line.
    pub file_names: Option<String>,
    /// The values of each kind in comparable form, one a line, in the order of [`ObservableKind::ALL`].
    pub values: [Option<String>; ObservableKind::ALL.len()],
}

/// By which rules [`Findable::of`] reads an alert. Whoever changes what it returns raises this number: what was entered
/// into an index by other rules cannot be taken out by these, so the indexes are then filled anew.
pub const FINDABLE_VERSION: i64 = 2;

/// The parts of an alert that are looked at.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow, default)]
    description: Text<'a>,
    #[serde(borrow, default)]
    evidence: Option<&'a RawValue>,
    #[serde(borrow, default)]
    related_user: Option<&'a RawValue>,
}

/// The parts of an entity that are looked at.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entity<'a> {
    #[serde(borrow, default)]
    sha1: Text<'a>,
    #[serde(borrow, default)]
    sha256: Text<'a>,
    #[serde(borrow, default)]
    file_name: Text<'a>,
    #[serde(borrow, default)]
    parent_process_file_name: Text<'a>,
    #[serde(borrow, default)]
    process_command_line: Text<'a>,
    #[serde(borrow, default)]
    ip_address: Text<'a>,
    #[serde(borrow, default)]
    url: Text<'a>,
    #[serde(borrow, default)]
    account_name: Text<'a>,
    /// `relatedUser` has the account under this name.
    #[serde(borrow, default)]
    user_name: Text<'a>,
    #[serde(borrow, default)]
    domain_name: Text<'a>,
    #[serde(borrow, default)]
    user_sid: Text<'a>,
    #[serde(borrow, default)]
    aad_user_id: Text<'a>,
    #[serde(borrow, default)]
    user_principal_name: Text<'a>,
}

impl Findable {
    /// Reads an alert's text and its columns. What is no text, or cannot be read, is not found by.
    #[must_use]
    pub fn of(raw: &str, columns: &Columns) -> Self {
        // Half a surrogate pair is no text for this reader; it is put right in a copy.
        let mended = mend_surrogates(raw);
        let read = Self::read(&mended, columns).or_else(|| Self::read(&without_odd_values(&mended), columns));
        read.unwrap_or_else(|| Self::found(&Wire::default(), &[], None, columns))
    }

    /// The same of a text all of whose values can be held; nothing when one cannot.
    fn read(text: &str, columns: &Columns) -> Option<Self> {
        let wire: Wire<'_> = serde_json::from_str(text).ok()?;
        let entries: Vec<&RawValue> =
            wire.evidence.and_then(|list| serde_json::from_str(list.get()).ok()).unwrap_or_default();
        let (entities, user) = (objects(entries)?, objects(wire.related_user)?);
        Some(Self::found(&wire, &entities, user.first(), columns))
    }

    fn found(wire: &Wire<'_>, entities: &[Entity<'_>], user: Option<&Entity<'_>>, columns: &Columns) -> Self {
        let mut values = Values::default();
        values.device(columns);
        entities.iter().chain(user).for_each(|entity| values.entity(entity));
        let names = entities.iter().flat_map(|entity| [&entity.file_name, &entity.parent_process_file_name]);
        Self {
            title: columns.title.clone(),
            description: wire.description.0.as_deref().map(str::to_owned),
            command_lines: lines(entities.iter().map(|entity| &entity.process_command_line)),
            file_names: lines(names),
            values: values.0.map(|values| (!values.is_empty()).then(|| values.join("\n"))),
        }
    }

    /// The values of one kind.
    pub fn values_of(&self, kind: ObservableKind) -> impl Iterator<Item = &str> {
        self.values[kind as usize].as_deref().into_iter().flat_map(|values| values.split('\n'))
    }
}

/// Those of the values that are entities; nothing when one of these holds what cannot be read.
fn objects<'a>(values: impl IntoIterator<Item = &'a RawValue>) -> Option<Vec<Entity<'a>>> {
    let objects = values.into_iter().filter(|value| value.get().starts_with('{'));
    objects.map(|object| serde_json::from_str(object.get()).ok()).collect()
}

fn lines<'a>(texts: impl Iterator<Item = &'a Text<'a>>) -> Option<String> {
    let texts: Vec<&str> = texts.filter_map(|text| text.0.as_deref()).collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

/// The values of each kind, each once.
#[derive(Default)]
struct Values([Vec<String>; ObservableKind::ALL.len()]);

impl Values {
    fn add(&mut self, kind: ObservableKind, value: &str) {
        let value = comparable(kind, value);
        let values = &mut self.0[kind as usize];
        if !value.is_empty() && !values.contains(&value) {
            values.push(value);
        }
    }

    fn device(&mut self, columns: &Columns) {
        let name = columns.computer_dns_name.as_deref();
        let label = name.and_then(|name| name.split_once('.')).map(|(label, _)| label);
        for device in [columns.machine_id.as_deref(), name, label].into_iter().flatten() {
            self.add(ObservableKind::Device, device);
        }
    }

    fn entity(&mut self, entity: &Entity<'_>) {
        use ObservableKind as Kind;
        for (kind, text) in [
            (Kind::Sha1, &entity.sha1),
            (Kind::Sha256, &entity.sha256),
            (Kind::Ip, &entity.ip_address),
            (Kind::Url, &entity.url),
            (Kind::Domain, &entity.domain_name),
            (Kind::File, &entity.file_name),
            (Kind::File, &entity.parent_process_file_name),
            (Kind::Account, &entity.account_name),
            (Kind::Account, &entity.user_name),
            (Kind::Upn, &entity.user_principal_name),
            (Kind::Sid, &entity.user_sid),
            (Kind::User, &entity.aad_user_id),
        ] {
            if let Some(text) = &text.0 {
                self.add(kind, text);
            }
        }
        let account = entity.account_name.0.as_deref().or(entity.user_name.0.as_deref());
        if let (Some(account), Some(domain)) = (account, &entity.domain_name.0) {
            self.add(Kind::Account, &format!("{}\\{}", domain.trim(), account.trim()));
        }
        if let Some(url) = &entity.url.0 {
            self.host(host_of(url));
        }
    }

    /// The host of a URL: a name and those above it, or an address.
    fn host(&mut self, host: &str) {
        if host.parse::<std::net::IpAddr>().is_ok() {
            self.add(ObservableKind::Ip, host);
        }
        names_above(host).for_each(|name| self.add(ObservableKind::Domain, name));
    }
}

/// A JSON string's text; nothing for every other value.
#[derive(Default)]
struct Text<'a>(Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadText)
    }
}

struct ReadText;

impl<'de> Visitor<'de> for ReadText {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Text<'de>, A::Error> {
        while entries.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Text<'de>, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }

    fn visit_unit<E>(self) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findable(raw: &str) -> Findable {
        Findable::of(raw, &Columns::of(raw).expect("an object"))
    }

    fn values(raw: &str, kind: ObservableKind) -> Vec<String> {
        findable(raw).values_of(kind).map(str::to_owned).collect()
    }

    #[test]
    fn a_number_beyond_all_bounds_hides_nothing_beside_it() {
        let raw = r#"{"description":1e400,"relatedUser":{"userName":"ann","domainName":1e400},
            "evidence":[{"sha1":"AB","fileName":1e400},{"fileName":"b.exe","processId":1e400}]}"#;
        use ObservableKind as Kind;
        assert_eq!((values(raw, Kind::Sha1), values(raw, Kind::Account)), (vec!["ab".into()], vec!["ann".into()]));
        let found = findable(raw);
        assert_eq!((found.file_names.as_deref(), found.description), (Some("b.exe"), None));
    }

    #[test]
    fn values_come_from_evidence_user_and_device() {
        let raw = r#"{"title":"T","description":"D","machineId":"M1","computerDnsName":"Desk.contoso.example",
            "relatedUser":{"userName":"Ann","domainName":"CONTOSO"},
            "evidence":[{"sha1":"AB","fileName":"a.exe","parentProcessFileName":"b.exe","processCommandLine":"a -x"},
                        {"url":"https://x.evil.example/p","ipAddress":"10.0.0.1"},{"accountName":"bob"},7,null]}"#;
        use ObservableKind as Kind;
        assert_eq!(values(raw, Kind::Device), ["m1", "desk.contoso.example", "desk"]);
        assert_eq!(values(raw, Kind::Account), ["bob", "ann", "contoso\\ann"]);
        assert_eq!(values(raw, Kind::Domain), ["x.evil.example", "evil.example", "contoso"]);
        assert_eq!(values(raw, Kind::Url), ["https://x.evil.example/p"]);
        assert_eq!(values(raw, Kind::Ip), ["10.0.0.1"]);
        assert_eq!(values(raw, Kind::Sha1), ["ab"]);
        let found = findable(raw);
        assert_eq!(found.command_lines.as_deref(), Some("a -x"));
        assert_eq!(found.file_names.as_deref(), Some("a.exe\nb.exe"));
        assert_eq!((found.title.as_deref(), found.description.as_deref()), (Some("T"), Some("D")));
    }

    #[test]
    fn strange_alerts_are_found_by_what_can_be_read() {
        let raw = r#"{"description":[1],"evidence":[{"sha1":7,"url":"\ud800x","fileName":"a\u0000b"}]}"#;
        assert_eq!(values(raw, ObservableKind::File), ["a\u{fffd}b"]);
        assert_eq!(values(raw, ObservableKind::Url), ["\u{fffd}x"]);
        assert_eq!(findable(raw).description, None);
        for raw in ["{}", r#"{"evidence":null}"#, r#"{"evidence":{}}"#, r#"{"evidence":"x","relatedUser":1}"#] {
            assert_eq!(findable(raw), Findable::default());
        }
    }
}
