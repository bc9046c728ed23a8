//! Owns the enumerations: what the service says, and which number and caption the schema has for it.

use super::super::object::Object;

/// The number for what the schema does not list; the service's own word then stands beside it.
const OTHER: i64 = 99;

/// The activity that ends a finding.
pub(super) const CLOSE: i64 = 3;

/// Words of the service with their numbers and captions.
pub(super) struct Words(&'static [(&'static str, i64, &'static str)]);

/// One value of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub id: i64,
    /// The schema's caption.
    pub caption: &'static str,
    /// What the service said, when the schema has nothing for it.
    said: Option<&'a str>,
}

impl Words {
    /// The value for a word: 0 for none, 99 for one that is not listed.
    pub fn of<'a>(&self, word: Option<&'a str>) -> Word<'a> {
        let Some(word) = word else { return Word { id: 0, caption: "Unknown", said: None } };
        match self.0.iter().find(|(wire, ..)| wire.eq_ignore_ascii_case(word)) {
            Some(&(_, id, caption)) => Word { id, caption, said: None },
            None => Word { id: OTHER, caption: "Other", said: Some(word) },
        }
    }
}

impl Word<'_> {
    /// The text beside the number: the caption, or what the service said.
    pub fn text(&self) -> &str {
        self.said.unwrap_or(self.caption)
    }

    pub fn write(&self, object: &mut Object, id: &str, text: &str) {
        object.set(id, self.id);
        object.set(text, self.text());
    }
}

/// What happened to the finding, by the alert's status.
pub(super) const ACTIVITY: Words = Words(&[
    ("Unknown", 0, "Unknown"),
    ("New", 1, "Create"),
    ("InProgress", 2, "Update"),
    ("Resolved", CLOSE, "Close"),
]);

pub(super) const STATUS: Words = Words(&[
    ("Unknown", 0, "Unknown"),
    ("New", 1, "New"),
    ("InProgress", 2, "In Progress"),
    ("Resolved", 4, "Resolved"),
]);

pub(super) const SEVERITY: Words = Words(&[
    ("UnSpecified", 0, "Unknown"),
    ("Informational", 1, "Informational"),
    ("Low", 2, "Low"),
    ("Medium", 3, "Medium"),
    ("High", 4, "High"),
]);

/// What the analysts made of it, by the alert's classification.
pub(super) const VERDICT: Words = Words(&[
    ("Unknown", 0, "Unknown"),
    ("FalsePositive", 1, "False Positive"),
    ("TruePositive", 2, "True Positive"),
    ("InformationalExpectedActivity", 5, "Benign"),
]);

/// Kinds of malware by the word before the colon of a threat's name (`Trojan:Win32/…`).
pub(super) const MALWARE: Words = Words(&[
    ("Adware", 1, "Adware"),
    ("Backdoor", 2, "Backdoor"),
    ("DDoS", 5, "DDOS"),
    ("TrojanDownloader", 6, "Downloader"),
    ("TrojanDropper", 7, "Dropper"),
    ("Ransom", 10, "Ransomware"),
    ("Rogue", 14, "Rogue-Security-Software"),
    ("Spyware", 17, "Spyware"),
    ("TrojanSpy", 17, "Spyware"),
    ("Trojan", 18, "Trojan"),
    ("Virus", 19, "Virus"),
    ("Worm", 22, "Worm"),
]);

/// Types of registry values.
pub(super) const VALUE_TYPE: Words = Words(&[
    ("Binary", 1, "REG_BINARY"),
    ("DWord", 2, "REG_DWORD"),
    ("ExpandString", 4, "REG_EXPAND_SZ"),
    ("MultiString", 6, "REG_MULTI_SZ"),
    ("None", 7, "REG_NONE"),
    ("QWord", 8, "REG_QWORD"),
    ("String", 10, "REG_SZ"),
]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_is_other_with_its_own_word() {
        let of = |word| {
            let word = STATUS.of(word);
            (word.id, word.text().to_owned())
        };
        assert_eq!(of(Some("inprogress")), (2, "In Progress".to_owned()));
        assert_eq!(of(Some("Paused")), (99, "Paused".to_owned()));
        assert_eq!(of(None), (0, "Unknown".to_owned()));
    }
}
