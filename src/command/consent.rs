//! Owns `alertferry consent`: the links with which a customer's administrator lets an app registration in.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::output::{Format, print, print_json, visible};
use super::{Exit, Problem, select};
use crate::domain::{Tenant, TenantId};
use crate::entra::{App, consent_url, partner_consent_url};
use crate::settings::{Addition, NewTenant, Settings};

/// The command line of `consent`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The customer: a configured tenant by id or name, or the id of one that is not configured yet.
    #[arg(value_name = "TENANT")]
    tenant: String,
    /// The app registration to be let in. The default is the tenant's; of a tenant that is not configured, all.
    #[arg(long, value_name = "APP")]
    app: Option<String>,
    /// How to show it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The links for one app registration.
#[derive(Serialize)]
struct Links {
    tenant_id: String,
    name: String,
    app: String,
    client_id: String,
    /// Of the v2 endpoint, for this tenant alone.
    admin_consent: String,
    /// The older form of Microsoft's guide for partners, for whichever tenant the administrator belongs to.
    partner_consent: String,
}

pub(super) fn run(config: &Path, arguments: &Arguments) -> Result<Exit, Problem> {
    let links = tenants(config, arguments)?
        .into_iter()
        .map(|(settings, tenant)| of(&settings, &tenant))
        .collect::<Result<Vec<Links>, Problem>>()?;
    match arguments.format {
        Format::Json => print_json(&links)?,
        Format::Table => print(&links.iter().map(shown).collect::<Vec<_>>().join("\n\n"))?,
    }
    Ok(Exit::Done)
}

/// The tenant with each app registration that it is to let in.
fn tenants(config: &Path, arguments: &Arguments) -> Result<Vec<(Settings, Tenant)>, Problem> {
    let (id, app) = (TenantId::parse(&arguments.tenant).ok(), arguments.app.as_deref());
    let settings = match (Settings::load_by_hand(config), id) {
        (Ok(settings), _) => settings,
        // The first customer is asked before there is a tenant in the configuration.
        (Err(_), Some(id)) => return Ok(vec![not_configured(config, id, app)?]),
        (Err(errors), None) => return Err(errors.into()),
    };
    if let Some(app) = app {
        known(&settings, app)?;
    }
    match id.filter(|id| settings.tenants.iter().all(|tenant| tenant.id != *id)) {
        Some(id) => {
            let apps = settings.apps.iter().map(|app| app.name.as_str());
            apps.filter(|name| app.is_none_or(|app| app == *name))
                .map(|app| not_configured(config, id, Some(app)))
                .collect()
        }
        None => {
            let found = select::tenants(&settings.tenants, std::slice::from_ref(&arguments.tenant))?;
            let mut chosen: Vec<Tenant> = settings.tenants.clone();
            chosen.retain(|tenant| found.contains(&tenant.id));
            for tenant in &mut chosen {
                tenant.app = app.unwrap_or(&tenant.app).to_owned();
            }
            Ok(chosen.into_iter().map(|tenant| (settings.clone(), tenant)).collect())
        }
    }
}

fn known<'a>(settings: &'a Settings, name: &str) -> Result<&'a App, Problem> {
    settings.apps.iter().find(|app| app.name == name).ok_or_else(|| {
        let names: Vec<&str> = settings.apps.iter().map(|app| app.name.as_str()).collect();
        Problem::new(Exit::Usage, format!("there is no [app.{name}]; there are: {}", names.join(", ")))
    })
}

/// A tenant as it would be, were it configured with this app, or with the only one.
fn not_configured(config: &Path, id: TenantId, app: Option<&str>) -> Result<(Settings, Tenant), Problem> {
    let tenant = NewTenant { id: id.as_str(), app, ..NewTenant::default() };
    let settings =
        Settings::load_with_addition(config, &Addition { path: PathBuf::from("TENANT"), text: tenant.text() })?;
    let tenant = settings.tenants.iter().find(|tenant| tenant.id == id).cloned();
    let tenant = tenant.ok_or_else(|| Problem::new(Exit::Internal, "the tenant was not taken in"))?;
    Ok((settings, tenant))
}

fn of(settings: &Settings, tenant: &Tenant) -> Result<Links, Problem> {
    let app = known(settings, &tenant.app)?;
    Ok(Links {
        tenant_id: tenant.id.to_string(),
        name: tenant.name.clone(),
        app: app.name.clone(),
        client_id: app.client_id.clone(),
        admin_consent: consent_url(app, tenant),
        partner_consent: partner_consent_url(app, tenant),
    })
}

/// Each link on a line of its own, so that it can be taken whole.
fn shown(links: &Links) -> String {
    let name = if links.name == links.tenant_id { String::new() } else { format!("{} ", visible(&links.name)) };
    format!(
        "{name}{}, app {} ({})\n\
         An administrator of the customer opens this link and accepts:\n{}\n\
         The older form of Microsoft's guide for partners; it does not say which tenant agreed:\n{}\n\
         What counts is that the address at the end has no `error=`; the proof is `alertferry check`.",
        links.tenant_id,
        visible(&links.app),
        links.client_id,
        links.admin_consent,
        links.partner_consent
    )
}
