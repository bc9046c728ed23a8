//! Owns the sections `[app.NAME]`: who signs in, with what, and where.

use std::collections::BTreeMap;

use super::address::{self, Service};
use super::credentials;
use super::environment::Environment;
use super::report::{At, Found, Report};
use super::table::{Table, printable};
use crate::domain::{Cloud, TenantId};
use crate::entra::{App, Endpoint};

/// What tenants need to know of their app, as far as it could be read.
#[derive(Debug)]
pub(super) struct AppFacts {
    pub(super) cloud: Option<Cloud>,
    pub(super) allow_custom_hosts: bool,
    /// The override for its tenants; outer `None` when it was wrong.
    pub(super) login_url: Option<Option<String>>,
    /// The override for its tenants; outer `None` when it was wrong.
    pub(super) api_url: Option<Option<String>>,
}

/// All apps: those that are whole, and what is known of each.
#[derive(Debug, Default)]
pub(super) struct Apps {
    pub(super) whole: Vec<App>,
    pub(super) facts: BTreeMap<String, AppFacts>,
}

impl Apps {
    pub(super) fn read(sections: BTreeMap<String, Table>, environment: &Environment, report: &mut Report) -> Self {
        let mut apps = Self::default();
        for (name, section) in sections {
            let mut reading = Reading { section: &section, environment, report };
            let facts = reading.facts();
            apps.whole.extend(reading.app(&name, facts.cloud));
            apps.facts.insert(name, facts);
        }
        apps
    }
}

struct Reading<'a> {
    section: &'a Table,
    environment: &'a Environment,
    report: &'a mut Report,
}

impl Reading<'_> {
    fn facts(&mut self) -> AppFacts {
        let cloud = if self.section.values.contains_key("cloud") {
            self.section.parsed("cloud", self.report, str::parse::<Cloud>).map(|found| found.value)
        } else {
            Some(Cloud::Commercial)
        };
        let allow_custom_hosts = self.section.boolean("allow_custom_hosts", self.report).unwrap_or(false);
        AppFacts {
            cloud,
            allow_custom_hosts,
            login_url: override_url(self.section, Service::Login, cloud, allow_custom_hosts, self.report),
            api_url: override_url(self.section, Service::Api, cloud, allow_custom_hosts, self.report),
        }
    }

    fn app(&mut self, name: &str, cloud: Option<Cloud>) -> Option<App> {
        let named = printable(name).ok().filter(|printed| !printed.is_empty());
        if named.is_none() {
            self.report.error(&self.section.at, "app", "an app needs a printable name of at most 200 characters");
        }
        let client_id = self.client_id();
        let endpoint = if self.section.values.contains_key("token_endpoint") {
            let found = self.section.parsed("token_endpoint", self.report, |text| match text {
                "v1" => Ok(Endpoint::V1),
                "v2" => Ok(Endpoint::V2),
                _ => Err(format!("`{text}` is no token endpoint; use v2 (the default) or v1")),
            });
            found.map(|found| found.value)
        } else {
            Some(Endpoint::V2)
        };
        let audience = match self.section.values.contains_key("audience") {
            true => self.section.parsed("audience", self.report, audience).map(|found| found.value),
            false => cloud.map(|cloud| cloud.audience().to_owned()),
        };
        let credentials = credentials::read(self.section, self.environment, self.report);
        Some(App {
            name: named?,
            client_id: client_id?,
            audience: audience?,
            endpoint: endpoint?,
            credentials: credentials?,
        })
    }

    /// The client id, never shown when it is none: a secret pasted into the wrong line is no GUID either.
    fn client_id(&mut self) -> Option<String> {
        let found = self.section.required("client_id", self.report)?;
        if let Ok(id) = TenantId::parse(&found.value) {
            return Some(id.to_string());
        }
        self.report.hide(&found.at);
        self.report
            .error(&found.at, self.section.path_of("client_id"), "this is not a GUID")
            .help("write the `Application (client) ID` of the app registration's overview page");
        None
    }
}

/// The address at `login_url` or `api_url` of an app or a tenant: `Some(None)` when it is not overridden, `None` when
/// it is wrong (reported) or cannot be judged.
pub(super) fn override_url(
    table: &Table,
    service: Service,
    cloud: Option<Cloud>,
    allow_custom: bool,
    report: &mut Report,
) -> Option<Option<String>> {
    let key = match service {
        Service::Login => "login_url",
        Service::Api => "api_url",
    };
    if !table.values.contains_key(key) {
        return Some(None);
    }
    let cloud = cloud?;
    let Found { value, at } = table.text(key)?;
    match address::check(&value, service, cloud, allow_custom) {
        Ok(address) => Some(Some(address)),
        Err(message) => {
            hide_user_part(&value, &at, report);
            let custom = address::check(&value, service, cloud, true).is_ok();
            let problem = report.error(&at, table.path_of(key), message);
            if custom {
                problem.help("if it is a proxy of your own, set allow_custom_hosts = true on the app");
            }
            None
        }
    }
}

/// An address with a user part may hold a password.
fn hide_user_part(text: &str, at: &At, report: &mut Report) {
    if text.contains('@') {
        report.hide(at);
    }
}

fn audience(text: &str) -> Result<String, String> {
    if text.is_empty() || text.chars().any(|char| char.is_whitespace() || char.is_control()) {
        return Err("an audience is an address or an id without spaces".to_owned());
    }
    match text.strip_suffix("/.default") {
        Some(bare) => Err(format!("write the audience without `/.default`: {bare}")),
        None => Ok(text.to_owned()),
    }
}
