//! Owns expressions of the full-text index (FTS5), made so that no text is taken for syntax.

use crate::domain::ObservableKind;

/// A text as a phrase, whatever is in it.
pub(super) fn phrase(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Alerts that have one of these values of a kind.
pub(super) fn one_of(kind: ObservableKind, values: impl Iterator<Item = String>) -> String {
    let values: Vec<String> = values.map(|value| phrase(&value)).collect();
    format!("{kind} : ({})", values.join(" OR "))
}

/// Alerts that have a value of a kind, or if `open` one that begins so.
pub(super) fn value(kind: ObservableKind, value: &str, open: bool) -> String {
    format!("{kind} : {}{}", phrase(value), if open { " *" } else { "" })
}

/// Texts that have every word; one with a `*` at its end means all that begin so. Nothing when no word has anything
/// that the index keeps.
pub(super) fn all_words(text: &str) -> Option<String> {
    // The index keeps letters, digits and what fonts define for themselves.
    let kept = |c: char| c.is_alphanumeric() || matches!(c, '\u{e000}'..='\u{f8ff}');
    // A NUL would end the expression in the middle of a phrase.
    let apart = |c: char| c.is_whitespace() || c.is_control();
    let words = text.split(apart).filter(|word| word.contains(kept)).map(|word| match word.strip_suffix('*') {
        Some(begin) => format!("{} *", phrase(begin)),
        None => phrase(word),
    });
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then(|| words.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_syntax() {
        for (text, expression) in [
            ("evil.exe -enc", Some(r#""evil.exe" AND "-enc""#)),
            (r#"C:\x "a" OR* NOT"#, Some(r#""C:\x" AND """a""" AND "OR" * AND "NOT""#)),
            ("title:x ^y (z", Some(r#""title:x" AND "^y" AND "(z""#)),
            (" - ❤ *", None),
            ("- 東京", Some(r#""東京""#)),
            ("a\0b", Some(r#""a" AND "b""#)),
        ] {
            assert_eq!(all_words(text).as_deref(), expression);
        }
        let devices = ["a\"b", "c"].map(str::to_owned).into_iter();
        assert_eq!(one_of(ObservableKind::Device, devices), r#"device : ("a""b" OR "c")"#);
        assert_eq!(value(ObservableKind::Sha1, "ab", true), r#"sha1 : "ab" *"#);
    }
}
