//! Owns `alertferry check`: each step from the configuration to a tenant's alerts, and what to do where one fails.

mod credentials;
mod finding;
mod local;
mod network;

use std::path::Path;

use super::output::{Format, print, print_json, runtime};
use super::{Exit, Problem, select, sync};
use crate::domain::Tenant;
use crate::settings::Settings;

/// The command line of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only this tenant, by id or name; may be given several times.
    #[arg(long, value_name = "TENANT")]
    tenant: Vec<String>,
    /// Leave out everything that needs the network.
    #[arg(long)]
    offline: bool,
    /// How to show it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(config: &Path, arguments: &Arguments) -> Result<Exit, Problem> {
    let settings = Settings::load_by_hand(config)?;
    let only = select::tenants(&settings.tenants, &arguments.tenant)?;
    let mut findings = local::findings(&settings);
    if !arguments.offline {
        let wanted = |tenant: &&Tenant| tenant.enabled && (only.is_empty() || only.contains(&tenant.id));
        let tenants: Vec<Tenant> = settings.tenants.iter().filter(wanted).cloned().collect();
        let bar = sync::progress_bar(tenants.len());
        let found = runtime()?.block_on(network::findings(&settings, &tenants, &bar));
        bar.finish_and_clear();
        findings.extend(found?);
    }
    match arguments.format {
        Format::Json => print_json(&findings)?,
        Format::Table => print(&finding::shown(&findings))?,
    }
    Ok(finding::exit(&findings))
}
