//! Owns what is read out of URLs, addresses and mail addresses.

use std::net::IpAddr;

use url::{Host, Url};

/// An address in its shortest form; other texts are none.
pub(super) fn address(text: &str) -> Option<String> {
    let address: IpAddr = text.trim().trim_matches(['[', ']']).parse().ok()?;
    Some(address.to_canonical().to_string())
}

/// The parts of a URL with a host. A password in it is left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub scheme: String,
    /// A name, or an address.
    pub host: String,
    /// Whether the host is an address.
    pub is_address: bool,
    pub port: Option<u16>,
    pub path: String,
    pub query: Option<String>,
    pub fragment: Option<String>,
    pub user: String,
}

impl Parts {
    /// The parts of a text that is a URL with a scheme and a host; other texts have none.
    pub fn of(text: &str) -> Option<Self> {
        let url = Url::parse(text.trim()).ok()?;
        let (host, is_address) = match url.host()? {
            Host::Domain(name) => (name.to_owned(), false),
            Host::Ipv4(address) => (address.to_string(), true),
            Host::Ipv6(address) => (address.to_string(), true),
        };
        Some(Self {
            scheme: url.scheme().to_owned(),
            host,
            is_address,
            port: url.port(),
            path: url.path().to_owned(),
            query: url.query().map(str::to_owned),
            fragment: url.fragment().map(str::to_owned),
            user: url.username().to_owned(),
        })
    }
}

/// Whether a text is a mail address as schemas define it: Latin letters, one `@`, a domain with a dot.
pub(super) fn is_mail(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    !local.is_empty() && local.chars().all(plain) && domain.contains('.') && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let parts = Parts::of("https://u:secret@Evil.example:8443/a b?c=1#d").expect("a URL");
        assert_eq!((parts.scheme.as_str(), parts.host.as_str(), parts.port), ("https", "evil.example", Some(8443)));
        assert_eq!(
            (parts.path.as_str(), parts.query.as_deref(), parts.fragment.as_deref()),
            ("/a%20b", Some("c=1"), Some("d"))
        );
        assert_eq!((parts.user.as_str(), parts.is_address), ("u", false));
        assert!(
            Parts::of("http://[2001:DB8::1]/").is_some_and(|parts| parts.host == "2001:db8::1" && parts.is_address)
        );
        assert!(
            ["evil.example/x", "", "mailto:a@b.example", "http://", "javascript:alert(1)"]
                .iter()
                .all(|text| Parts::of(text).is_none())
        );
    }

    #[test]
    fn addresses_and_mail_are_told_from_other_texts() {
        assert_eq!(address("::ffff:10.0.0.1").as_deref(), Some("10.0.0.1"));
        assert_eq!(address("2001:DB8:0:0:0:0:0:1").as_deref(), Some("2001:db8::1"));
        assert_eq!(["10.0.0", "fe80::1%eth0", "x", ""].map(address), [const { None }; 4]);
        assert!(["a@b.example", "r.o'brien@corp.example"].into_iter().all(is_mail));
        assert!(!["zoë@b.example", "a@b", "a@@b.example", "@b.example", "a@.example", "a"].into_iter().any(is_mail));
    }
}
