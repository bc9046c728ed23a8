//! Owns values that somebody hunts for: what each may name by its shape, and the forms in which it is looked up.

use std::net::IpAddr;

use super::TenantId;
use super::observable::{ObservableKind, comparable};

/// A value to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indicator {
    /// As it was given, without blanks around it.
    pub text: String,
    /// The kinds it may be of, each with the form it is looked up in.
    pub forms: Vec<(ObservableKind, String)>,
    /// Whether everything that begins so is meant.
    pub open: bool,
}

/// Why a text cannot be looked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadIndicator {
    /// Nothing is left of it.
    #[error("a value is empty")]
    Empty,
    /// It is not of the kind that was asked for.
    #[error("`{}` is no {kind}", .text.escape_debug())]
    Not {
        /// The text.
        text: String,
        /// The kind.
        kind: ObservableKind,
    },
}

/// How values are written so that nobody opens them by accident, and what is meant.
const DEFANGED: [(&str, &str); 10] = [
    ("[://]", "://"),
    ("[.]", "."),
    ("(.)", "."),
    ("{.}", "."),
    ("[dot]", "."),
    ("(dot)", "."),
    ("[:]", ":"),
    ("[@]", "@"),
    ("(@)", "@"),
    ("[at]", "@"),
];

/// Digits of a SHA-1, which a device's id has too.
const SHA1_DIGITS: usize = 40;
/// Digits of a SHA-256.
const SHA256_DIGITS: usize = 64;

impl Indicator {
    /// Reads a value. A `*` at its end means everything that begins so; `[.]`, `hxxp` and their like are put right; a
    /// path is looked for by its file's name, and `*.` before a domain adds nothing to it. Without a kind, all that fit
    /// its shape are meant.
    ///
    /// # Errors
    /// When nothing is left of it, or it has not the shape of the kind that is asked for.
    pub fn of(text: &str, kind: Option<ObservableKind>) -> Result<Self, BadIndicator> {
        let text = text.trim();
        let whole = refanged(text);
        let (value, open) = match whole.strip_suffix('*') {
            Some(begin) => (begin, true),
            None => (whole.as_str(), false),
        };
        let value = value.strip_prefix("*.").unwrap_or(value).trim();
        let kinds = match kind {
            Some(kind) if has_shape(kind) && !fits(kind, value, open) => {
                return Err(BadIndicator::Not { text: text.to_owned(), kind });
            }
            Some(kind) => vec![kind],
            None => kinds_of(value, open),
        };
        let forms = kinds.into_iter().map(|kind| (kind, form(kind, value, open)));
        let forms: Vec<_> = forms.filter(|(_, form)| !form.is_empty()).collect();
        if forms.is_empty() {
            return Err(BadIndicator::Empty);
        }
        Ok(Self { text: text.to_owned(), forms, open })
    }
}

/// A defanged value as it was.
fn refanged(text: &str) -> String {
    let mut text = text.to_owned();
    for (written, meant) in DEFANGED {
        // ASCII letters keep their place and length in lower case.
        while let Some(at) = text.to_ascii_lowercase().find(written) {
            text.replace_range(at..at + written.len(), meant);
        }
    }
    let scheme = text.split("://").next().unwrap_or_default().to_ascii_lowercase();
    match scheme.as_str() {
        "hxxp" | "hxxps" if text.len() > scheme.len() => format!("http{}", &text["hxxp".len()..]),
        _ => text,
    }
}

/// The form in which the index has it. The beginning of a value has no form of its own but its case.
fn form(kind: ObservableKind, value: &str, open: bool) -> String {
    let value = if kind == ObservableKind::File { name_in(value) } else { value };
    comparable(if open { ObservableKind::File } else { kind }, value)
}

