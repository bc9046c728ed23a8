//! Owns `alertferry check`: each step from the configuration to a tenant's alerts, and what to do where one fails.

mod credentials;

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;

use super::output::{Format, cell, coloured, print, print_json, runtime, table};
use super::{Exit, Problem, select};
use crate::clock::Clock;
use crate::defender::{Defender, Rates};
use crate::domain::{Failure, Tenant};
use crate::entra::Entra;
use crate::http::{Http, Network, Options as HttpOptions};
use crate::settings::Settings;
use crate::store;

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

/// A clock that is further off than this is worth saying.
const SKEW: i64 = 60;

/// What a step found.
#[derive(Debug, Serialize)]
struct Finding {
    subject: String,
    step: &'static str,
    ok: bool,
    detail: String,
    remedy: Option<String>,
    #[serde(skip)]
    exit: Exit,
}

impl Finding {
    fn good(subject: &str, step: &'static str, detail: impl Into<String>) -> Self {
        let (subject, detail) = (subject.to_owned(), detail.into());
        Self { subject, step, ok: true, detail, remedy: None, exit: Exit::Done }
    }

    fn bad(
        subject: &str,
        step: &'static str,
        exit: Exit,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let remedy = Some(remedy.into()).filter(|remedy| !remedy.is_empty());
        Self { subject: subject.to_owned(), step, ok: false, detail: detail.into(), remedy, exit }
    }

    fn failed(subject: &str, step: &'static str, failure: Failure) -> Self {
        Self::bad(subject, step, Exit::Unavailable, failure.reason, failure.remedy)
    }
}

pub(super) fn run(config: &Path, arguments: &Arguments) -> Result<Exit, Problem> {
    let settings = Settings::load(config)?;
    let only = select::tenants(&settings.tenants, &arguments.tenant)?;
    let mut findings = vec![configuration(&settings)];
    findings.extend(network(&settings));
    findings.extend(settings.apps.iter().flat_map(|app| credentials::findings(app, Clock::System.now())));
    findings.push(the_store(&settings));
    if !arguments.offline {
        let wanted = |tenant: &&Tenant| tenant.enabled && (only.is_empty() || only.contains(&tenant.id));
        let tenants: Vec<Tenant> = settings.tenants.iter().filter(wanted).cloned().collect();
        findings.extend(runtime()?.block_on(the_tenants(&settings, tenants))?);
    }
    match arguments.format {
        Format::Json => print_json(&findings)?,
        Format::Table => print(&shown(&findings))?,
    }
    let worst = |exit: Exit| findings.iter().any(|finding| finding.exit == exit);
    let order = [Exit::Config, Exit::Permission, Exit::Data, Exit::Temporary, Exit::Unavailable];
    Ok(order.into_iter().find(|exit| worst(*exit)).unwrap_or(Exit::Done))
}

fn configuration(settings: &Settings) -> Finding {
    let tenants = settings.tenants.iter().filter(|tenant| tenant.enabled).count();
    let next = settings.poll.schedule.upcoming(Clock::System.now(), 1);
    let next = next.first().map_or_else(String::new, |time| format!(", next poll begins {time}"));
    let files = settings.files.len();
    Finding::good(
        "configuration",
        "config",
        format!("{files} file(s), {} app(s), {tenants} tenant(s){next}", settings.apps.len()),
    )
}

/// The way to the services, where it is not the direct one.
fn network(settings: &Settings) -> Option<Finding> {
    let Network { authorities, proxy } = &settings.network;
    let authorities = authorities.as_ref().map(|found| format!("{} authorities beside the system's", found.count()));
    let through = proxy.as_ref().map(|proxy| format!("through {}", proxy.shown));
    let detail: Vec<String> = through.into_iter().chain(authorities).collect();
    if detail.is_empty() {
        return None;
    }
    let options = HttpOptions { loopback_only: settings.loopback_only };
    Some(match Http::through(&options, &settings.network) {
        Ok(_) => Finding::good("network", "network", detail.join("; ")),
        Err(error) => Finding::bad("network", "network", Exit::Config, error.to_string(), "see docs/OPERATIONS.md"),
    })
}

