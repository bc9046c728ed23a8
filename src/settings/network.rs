//! Owns the section `[network]`: the way to the services.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use url::Url;

use super::credentials::one_secret;
use super::environment::Environment;
use super::report::{Found, Report};
use super::table::Table;
use crate::http::{Authorities, Network, Proxy};
use crate::secret::Secret;

/// The word that stands for the proxy of the environment.
const ENVIRONMENT: &str = "environment";
/// The largest file of certificates that is read; a whole system's has a quarter of a megabyte.
const MAX_CA_BYTES: u64 = 4 * 1024 * 1024;

/// Reads the section; `None` when something in it is wrong, which is reported.
pub(super) fn read(section: &Table, environment: &Environment, report: &mut Report) -> Option<Network> {
    let authorities = given(section, "ca_file").map(|file| authorities(&file, section, report));
    let proxy = match given(section, "proxy") {
        Some(proxy) => proxy_of(&proxy, section, environment, report),
        None => {
            let idle = section.values.contains_key("proxy_credentials").then_some("proxy_credentials");
            let idle = idle.or_else(|| given(section, "no_proxy").map(|_| "no_proxy"));
            if let Some(key) = idle {
                report.error(&section.at, section.path_of(key), "this says nothing without `proxy`");
            }
            Some(None)
        }
    };
    let authorities = match authorities {
        Some(authorities) => Some(authorities?),
        None => None,
    };
    Some(Network { authorities, proxy: proxy? })
}

/// The text of a key; an empty one is none.
fn given(section: &Table, key: &str) -> Option<Found<String>> {
    section.text(key).filter(|found| !found.value.trim().is_empty())
}

fn authorities(file: &Found<String>, section: &Table, report: &mut Report) -> Option<Authorities> {
    let path = report.directory(&file.at).join(&file.value);
    match read_file(&path).and_then(Authorities::parse) {
        Ok(authorities) => Some(authorities),
        Err(message) => {
            report
                .error(&file.at, section.path_of("ca_file"), format!("{}: {message}", path.display()))
                .help("name a PEM file with the certificates of the authorities that are to be believed");
            None
        }
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| format!("cannot open the file: {error}"))?;
    file.take(MAX_CA_BYTES + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot read the file: {error}"))?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|bytes| bytes <= MAX_CA_BYTES);
    if fits { Ok(bytes) } else { Err(format!("the file is larger than {MAX_CA_BYTES} bytes")) }
}

/// `Some(None)` is the direct way.
fn proxy_of(
    found: &Found<String>,
    section: &Table,
    environment: &Environment,
    report: &mut Report,
) -> Option<Option<Proxy>> {
    let credentials = match section.values.contains_key("proxy_credentials") {
        true => Some(one_secret(section, "proxy_credentials", environment, report)?),
        false => None,
    };
    let mut exceptions = given(section, "no_proxy").map(|found| found.value).unwrap_or_default();
    let (text, named) = if found.value == ENVIRONMENT {
        let Some((name, text)) = variable(environment, ["HTTPS_PROXY", "https_proxy"]) else { return Some(None) };
        if exceptions.is_empty() {
            exceptions = variable(environment, ["NO_PROXY", "no_proxy"]).map(|(_, text)| text).unwrap_or_default();
        }
        let text = if text.contains("://") { text } else { format!("http://{text}") };
        (text, Some(name))
    } else {
        (found.value.clone(), None)
    };
    match address(&text, named.is_some()) {
        Ok((shown, url)) => Some(Some(Proxy { url, shown, credentials, exceptions })),
        Err(message) => {
            if text.contains('@') {
                report.hide(&found.at);
            }
            let message =
                named.map_or_else(|| message.clone(), |name| format!("the environment variable {name}: {message}"));
            report
                .error(&found.at, section.path_of("proxy"), message)
                .help("write it like http://proxy.example:3128; its name:password goes into a file, proxy_credentials = { file = … }");
            None
        }
    }
}

fn variable(environment: &Environment, names: [&'static str; 2]) -> Option<(&'static str, String)> {
    names.into_iter().find_map(|name| Some((name, environment.text(name).ok()?.trim().to_owned())))
}

/// A proxy's address: what may be shown of it, and the whole.
fn address(text: &str, with_user: bool) -> Result<(String, Secret), String> {
    let url = Url::parse(text).map_err(|error| format!("this is no address ({error})"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("a proxy's address begins with http:// or https://".to_owned());
    }
    if !with_user && (text.contains('@') || !url.username().is_empty() || url.password().is_some()) {
        return Err("a proxy's name and password are never written into the configuration itself".to_owned());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("only scheme, host and port of a proxy are given".to_owned());
    }
    Ok((url.origin().ascii_serialization(), Secret::new(url.to_string())))
}
