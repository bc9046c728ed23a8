//! Owns `alertferry status`.

use std::path::Path;

use super::output::{Format, WithReasons, cell, coloured, print, print_json};
use super::{Exit, Problem, select};
use crate::pass::SKEW_WORTH_TELLING;
use crate::settings::Settings;
use crate::store::{self, Report, TenantReport};

/// The command line of `status`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only this tenant, by id or name; may be given several times.
    #[arg(long, value_name = "TENANT")]
    tenant: Vec<String>,
    /// How to show it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(config: &Path, arguments: &Arguments) -> Result<Exit, Problem> {
    let settings = Settings::load_by_hand(config)?;
    let mut report = store::read_report(&select::there(settings.store.path)?)?;
    let fits = |name: &str, tenant: &TenantReport| {
        name.eq_ignore_ascii_case(&tenant.tenant_id) || name.eq_ignore_ascii_case(&tenant.name)
    };
    if let Some(unknown) = arguments.tenant.iter().find(|name| !report.tenants.iter().any(|one| fits(name, one))) {
        let message = format!("no tenant in the store is called `{unknown}`; `alertferry status` lists names and ids");
        return Err(Problem::new(Exit::Usage, message));
    }
    let named = |tenant: &TenantReport| arguments.tenant.iter().any(|name| fits(name, tenant));
    report.tenants.retain(|tenant| arguments.tenant.is_empty() || named(tenant));
    match arguments.format {
        Format::Json => print_json(&report)?,
        Format::Table => print(&shown(&report))?,
    }
    Ok(Exit::Done)
}

/// A line a tenant and a sum, as wide as the terminal.
#[must_use]
pub fn shown(report: &Report) -> String {
    let mut rows = WithReasons::new(&["tenant", "state", "lag", "last success", "alerts", "gaps", "set aside"]);
    for tenant in &report.tenants {
        let cells = vec![
            coloured(&tenant.state, tenant.state == "ok"),
            cell(tenant.lag_seconds.map_or_else(|| "–".to_owned(), lag)),
            cell(tenant.last_success_at.as_deref().map_or("never", |time| time.get(..19).unwrap_or(time))),
            cell(tenant.alert_count.to_string()),
            cell(tenant.open_gaps.to_string()),
            cell(tenant.quarantined.to_string()),
        ];
        rows.add(&tenant.name, cells, [tenant.reason.as_deref(), tenant.remedy.as_deref()]);
    }
    let count = |state: &str| report.tenants.iter().filter(|tenant| tenant.state == state).count();
    let alerts: i64 = report.tenants.iter().map(|tenant| tenant.alert_count).sum();
    let clock = clock(report).map_or_else(String::new, |clock| format!("\n{clock}"));
    format!("{rows}\n{} tenants, {} ok; {alerts} alerts{clock}", report.tenants.len(), count("ok"))
}

/// What is wrong with this machine's clock, as the tenants that are read have it: what `clock.skewed` told.
fn clock(report: &Report) -> Option<String> {
    let read = report.tenants.iter().filter(|tenant| tenant.state == "ok");
    let mut skews: Vec<i64> = read.filter_map(|tenant| tenant.clock_skew_ms).map(|skew| skew / 1_000).collect();
    skews.sort_unstable();
    let median = *skews.get(skews.len() / 2)?;
    let way = if median < 0 { "behind" } else { "ahead of" };
    let off = i64::try_from(median.unsigned_abs()).unwrap_or(i64::MAX);
    (off.unsigned_abs() > SKEW_WORTH_TELLING.as_secs())
        .then(|| format!("this machine's clock is {} {way} the service's: synchronise it", lag(off)))
}

/// A duration in the largest unit that leaves at least two of it.
pub(super) fn lag(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{} s", seconds.max(0)),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lags_are_short() {
        assert_eq!(
            [-3, 5, 119, 120, 7_199, 7_200, 172_800].map(lag),
            ["0 s", "5 s", "119 s", "2 min", "119 min", "2 h", "2 d"]
        );
    }
}
