//! Owns under which names the daemon answers at a port of this machine.
//!
//! A web page in a browser of this machine can have its own name lead to 127.0.0.1 (DNS rebinding) and would then read
//! answers as its own. The browser still says in `Host` which name it means, so a name that is not this machine's is
//! turned away. At an address that other machines reach, which has to be allowed, they may call this one what they like;
//! a socket in the file system is reached by no page.

use std::net::{IpAddr, SocketAddr};

use hyper::header::HOST;
use hyper::{Request, StatusCode, Version};

/// The port that a name without one means.
const HTTP_PORT: u16 = 80;

/// The names that are answered.
#[derive(Debug)]
pub(super) enum Names {
    /// Those of the machine itself, with the port at which it listens.
    Own(SocketAddr),
    /// Every name.
    Any,
}

impl Names {
    /// Those that fit a port; none when it is a socket in the file system.
    pub(super) fn at(address: Option<SocketAddr>) -> Self {
        address.filter(|address| address.ip().to_canonical().is_loopback()).map_or(Self::Any, Self::Own)
    }

    /// With what a request for somebody else is answered.
    pub(super) fn refusal<B>(&self, request: &Request<B>) -> Option<StatusCode> {
        let Self::Own(at) = self else { return None };
        let mut hosts = request.headers().get_all(HOST).iter();
        let (told, more) = (hosts.next(), hosts.next());
        if more.is_some() {
            return Some(StatusCode::BAD_REQUEST);
        }
        // A target with a host in it goes before the header. Only an old program sends neither; a browser never does.
        let named = match (request.uri().authority(), told) {
            (Some(authority), _) => Some(authority.as_str()),
            (None, Some(host)) => Some(host.to_str().unwrap_or_default()),
            (None, None) if request.version() < Version::HTTP_11 => None,
            (None, None) => return Some(StatusCode::BAD_REQUEST),
        };
        named.is_some_and(|host| !is_own(host, *at)).then_some(StatusCode::MISDIRECTED_REQUEST)
    }
}

fn is_own(host: &str, at: SocketAddr) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        // A colon inside of brackets belongs to the address.
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
        _ => (host, Some(HTTP_PORT)),
    };
    port == Some(at.port()) && is_own_name(name, at.ip())
}

fn is_own_name(name: &str, at: IpAddr) -> bool {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return ip == at || ip.to_canonical().is_loopback();
    }
    // Nobody can register a name below `localhost` (RFC 6761).
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(version: Version, target: &str, hosts: &[&str]) -> Request<()> {
        let request = Request::builder().version(version).uri(target);
        hosts.iter().fold(request, |request, host| request.header(HOST, *host)).body(()).expect("a request")
    }

    fn refusal(listen: &str, hosts: &[&str]) -> Option<StatusCode> {
        Names::at(Some(listen.parse().expect("an address"))).refusal(&asked(Version::HTTP_11, "/metrics", hosts))
    }

    #[test]
    fn names_of_this_machine_are_answered_and_no_others() {
        for host in
            ["127.0.0.1:9466", "127.9.9.9:9466", "[::1]:9466", "localhost:9466", "LocalHost.:9466", "a.localhost:9466"]
        {
            assert_eq!(refusal("127.0.0.1:9466", &[host]), None, "{host}");
            assert_eq!(refusal("[::1]:9466", &[host]), None, "{host}");
        }
        for host in [
            "",
            ":9466",
            "evil.example:9466",
            "localhost.evil.example:9466",
            "evillocalhost:9466",
            "127.0.0.1.evil.example:9466",
            "user@localhost:9466",
            "192.0.2.1:9466",
            "0.0.0.0:9466",
            "[::]:9466",
            "127.0.0.1",
            "localhost:80",
            "localhost:",
            "localhost:94660",
            "[::1]",
            "localhost:9466, evil.example",
        ] {
            assert_eq!(refusal("127.0.0.1:9466", &[host]), Some(StatusCode::MISDIRECTED_REQUEST), "{host}");
        }
        for host in ["127.0.0.1", "[::1]", "localhost"] {
            assert_eq!(refusal("127.0.0.1:80", &[host]), None, "{host}: the port of http need not be named");
        }
    }

    #[test]
    fn a_request_says_once_for_whom_it_is() {
        let names = Names::at(Some("127.0.0.1:9466".parse().expect("an address")));
        let told = |version, target, hosts: &[&str]| names.refusal(&asked(version, target, hosts));
        let (own, other) = ("localhost:9466", "evil.example:9466");
        assert_eq!(told(Version::HTTP_11, "/", &[]), Some(StatusCode::BAD_REQUEST));
        assert_eq!(told(Version::HTTP_11, "/", &[own, own]), Some(StatusCode::BAD_REQUEST));
        assert_eq!(told(Version::HTTP_10, "/", &[]), None, "there was no `Host` then");
        assert_eq!(told(Version::HTTP_10, "/", &[other]), Some(StatusCode::MISDIRECTED_REQUEST));
        let absolute = format!("http://{other}/metrics");
        assert_eq!(told(Version::HTTP_11, &absolute, &[own]), Some(StatusCode::MISDIRECTED_REQUEST));
    }

    #[test]
    fn where_others_may_ask_they_say_what_they_like() {
        for listen in ["0.0.0.0:9466", "192.0.2.1:9466", "[::]:9466"] {
            assert_eq!(refusal(listen, &["ferry.example"]), None, "{listen}");
        }
        assert_eq!(Names::at(None).refusal(&asked(Version::HTTP_11, "/", &["a"])), None);
    }
}
