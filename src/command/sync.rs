//! Owns `alertferry sync`.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::output::{Format, WithReasons, cell, coloured, print, print_json, runtime, visible};
use super::{Exit, Problem, select};
use crate::clock::Clock;
use crate::daemon::Works;
use crate::domain::TenantState;
use crate::fleet::{SyncEnd, Synced};
use crate::logging::{self, Options};
use crate::secret::keep_new_files_private;
use crate::settings::{self, Settings};
use crate::stop::Stop;

/// The command line of `sync`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only this tenant, by id or name; may be given several times.
    #[arg(long, value_name = "TENANT")]
    tenant: Vec<String>,
    /// How to show the result.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A line of the result.
#[derive(Serialize)]
struct Line {
    tenant_id: String,
    name: String,
    end: &'static str,
    requests: u64,
    created: u64,
    updated: u64,
    unchanged: u64,
    quarantined: u64,
    state: Option<&'static str>,
    reason: Option<String>,
    remedy: Option<String>,
}

pub(super) fn run(config: &Path, arguments: &Arguments) -> Result<Exit, Problem> {
    keep_new_files_private();
    let settings = Settings::load(config)?;
    let only = select::tenants(&settings.tenants, &arguments.tenant)?;
    let terminal = std::io::stderr().is_terminal();
    // The result says what happened to each tenant; on a terminal, log lines would only break the progress bar.
    let level = if terminal { "off" } else { settings.log.level.as_str() };
    let log = Options { level, terminal, colour: settings::colour_allowed(), ..Options::default() };
    logging::init(&log, Box::new(std::io::stderr()))
        .map_err(|error| Problem::new(Exit::Internal, error.to_string()))?;
    let synced = runtime()?.block_on(async {
        let works = Works::build(&settings, Clock::System).await?;
        let stop = Stop::new();
        let tenants = settings.tenants.iter().filter(|tenant| tenant.enabled).count();
        let bar = progress_bar(if only.is_empty() { tenants } else { only.len() });
        let fleet = Arc::clone(&works.fleet);
        let interrupted = async {
            if tokio::signal::ctrl_c().await.is_ok() {
                stop.stop();
            }
            std::future::pending::<std::convert::Infallible>().await
        };
        let synced = tokio::select! {
            synced = fleet.sync(&only, &stop, |synced, done| advance(&bar, synced, done)) => synced,
            never = interrupted => match never {},
        };
        bar.finish_and_clear();
        drop(fleet);
        works.close().await?;
        Ok::<_, Problem>(synced?)
    })?;
    let lines: Vec<Line> = synced.iter().map(line).collect();
    match arguments.format {
        Format::Json => print_json(&lines)?,
        Format::Table => print(&shown(&lines, &settings))?,
    }
    let all_read = synced.iter().all(|tenant| tenant.end == SyncEnd::Read);
    Ok(if all_read { Exit::Done } else { Exit::Temporary })
}

/// A bar that counts tenants; only a terminal shows it.
pub(super) fn progress_bar(tenants: usize) -> ProgressBar {
    // Drawn on standard error, and only where that is a terminal.
    let bar = ProgressBar::with_draw_target(Some(tenants as u64), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} tenants  {elapsed}  {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    // The first tenant may take a minute: it is there before that, and its clock goes on.
    bar.enable_steady_tick(Duration::from_secs(1));
    bar
}

fn advance(bar: &ProgressBar, synced: &Synced, done: bool) {
    let counts = synced.counts;
    bar.set_message(format!("{}: {} new, {} updated", visible(&synced.tenant.name), counts.created, counts.updated));
    bar.inc(u64::from(done));
}

fn line(synced: &Synced) -> Line {
    let last = synced.last.as_ref();
    let waits = synced.asked_until.map(|until| format!("the service is not to be asked before {until}"));
    Line {
        tenant_id: synced.tenant.id.to_string(),
        name: synced.tenant.name.clone(),
        end: match synced.end {
            SyncEnd::Read => "read",
            SyncEnd::Failed => "failed",
            SyncEnd::Stopped => "stopped",
        },
        requests: synced.requests,
        created: synced.counts.created,
        updated: synced.counts.updated,
        unchanged: synced.counts.unchanged,
        quarantined: synced.counts.quarantined,
        state: waits
            .as_ref()
            .map(|_| TenantState::Throttled)
            .or(last.map(|record| record.state))
            .map(TenantState::name),
        reason: waits.or_else(|| last.and_then(|record| record.reason.clone())),
        remedy: last.and_then(|record| record.remedy.clone()),
    }
}

fn shown(lines: &[Line], settings: &Settings) -> String {
    let mut rows = WithReasons::new(&["tenant", "result", "requests", "new", "updated", "known", "set aside"]);
    for line in lines {
        let cells = vec![
            coloured(line.end, line.end == "read"),
            cell(line.requests.to_string()),
            cell(line.created.to_string()),
            cell(line.updated.to_string()),
            cell(line.unchanged.to_string()),
            cell(line.quarantined.to_string()),
        ];
        rows.add(&line.name, cells, [line.reason.as_deref(), line.remedy.as_deref()]);
    }
    let read = lines.iter().filter(|line| line.end == "read").count();
    let store = visible(&settings.store.path.display().to_string());
    format!("{rows}\n{read} of {} tenants read; the store is {store}", lines.len())
}
