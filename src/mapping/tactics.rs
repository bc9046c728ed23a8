//! Owns what the alert says in the words of MITRE ATT&CK: tactics by their names, techniques by their numbers.

/// A tactic of the enterprise matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tactic {
    /// As MITRE numbers it.
    pub id: &'static str,
    /// As MITRE writes it.
    pub name: &'static str,
}

/// What the service calls a category, and MITRE's number and name of it. Other categories (`Malware`,
/// `SuspiciousActivity`, …) are no tactics.
const TACTICS: [(&str, &str, &str); 14] = [
    ("Reconnaissance", "TA0043", "Reconnaissance"),
    ("ResourceDevelopment", "TA0042", "Resource Development"),
    ("InitialAccess", "TA0001", "Initial Access"),
    ("Execution", "TA0002", "Execution"),
    ("Persistence", "TA0003", "Persistence"),
    ("PrivilegeEscalation", "TA0004", "Privilege Escalation"),
    ("DefenseEvasion", "TA0005", "Defense Evasion"),
    ("CredentialAccess", "TA0006", "Credential Access"),
    ("Discovery", "TA0007", "Discovery"),
    ("LateralMovement", "TA0008", "Lateral Movement"),
    ("Collection", "TA0009", "Collection"),
    ("CommandAndControl", "TA0011", "Command and Control"),
    ("Exfiltration", "TA0010", "Exfiltration"),
    ("Impact", "TA0040", "Impact"),
];

/// The tactic that a category is, however it is spaced and capitalised.
pub(super) fn tactic_of(category: &str) -> Option<Tactic> {
    let plain: String = category.chars().filter(|c| c.is_alphanumeric()).collect();
    let found = TACTICS.iter().find(|(wire, ..)| wire.eq_ignore_ascii_case(&plain));
    found.map(|&(_, id, name)| Tactic { id, name })
}

/// A technique, and the part of it that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Technique {
    /// Such as `T1059`.
    pub id: String,
    /// Such as `T1059.001`.
    pub sub: Option<String>,
}

impl Technique {
    /// Reads a number like `T1059` or `T1059.001`; other texts are no techniques.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        let (id, sub) = text.split_once('.').map_or((text, None), |(id, sub)| (id, Some(sub)));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_one = id.strip_prefix('T').is_some_and(digits) && sub.is_none_or(digits);
        is_one.then(|| Self { id: id.to_owned(), sub: sub.map(|_| text.to_owned()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_that_are_tactics_are_known() {
        assert_eq!(tactic_of("CommandAndControl").map(|tactic| tactic.id), Some("TA0011"));
        assert_eq!(tactic_of("Lateral movement").map(|tactic| tactic.name), Some("Lateral Movement"));
        assert_eq!(["Malware", "", "null"].map(tactic_of), [None; 3]);
    }

    #[test]
    fn techniques_are_taken_apart() {
        let whole = Technique { id: "T1064".to_owned(), sub: None };
        let part = Technique { id: "T1059".to_owned(), sub: Some("T1059.001".to_owned()) };
        assert_eq!([" T1064", "T1059.001"].map(Technique::of), [Some(whole), Some(part)]);
        assert_eq!(["", "T", "1064", "T1059.", "T1.x", "Tx"].map(Technique::of), [const { None }; 6]);
    }
}
