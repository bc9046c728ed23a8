//! Owns reading an entity of the evidence: of what kind it is, and what its fields mean together.

use serde_json::Value;

use super::object::Members;
use super::web;

/// What an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Process,
    User,
    Url,
    Ip,
    Registry,
    /// A kind that is not known here.
    Other,
}

/// An entity, read tolerantly.
#[derive(Debug)]
pub(super) struct Entity {
    pub own: Members,
    pub kind: Kind,
}

/// The hives by their long and short names.
const HIVES: [(&str, &str); 6] = [
    ("HKEY_LOCAL_MACHINE", "HKLM"),
    ("HKEY_CURRENT_USER", "HKCU"),
    ("HKEY_CLASSES_ROOT", "HKCR"),
    ("HKEY_USERS", "HKU"),
    ("HKEY_CURRENT_CONFIG", "HKCC"),
    ("HKEY_PERFORMANCE_DATA", "HKPD"),
];

impl Entity {
    /// An entry of the list; nothing when it is no object.
    pub fn of(entry: Value) -> Option<Self> {
        let Value::Object(members) = entry else { return None };
        let own = Members(members);
        let kind = kind_of(&own);
        Some(Self { own, kind })
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.own.text(name)
    }

    /// A process number: what fits 32 bits.
    pub fn process(&self, name: &str) -> Option<u32> {
        u32::try_from(self.own.integer(name)?).ok()
    }

    /// A digest in lower case; texts that are no hexadecimal number are none.
    pub fn hash(&self, name: &str) -> Option<String> {
        let text = self.text(name)?.trim();
        text.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| text.to_lowercase())
    }

    pub fn address(&self) -> Option<String> {
        web::address(self.text("ipAddress")?)
    }

    /// The mail address that a user principal name is, if it is one.
    pub fn mail(&self) -> Option<&str> {
        self.text("userPrincipalName").filter(|name| web::is_mail(name))
    }

    /// The whole path of a file: the service has its folder and its name apart.
    pub fn path(&self, folder: &str, name: &str) -> Option<String> {
        let (folder, name) = (self.text(folder)?, self.text(name)?);
        let separator = if folder.contains('/') && !folder.contains('\\') { '/' } else { '\\' };
        let bare = folder.trim_end_matches(separator);
        if bare.rsplit(separator).next().is_some_and(|last| last.eq_ignore_ascii_case(name)) {
            return Some(bare.to_owned());
        }
        Some(format!("{bare}{separator}{name}"))
    }

    /// The extension of the file's name, without its dot.
    pub fn extension(&self) -> Option<&str> {
        let (stem, extension) = self.text("fileName")?.rsplit_once('.')?;
        (!stem.is_empty() && !extension.is_empty()).then_some(extension)
    }

    /// The registry hive by its short name.
    pub fn hive(&self) -> Option<&str> {
        let hive = self.text("registryHive")?;
        Some(HIVES.iter().find(|(long, _)| long.eq_ignore_ascii_case(hive)).map_or(hive, |(_, short)| short))
    }

    /// A registry value as text; numbers are written out.
    pub fn registry_value(&self) -> Option<String> {
        match self.own.0.get("registryValue")? {
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// The kind by its name, or by its fields when the service gives no name.
fn kind_of(own: &Members) -> Kind {
    if let Some(name) = own.text("entityType") {
        return match name {
            "File" => Kind::File,
            "Process" => Kind::Process,
            "User" => Kind::User,
            "Url" => Kind::Url,
            "Ip" => Kind::Ip,
            "Registry" | "RegistryKey" | "RegistryValue" => Kind::Registry,
            _ => Kind::Other,
        };
    }
    let has = |names: &[&str]| names.iter().any(|name| own.text(name).is_some() || own.integer(name).is_some());
    let signs: [(&[&str], Kind); 6] = [
        (&["processId", "processCommandLine"], Kind::Process),
        (&["registryKey"], Kind::Registry),
        (&["fileName", "sha1", "sha256"], Kind::File),
        (&["url"], Kind::Url),
        (&["ipAddress"], Kind::Ip),
        (&["accountName", "userSid", "userPrincipalName"], Kind::User),
    ];
    signs.into_iter().find(|(names, _)| has(names)).map_or(Kind::Other, |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entity(entry: Value) -> Entity {
        Entity::of(entry).expect("an object")
    }

    #[test]
    fn kinds_are_told_by_name_or_by_fields() {
        for (entry, kind) in [
            (json!({"entityType": "RegistryValue"}), Kind::Registry),
            (json!({"entityType": "MailBox", "url": "x"}), Kind::Other),
            (json!({"entityType": null, "processId": 4, "sha1": "ab"}), Kind::Process),
            (json!({"sha1": "ab", "url": "x"}), Kind::File),
            (json!({"userSid": "S-1"}), Kind::User),
            (json!({"entityType": 7}), Kind::Other),
        ] {
            assert_eq!(entity(entry.clone()).kind, kind, "{entry}");
        }
        assert!(Entity::of(json!("File")).is_none());
    }

    #[test]
    fn folders_and_names_make_paths() {
        for (folder, name, path) in [
            ("C:\\Windows", "a.exe", "C:\\Windows\\a.exe"),
            ("C:\\Windows\\", "a.exe", "C:\\Windows\\a.exe"),
            ("C:\\Windows\\A.exe", "a.exe", "C:\\Windows\\A.exe"),
            ("/usr/bin", "sh", "/usr/bin/sh"),
            ("/", "init", "/init"),
        ] {
            let entity = entity(json!({"filePath": folder, "fileName": name}));
            assert_eq!(entity.path("filePath", "fileName").as_deref(), Some(path));
        }
        assert_eq!(entity(json!({"fileName": "a"})).path("filePath", "fileName"), None);
    }

    #[test]
    fn values_are_read_or_left_out() {
        let file = entity(json!({"fileName": ".profile", "sha1": "AB12", "sha256": "not one", "processId": -1}));
        assert_eq!((file.extension(), file.hash("sha1").as_deref(), file.hash("sha256")), (None, Some("ab12"), None));
        assert_eq!(file.process("processId"), None);
        let key = entity(json!({"registryHive": "hkey_local_machine", "registryValue": 7}));
        assert_eq!((key.hive(), key.registry_value().as_deref()), (Some("HKLM"), Some("7")));
        assert_eq!(entity(json!({"registryHive": "OTHER"})).hive(), Some("OTHER"));
    }
}
