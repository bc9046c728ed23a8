//! Owns the section `[admin]`: where a monitoring system may ask, and how much it is told.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::report::{At, Found, Report};
use super::table::Table;

/// What stands before the path of a socket in the file system.
const UNIX: &str = "unix:";
/// The value that opens nothing.
const OFF: &str = "off";
/// The longest path of a socket: what `sun_path` holds, less its end.
const MOST_SOCKET_PATH: usize = 107;
/// The most tenants that may have series of their own.
const MOST_TENANT_SERIES: u32 = 20_000;

/// `[admin]`: what a monitoring system sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminSettings {
    /// Where it is served; nowhere unless somebody says so.
    pub listen: Option<Listen>,
    /// With more enabled tenants than this, none has series of its own.
    pub tenant_series_limit: usize,
}

/// An address to serve at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A port of this machine.
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
}

impl std::fmt::Display for Listen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

impl AdminSettings {
    pub(super) fn read(section: &Table, report: &mut Report) -> Option<Self> {
        let allow_remote = section.boolean("allow_remote", report);
        let limit = section.number("tenant_series_limit", report, 0, MOST_TENANT_SERIES);
        let Found { value: listen, at } = section.parsed("listen", report, parse)?;
        let listen = match listen {
            Some(Listen::Unix(path)) => Some(socket(&path, &at, section, report)?),
            other => other,
        };
        if let Some(Listen::Tcp(address)) = &listen
            && !address.ip().is_loopback()
            && !allow_remote?
        {
            let message = format!("{} can be reached from other machines", address.ip());
            report.error(&at, section.path_of("listen"), message).help(
                "who asks there is not asked who he is: use 127.0.0.1, [::1] or unix:/PATH with a proxy in front, or \
                 write allow_remote = true",
            );
            return None;
        }
        Some(Self { listen, tenant_series_limit: usize::try_from(limit?).ok()? })
    }
}

fn parse(text: &str) -> Result<Option<Listen>, String> {
    if text == OFF {
        return Ok(None);
    }
    if let Some(path) = text.strip_prefix(UNIX) {
        return if path.is_empty() {
            Err("there is no path after `unix:`".to_owned())
        } else {
            Ok(Some(Listen::Unix(path.into())))
        };
    }
    let address = text.parse().map_err(|_| {
        format!("`{text}` is no address; use one like \"127.0.0.1:9466\", \"[::1]:9466\", \"unix:/PATH\" or \"{OFF}\"")
    });
    address.map(|address| Some(Listen::Tcp(address)))
}

/// A path as it is meant: from the directory of the file it stands in.
fn socket(path: &std::path::Path, at: &At, section: &Table, report: &mut Report) -> Option<Listen> {
    let path = report.directory(at).join(path);
    if path.as_os_str().len() > MOST_SOCKET_PATH {
        let message = format!("the path of a socket has at most {MOST_SOCKET_PATH} bytes");
        report.error(at, section.path_of("listen"), message);
        return None;
    }
    Some(Listen::Unix(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart() {
        assert_eq!(parse("off"), Ok(None));
        assert_eq!(parse("unix:/run/a.sock"), Ok(Some(Listen::Unix("/run/a.sock".into()))));
        for text in ["127.0.0.1:9466", "[::1]:9466"] {
            let listen = parse(text).expect(text).expect("an address");
            assert_eq!(listen.to_string(), text);
        }
        for text in ["", "localhost:9466", "9466", "unix:", "127.0.0.1", "127.0.0.1:99999", "OFF"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