/// All kinds that a value fits; what fits none is taken for a name.
fn kinds_of(value: &str, open: bool) -> Vec<ObservableKind> {
    use ObservableKind as Kind;
    let fitting: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| fits(*kind, value, open)).collect();
    // Names have no shape: they are meant when nothing else is, and by a beginning always.
    let shaped = fitting.iter().any(|kind| has_shape(*kind));
    let names = |kind: &Kind| [Kind::Domain, Kind::File, Kind::Account, Kind::Device].contains(kind);
    if shaped && !open {
        let device = is_hex(value, SHA1_DIGITS, false).then_some(Kind::Device);
        return fitting.into_iter().filter(|kind| !names(kind)).chain(device).collect();
    }
    if fitting.is_empty() { Kind::ALL.into_iter().filter(names).collect() } else { fitting }
}

/// Whether a value of this kind is told by its shape.
const fn has_shape(kind: ObservableKind) -> bool {
    use ObservableKind as Kind;
    match kind {
        Kind::Sha1 | Kind::Sha256 | Kind::Ip | Kind::Sid | Kind::User => true,
        Kind::Url | Kind::Domain | Kind::File | Kind::Account | Kind::Upn | Kind::Device => false,
    }
}

/// Whether a value, or the beginning of one, may be of a kind.
fn fits(kind: ObservableKind, value: &str, open: bool) -> bool {
    use ObservableKind as Kind;
    let path = value.starts_with('/') || value.matches('\\').count() > 1 || value.contains(":\\");
    let url = value.contains("://") || value.contains('/') && !path;
    let mail = value.find('@').is_some_and(|at| at > 0 && (open || at + 1 < value.len()));
    let name = !url && !mail && !value.contains(['/', '\\']);
    match kind {
        Kind::Sha1 => is_hex(value, SHA1_DIGITS, open),
        Kind::Sha256 => is_hex(value, SHA256_DIGITS, open),
        Kind::Ip => is_address(value, open),
        Kind::Url => url,
        Kind::Domain | Kind::Device => name,
        Kind::File => name || !url && (path || value.contains('\\') && name_in(value).contains('.')),
        Kind::Account => name || !path && !url && value.matches('\\').count() == 1 && !value.starts_with('\\'),
        Kind::Upn => mail && !url && !path,
        Kind::Sid => is_sid(value),
        Kind::User => is_guid(value, open),
    }
}

