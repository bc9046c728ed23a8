//! Owns the values that name something in evidence, the kinds they are of, and the one form in which they are compared.

use std::borrow::Cow;
use std::net::IpAddr;

/// What a value names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObservableKind {
    /// SHA-1 of a file.
    Sha1,
    /// SHA-256 of a file.
    Sha256,
    /// An IPv4 or IPv6 address.
    Ip,
    /// A URL.
    Url,
    /// A DNS name out of a URL, with the names above it; or the domain of an account.
    Domain,
    /// A file's name without its folder.
    File,
    /// An account, with and without its domain.
    Account,
    /// A user principal name.
    Upn,
    /// A security identifier.
    Sid,
    /// An Entra object id of a user.
    User,
    /// A device: its id, its DNS name, or the first label of that.
    Device,
}

impl ObservableKind {
    /// All kinds, in the order of the index's columns.
    pub const ALL: [Self; 11] = [
        Self::Sha1,
        Self::Sha256,
        Self::Ip,
        Self::Url,
        Self::Domain,
        Self::File,
        Self::Account,
        Self::Upn,
        Self::Sid,
        Self::User,
        Self::Device,
    ];

    /// The name, which is also that of the index's column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Ip => "ip",
            Self::Url => "url",
            Self::Domain => "domain",
            Self::File => "file",
            Self::Account => "account",
            Self::Upn => "upn",
            Self::Sid => "sid",
            Self::User => "user",
            Self::Device => "device",
        }
    }
}

impl std::fmt::Display for ObservableKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Longer values are compared by their beginning of so many bytes.
const MOST_BYTES: usize = 1024;

/// The form in which values of a kind are compared: without blanks around, in lower case, addresses in their shortest
/// form, URLs without the slash that means nothing, control characters replaced. Empty when nothing is left.
#[must_use]
pub fn comparable(kind: ObservableKind, value: &str) -> String {
    let value = value.trim();
    let value = match kind {
        ObservableKind::Ip => match value.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => Cow::Owned(address.to_canonical().to_string()),
            Err(_) => Cow::Borrowed(value),
        },
        ObservableKind::Url => Cow::Borrowed(without_root(value)),
        ObservableKind::Domain => Cow::Borrowed(value.trim_end_matches('.')),
        ObservableKind::Sha1
        | ObservableKind::Sha256
        | ObservableKind::File
        | ObservableKind::Account
        | ObservableKind::Upn
        | ObservableKind::Sid
        | ObservableKind::User
        | ObservableKind::Device => Cow::Borrowed(value),
    };
    let mut value = value.to_lowercase();
    if value.contains(char::is_control) {
        value = value.replace(char::is_control, "\u{fffd}");
    }
    value.truncate(value.floor_char_boundary(MOST_BYTES));
    value
}

/// A URL that is a host alone, without the slash after it.
fn without_root(url: &str) -> &str {
    match url.strip_suffix('/') {
        Some(rest) if after_scheme(rest).is_some_and(|host| !host.contains(['/', '?', '#'])) => rest,
        _ => url,
    }
}

fn after_scheme(url: &str) -> Option<&str> {
    url.find("://").map(|at| &url[at + "://".len()..])
}

/// The host of a URL, which may lack its scheme.
#[must_use]
pub fn host_of(url: &str) -> &str {
    let url = url.trim();
    let rest = after_scheme(url).unwrap_or(url);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    match host.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or_default(),
    }
}

/// A DNS name and the names above it, down to two labels; nothing for what is no such name.
pub fn names_above(host: &str) -> impl Iterator<Item = &str> {
    let host = host.trim_end_matches('.');
    let dotted = host.contains('.') && host.parse::<IpAddr>().is_err();
    let mut rest = dotted.then_some(host);
    std::iter::from_fn(move || {
        let name = rest?;
        let above = name.split_once('.').map(|(_, above)| above);
        rest = above.filter(|above| above.contains('.'));
        Some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_all_spellings() {
        use ObservableKind as Kind;
        for (kind, value, form) in [
            (Kind::Sha1, " ABCDEF ", "abcdef"),
            (Kind::Ip, "2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            (Kind::Ip, "::ffff:10.0.0.1", "10.0.0.1"),
            (Kind::Ip, "not an address", "not an address"),
            (Kind::Url, "HTTP://Evil.example/", "http://evil.example"),
            (Kind::Url, "http://evil.example/a/", "http://evil.example/a/"),
            (Kind::Domain, "Evil.example.", "evil.example"),
            (Kind::Account, "NT AUTHORITY\\SYSTEM", "nt authority\\system"),
            (Kind::File, "a\nb\0.exe", "a\u{fffd}b\u{fffd}.exe"),
            (Kind::File, "ÄRGER.exe", "ärger.exe"),
            (Kind::File, "  ", ""),
        ] {
            assert_eq!(comparable(kind, value), form);
        }
        assert_eq!(comparable(Kind::Url, &"ä".repeat(2_000)).len(), MOST_BYTES);
    }

    #[test]
    fn hosts_are_found_in_urls() {
        for (url, host) in [
            ("https://user:pw@Evil.example:8080/a?b#c", "Evil.example"),
            ("evil.example/path", "evil.example"),
            ("http://[2001:db8::1]:80/", "2001:db8::1"),
            ("", ""),
            ("http://", ""),
        ] {
            assert_eq!(host_of(url), host);
        }
    }

    #[test]
    fn a_name_stands_below_others() {
        let names = |host| names_above(host).collect::<Vec<_>>();
        assert_eq!(names("a.b.evil.example"), ["a.b.evil.example", "b.evil.example", "evil.example"]);
        assert_eq!(names("evil.example."), ["evil.example"]);
        assert!(names("localhost").is_empty() && names("10.0.0.1").is_empty() && names("").is_empty());
    }
}
