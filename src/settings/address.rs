//! Owns which hosts a secret or a token may be sent to.

use url::{Host, Url};

use crate::domain::{Cloud, Region};

/// Which service an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Login,
    Api,
}

/// Other names of Microsoft's login service in the commercial cloud.
const LOGIN_ALIASES: [&str; 3] = ["login.windows.net", "login.microsoft.com", "sts.windows.net"];

/// Older names of the alerts API in the commercial cloud that still answer.
const OLD_API_HOSTS: [&str; 9] = [
    "api.securitycenter.microsoft.com",
    "api.securitycenter.windows.com",
    "api-us.securitycenter.microsoft.com",
    "api-eu.securitycenter.microsoft.com",
    "api-uk.securitycenter.microsoft.com",
    "api-au.securitycenter.microsoft.com",
    "api-us.security.microsoft.com",
    "api-eu.security.microsoft.com",
    "api-uk.security.microsoft.com",
];

/// Checks an address from the configuration and returns it without a trailing slash; the error says which rule it breaks.
pub(super) fn check(text: &str, service: Service, cloud: Cloud, allow_custom: bool) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| format!("this is no address like https://host:port ({error})"))?;
    let plain = match url.scheme() {
        "https" => false,
        "http" => true,
        _ => return Err("an address begins with https://".to_owned()),
    };
    if !url.username().is_empty() || url.password().is_some() || text.contains('@') {
        return Err("an address holds no user name or password".to_owned());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("only scheme, host and port are given here; the daemon adds the path".to_owned());
    }
    let Some(host) = url.host() else { return Err("the host is missing".to_owned()) };
    let address = url.origin().ascii_serialization();
    if is_loopback(&host) {
        return Ok(address);
    }
    if plain {
        return Err("plain http is accepted for this machine alone (127.0.0.0/8, [::1], localhost)".to_owned());
    }
    if allow_custom || is_microsofts(&address, service, cloud) {
        return Ok(address);
    }
    Err(format!("{host} is none of Microsoft's hosts for the {cloud} cloud, and would be sent what it must not have"))
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

fn is_microsofts(url: &str, service: Service, cloud: Cloud) -> bool {
    let host = url.strip_prefix("https://").unwrap_or_default();
    let commercial = cloud == Cloud::Commercial;
    match service {
        Service::Login => {
            let has_aliases = commercial || cloud == Cloud::Gcc;
            url == cloud.login_url() || has_aliases && LOGIN_ALIASES.contains(&host)
        }
        Service::Api => {
            let named = Region::ALL.iter().filter_map(|region| cloud.api_url(*region)).any(|known| known == url);
            let gcc_other = cloud == Cloud::Gcc && host == "api-gcc.security.microsoft.us";
            named || gcc_other || commercial && OLD_API_HOSTS.contains(&host)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn try_one(text: &str, service: Service, cloud: Cloud, custom: bool) -> Result<String, String> {
        check(text, service, cloud, custom)
    }

    #[test]
    fn microsofts_hosts_and_this_machine_need_no_leave() {
        use Cloud::{Commercial, Gcc, GccHigh};
        use Service::{Api, Login};
        for (text, service, cloud, url) in [
            ("https://login.microsoftonline.com", Login, Commercial, "https://login.microsoftonline.com"),
            ("https://LOGIN.microsoftonline.com/", Login, Commercial, "https://login.microsoftonline.com"),
            ("https://sts.windows.net", Login, Gcc, "https://sts.windows.net"),
            ("https://login.microsoftonline.us:443", Login, GccHigh, "https://login.microsoftonline.us"),
            (
                "https://api-eu.securitycenter.microsoft.com",
                Api,
                Commercial,
                "https://api-eu.securitycenter.microsoft.com",
            ),
            ("https://swa.api.security.microsoft.com", Api, Commercial, "https://swa.api.security.microsoft.com"),
            ("https://api-gcc.security.microsoft.us", Api, Gcc, "https://api-gcc.security.microsoft.us"),
            ("http://127.0.0.1:8080", Api, Commercial, "http://127.0.0.1:8080"),
            ("http://127.9.9.9", Login, GccHigh, "http://127.9.9.9"),
            ("http://[::1]:80/", Login, GccHigh, "http://[::1]"),
            ("https://localhost:9", Login, Commercial, "https://localhost:9"),
        ] {
            assert_eq!(try_one(text, service, cloud, false), Ok(url.to_owned()), "{text}");
        }
    }

    #[test]
    fn every_region_of_every_cloud_needs_no_leave_there_and_leave_elsewhere() {
        for cloud in Cloud::ALL {
            assert!(try_one(cloud.login_url(), Service::Login, cloud, false).is_ok());
            for url in Region::ALL.into_iter().filter_map(|region| cloud.api_url(region)) {
                assert!(try_one(url, Service::Api, cloud, false).is_ok(), "{cloud} {url}");
                assert!(try_one(url, Service::Login, cloud, false).is_err(), "{cloud} {url}");
                let strange = if cloud == Cloud::Commercial { Cloud::GccHigh } else { Cloud::Commercial };
                assert!(try_one(url, Service::Api, strange, false).is_err(), "{strange} {url}");
            }
        }
    }

    #[test]
    fn other_hosts_need_leave_and_never_get_plain_http() {
        for text in [
            "https://proxy.example",
            "https://login.microsoftonline.com:8443",
            "https://login.microsoftonline.com.evil.example",
            "https://login.microsoftonline.us",
            "https://api.security.microsoft.com",
        ] {
            let error = try_one(text, Service::Login, Cloud::Commercial, false).expect_err(text);
            assert!(error.contains("none of Microsoft's hosts"), "{text}: {error}");
            assert!(try_one(text, Service::Login, Cloud::Commercial, true).is_ok(), "{text}");
        }
        for text in ["http://proxy.example", "http://10.0.0.1", "http://localhost.example", "http://[::ffff:127.0.0.1]"]
        {
            assert!(try_one(text, Service::Api, Cloud::Commercial, true).is_err(), "{text}");
        }
    }

    #[test]
    fn only_scheme_host_and_port_are_taken() {
        for text in [
            "login.microsoftonline.com",
            "ftp://login.microsoftonline.com",
            "https://u:p@login.microsoftonline.com",
            "https://@login.microsoftonline.com",
            "https://login.microsoftonline.com/common",
            "https://login.microsoftonline.com?",
            "https://login.microsoftonline.com/#x",
            "https://",
            "",
        ] {
            assert!(try_one(text, Service::Login, Cloud::Commercial, true).is_err(), "{text}");
        }
    }
}