fn is_hex(value: &str, digits: usize, open: bool) -> bool {
    let long_enough = value.len() == digits || open && !value.is_empty() && value.len() < digits;
    long_enough && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_address(value: &str, open: bool) -> bool {
    let of = |mark: char, digit: fn(&u8) -> bool| {
        value.contains(mark) && value.bytes().all(|byte| digit(&byte) || char::from(byte) == mark)
    };
    let begins = || of('.', u8::is_ascii_digit) || of(':', u8::is_ascii_hexdigit);
    value.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() || open && begins()
}

fn is_sid(value: &str) -> bool {
    let rest =
        value.get(..4).filter(|begin| begin.eq_ignore_ascii_case("S-1-")).and_then(|begin| value.get(begin.len()..));
    rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
}

fn is_guid(value: &str, open: bool) -> bool {
    let begins = || value.len() < 36 && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    TenantId::parse(value).is_ok() || open && begins()
}

/// What stands after the last separator of a path.
fn name_in(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use ObservableKind as Kind;

    use super::*;

    fn forms(text: &str) -> Vec<(Kind, String)> {
        Indicator::of(text, None).expect(text).forms
    }

    fn kinds(text: &str) -> Vec<Kind> {
        forms(text).into_iter().map(|(kind, _)| kind).collect()
    }

    #[test]
    fn shapes_tell_kinds() {
        let names = [Kind::Domain, Kind::File, Kind::Account, Kind::Device];
        for (text, expected) in [
            ("AED4031677CC32FA6437D4A5B3B5EC1F3A3A6BD5", [Kind::Sha1, Kind::Device].as_slice()),
            (&"0f".repeat(32), &[Kind::Sha256]),
            ("10.0.0.1", &[Kind::Ip]),
            ("2001:DB8::1", &[Kind::Ip]),
            ("[2001:db8::1]", &[Kind::Ip]),
            ("https://evil.example/a?b", &[Kind::Url]),
            ("evil.example/a", &[Kind::Url]),
            ("evil.example", &names),
            ("evil.exe", &names),
            ("bob", &names),
            ("@device", &names),
            ("NT AUTHORITY", &names),
            ("CONTOSO\\ann", &[Kind::Account]),
            ("%TEMP%\\evil.exe", &[Kind::File, Kind::Account]),
            ("C:\\Temp\\evil.exe", &[Kind::File]),
            ("\\\\server\\share\\evil.exe", &[Kind::File]),
            ("/tmp/evil", &[Kind::File]),
            ("ann@contoso.example", &[Kind::Upn]),
            ("s-1-5-21-1-2-3-1104", &[Kind::Sid]),
            ("A839B112-1253-6432-9bf6-94542403f21c", &[Kind::User]),
            ("*", &[]),
        ] {
            let found = Indicator::of(text, None).map(|found| found.forms.into_iter().map(|(kind, _)| kind).collect());
            let expected = if expected.is_empty() { Err(BadIndicator::Empty) } else { Ok(expected.to_vec()) };
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn forms_are_those_of_the_index() {
        for (text, kind, form) in [
            ("hXXps[:]//Evil[.]example/", Kind::Url, "https://evil.example"),
            ("hxxp[://]evil[dot]example/A", Kind::Url, "http://evil.example/a"),
            ("evil(.)example.", Kind::Domain, "evil.example"),
            ("*.evil.example", Kind::Domain, "evil.example"),
            ("10[.]0[.]0[.]1", Kind::Ip, "10.0.0.1"),
            ("2001[:]db8:0:0:0:0:0:1", Kind::Ip, "2001:db8::1"),
            ("ann[@]contoso[.]example", Kind::Upn, "ann@contoso.example"),
            (" C:\\Temp\\Evil.EXE ", Kind::File, "evil.exe"),
            ("hxxp", Kind::File, "hxxp"),
            ("a\nb", Kind::File, "a\u{fffd}b"),
            ("ÄRGER.exe", Kind::File, "ärger.exe"),
        ] {
            assert!(forms(text).contains(&(kind, form.to_owned())), "{text}: {:?}", forms(text));
        }
    }

    #[test]
    fn beginnings_fit_more() {
        let open = |text: &str| Indicator::of(text, None).expect(text);
        assert!(open("aed4*").open && !open("aed4").open);
        for (text, kind) in [
            ("aed4*", Kind::Sha1),
            ("aed4*", Kind::Sha256),
            ("aed4*", Kind::Device),
            ("a839b112-12*", Kind::User),
            ("10.0.*", Kind::Ip),
            ("2001:db8:*", Kind::Ip),
            ("S-1-5-21-*", Kind::Sid),
            ("http://evil.*", Kind::Url),
            ("ann@*", Kind::Upn),
            ("CORP\\*", Kind::Account),
        ] {
            assert!(kinds(text).contains(&kind), "{text}: {:?}", kinds(text));
        }
        assert!(forms("http://evil.example/*").contains(&(Kind::Url, "http://evil.example/".to_owned())));
        assert!(!kinds("xyz*").contains(&Kind::Sha1) && !kinds("10.0.0").contains(&Kind::Ip));
    }

    #[test]
    fn a_kind_may_be_asked_for() {
        let asked = |text: &str, kind| Indicator::of(text, Some(kind));
        assert_eq!(asked("10.0.0.1", Kind::File).expect("a name").forms, [(Kind::File, "10.0.0.1".to_owned())]);
        for (text, kind) in [("abc", Kind::Sha1), ("10.0.0.256", Kind::Ip), ("S-1-x", Kind::Sid), ("ann", Kind::User)] {
            assert_eq!(asked(text, kind), Err(BadIndicator::Not { text: text.to_owned(), kind }));
        }
        for text in ["", " \t", "*", "  * "] {
            assert_eq!(asked(text, Kind::File), Err(BadIndicator::Empty), "{text:?}");
            assert_eq!(Indicator::of(text, None), Err(BadIndicator::Empty), "{text:?}");
        }
        assert_eq!(asked("ab*", Kind::Sha1).map(|found| found.open), Ok(true));
    }
}
