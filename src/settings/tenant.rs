//! Owns the tenants: `[[tenant]]` tables and CSV rows to checked tenants with everything resolved.

use std::collections::HashMap;

use super::address::Service;
use super::app::{AppFacts, Apps, override_url};
use super::report::{At, Found, Report};
use super::suggest;
use super::table::{Table, printable};
use crate::domain::{Cloud, Region, Tenant, TenantId};

/// Reads all tenants; each id may be there once.
pub(super) fn read_all(tables: &[Table], apps: &Apps, report: &mut Report) -> Vec<Tenant> {
    let mut first_seen: HashMap<TenantId, At> = HashMap::with_capacity(tables.len());
    let mut tenants = Vec::with_capacity(tables.len());
    for table in tables {
        let id = id(table, report);
        if let Some(id) = &id {
            match first_seen.get(&id.value) {
                Some(earlier) => {
                    let message = format!("the tenant {} is already there, at {}", id.value, report.name(earlier));
                    report.error(&id.at, table.path_of("id"), message).help("remove one of the two");
                }
                None => drop(first_seen.insert(id.value, id.at.clone())),
            }
        }
        tenants.extend(read(table, id.map(|id| id.value), apps, report));
    }
    tenants
}

fn id(table: &Table, report: &mut Report) -> Option<Found<TenantId>> {
    let found = table.required("id", report)?;
    match TenantId::parse(&found.value) {
        Ok(id) => Some(Found { value: id, at: found.at }),
        Err(bad) => {
            report.error(&found.at, table.path_of("id"), bad.to_string());
            None
        }
    }
}

fn read(table: &Table, id: Option<TenantId>, apps: &Apps, report: &mut Report) -> Option<Tenant> {
    let app = app(table, apps, report);
    let name = match table.values.contains_key("name") {
        true => table.parsed("name", report, printable).map(|found| found.value),
        false => id.map(|id| id.to_string()),
    };
    let tags = tags(table, report);
    let enabled = match table.values.contains_key("enabled") {
        true => table.boolean("enabled", report),
        false => Some(true),
    };
    let region = match table.values.contains_key("region") {
        true => table.parsed("region", report, str::parse::<Region>),
        false => Some(Found { value: Region::Global, at: table.at.clone() }),
    };
    let facts = app.as_ref().map(|(_, facts)| *facts);
    let login_url = login_url(table, facts, report);
    let api_url = api_url(table, facts, region.as_ref(), report);
    Some(Tenant {
        id: id?,
        name: name.map(|name| if name.is_empty() { id.map_or(name, |id| id.to_string()) } else { name })?,
        app: app?.0,
        region: region?.value,
        login_url: login_url?,
        api_url: api_url?,
        tags: tags?,
        enabled: enabled?,
    })
}

/// The app that signs in for the tenant: the one it names, or the only one there is.
fn app<'a>(table: &Table, apps: &'a Apps, report: &mut Report) -> Option<(String, &'a AppFacts)> {
    if apps.facts.is_empty() {
        // Said once, for the whole configuration.
        return None;
    }
    let Some(found) = table.text("app") else {
        if let (1, Some((name, facts))) = (apps.facts.len(), apps.facts.first_key_value()) {
            return Some((name.clone(), facts));
        }
        if !table.values.contains_key("app") {
            let message = format!("`app` is missing; there are several: {}", names(apps));
            report.error(&table.at, table.path_of("app"), message);
        }
        return None;
    };
    let facts = apps.facts.get(&found.value);
    if facts.is_none() {
        let message = format!("there is no [app.{}]; there are: {}", found.value.escape_debug(), names(apps));
        let meant = suggest::nearest(&found.value, apps.facts.keys().map(String::as_str));
        let problem = report.error(&found.at, table.path_of("app"), message);
        if let Some(meant) = meant {
            problem.help(format!("did you mean `{meant}`?"));
        }
    }
    Some((found.value, facts?))
}

fn names(apps: &Apps) -> String {
    apps.facts.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn tags(table: &Table, report: &mut Report) -> Option<Vec<String>> {
    let found = table.texts("tags");
    let mut tags = Vec::with_capacity(found.len());
    for tag in &found {
        match printable(&tag.value) {
            Ok(tag) => tags.push(tag),
            Err(message) => drop(report.error(&tag.at, table.path_of("tags"), message)),
        }
    }
    (tags.len() == found.len()).then_some(tags)
}

fn login_url(table: &Table, facts: Option<&AppFacts>, report: &mut Report) -> Option<String> {
    let facts = facts?;
    let own = override_url(table, Service::Login, facts.cloud, facts.allow_custom_hosts, report)?;
    let inherited = facts.login_url.clone()?;
    own.or(inherited).or_else(|| facts.cloud.map(|cloud| cloud.login_url().to_owned()))
}

fn api_url(
    table: &Table,
    facts: Option<&AppFacts>,
    region: Option<&Found<Region>>,
    report: &mut Report,
) -> Option<String> {
    let facts = facts?;
    let own = override_url(table, Service::Api, facts.cloud, facts.allow_custom_hosts, report);
    let regional = regional_url(table, facts.cloud?, region?, report);
    let inherited = facts.api_url.clone()?;
    own?.or(inherited).or_else(|| regional.map(str::to_owned)).filter(|_| regional.is_some())
}

fn regional_url(table: &Table, cloud: Cloud, region: &Found<Region>, report: &mut Report) -> Option<&'static str> {
    let url = cloud.api_url(region.value);
    if url.is_none() {
        let has = Region::ALL.iter().filter(|region| cloud.api_url(**region).is_some());
        let list = has.map(|region| region.name()).collect::<Vec<_>>().join(", ");
        let message = format!("the {cloud} cloud has no region `{}`; it has: {list}", region.value);
        report.error(&region.at, table.path_of("region"), message);
    }
    url
}