fn the_store(settings: &Settings) -> Finding {
    let path = &settings.store.path;
    let subject = path.display().to_string();
    if path.exists() {
        return match store::read_report(path) {
            Ok(report) => {
                let alerts: i64 = report.tenants.iter().map(|tenant| tenant.alert_count).sum();
                Finding::good(&subject, "store", format!("{alerts} alerts of {} tenants", report.tenants.len()))
            }
            Err(error) => Finding::bad(&subject, "store", Exit::Data, error.to_string(), ""),
        };
    }
    // A file without a directory in its path lies in the current one.
    let directory = path.parent().map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent });
    match directory.map(std::fs::metadata) {
        Some(Ok(directory)) if directory.permissions().readonly() => Finding::bad(
            &subject,
            "store",
            Exit::Permission,
            "its directory may not be written",
            "let the daemon's user own the directory",
        ),
        Some(Ok(_)) => Finding::good(&subject, "store", "does not exist yet; the first run creates it"),
        _ => Finding::bad(
            &subject,
            "store",
            Exit::Config,
            "its directory does not exist",
            "create it, or change `store.path`",
        ),
    }
}

async fn the_tenants(settings: &Settings, tenants: Vec<Tenant>) -> Result<Vec<Finding>, Problem> {
    let http = Http::through(&HttpOptions { loopback_only: settings.loopback_only }, &settings.network)?;
    let entra = Entra::new(http.clone(), Clock::System, settings.apps.clone());
    let defender = Defender::new(http, settings.poll.request_timeout, Rates::default());
    let mut tasks = JoinSet::new();
    let mut findings = Vec::new();
    for tenant in tenants {
        if tasks.len() >= settings.poll.max_concurrent_tenants
            && let Some(Ok(found)) = tasks.join_next().await
        {
            findings.push(found);
        }
        let (entra, defender) = (entra.clone(), defender.clone());
        tasks.spawn(async move { one_tenant(&entra, &defender, &tenant).await });
    }
    while let Some(Ok(found)) = tasks.join_next().await {
        findings.push(found);
    }
    findings.sort_by(|a, b| (a.ok, &a.subject).cmp(&(b.ok, &b.subject)));
    Ok(findings)
}

/// The first step that fails for a tenant, or that none does.
async fn one_tenant(entra: &Entra, defender: &Defender, tenant: &Tenant) -> Finding {
    let subject = &tenant.name;
    let token = match entra.token(tenant).await {
        Ok(token) => token,
        Err(error) => return Finding::failed(subject, "login", error.failure()),
    };
    let look = match defender.look(tenant, &token.bearer).await {
        Ok(look) => look,
        Err(error) => return Finding::failed(subject, "api", error.failure()),
    };
    let skew = Clock::System.now().unix_seconds() - look.date.unix_seconds();
    let latency = Duration::as_millis(&look.latency);
    let detail = format!("role {}; API answered in {latency} ms; clock {skew:+} s", token.roles.join(", "));
    if skew.abs() > SKEW {
        let remedy = "synchronise this machine's clock: tokens and retry times depend on it";
        return Finding::bad(subject, "clock", Exit::Unavailable, detail, remedy);
    }
    Finding::good(subject, "api", detail)
}

fn shown(findings: &[Finding]) -> String {
    let mut rows = table(&["", "what", "step", "found", "what to do"]);
    for finding in findings {
        rows.add_row([
            coloured(if finding.ok { "ok" } else { "FAIL" }, finding.ok),
            cell(&finding.subject),
            cell(finding.step),
            cell(&finding.detail),
            cell(finding.remedy.as_deref().unwrap_or("")),
        ]);
    }
    let failed = findings.iter().filter(|finding| !finding.ok).count();
    let verdict =
        if failed == 0 { "all well".to_owned() } else { format!("{failed} of {} steps fail", findings.len()) };
    format!("{rows}\n{verdict}")
}
