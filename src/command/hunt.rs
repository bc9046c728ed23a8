//! Owns `alertferry hunt`.

use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::visible;
use super::rows::{RowFormat, Shape, show};
use super::{Exit, Problem, given, moment, number, select};
use crate::domain::{Indicator, ObservableKind, Ticks};
use crate::store::{Hunt, HuntRows, Hunted, Reading, Sent, TenantFilter};

/// The command line of `hunt`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What a value may name is told by its shape, and every kind that fits is looked up. A * at the end means everything that \
begins so; a domain finds the names below it; a path is looked for by its file's name. hxxp://, [.], (.), [:] and [@] \
are put right.")]
pub(super) struct Arguments {
    /// Hashes, addresses, URLs, domains, file names, accounts, user principal names, SIDs, object ids of users, devices.
    #[arg(value_name = "VALUE", required_unless_present = "file")]
    values: Vec<String>,
    /// Values one a line; - takes them from standard input. Blank lines and those that begin with # are left out.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Take all values for this: sha1, sha256, ip, url, domain, file, account, upn, sid, user or device.
    #[arg(long = "type", value_parser = kind_called, value_name = "KIND")]
    kind: Option<ObservableKind>,
    /// Only at this tenant, by id or name; may be given several times.
    #[arg(long, value_name = "TENANT")]
    tenant: Vec<String>,
    /// Only in alerts updated at this time (2026-11-23T10:15:30Z, 2026-11-23) or later; 24h or 7d mean so long ago.
    #[arg(long, value_parser = moment::parse, allow_hyphen_values = true, value_name = "TIME")]
    since: Option<Ticks>,
    /// Show the alerts instead of a row for each value and tenant.
    #[arg(long)]
    alerts: bool,
    /// With --alerts: show at most so many of each value and kind, those updated last; 0 means no limit; 1000 unless told.
    #[arg(long, requires = "alerts", value_parser = number::parse::<u64>, allow_negative_numbers = true, value_name = "ROWS")]
    limit: Option<u64>,
    #[command(flatten)]
    shape: Shape,
}

/// What tables of alerts have room for; the other formats have every column.
const BRIEF: [&str; 9] = [
    "value",
    "kind",
    "tenant_name",
    "severity",
    "status",
    "title",
    "computer_dns_name",
    "last_update_time",
    "alert_id",
];
/// What tables of tenants have room for.
const BRIEF_TENANTS: [&str; 7] = ["value", "kind", "tenant_name", "alerts", "devices", "first_seen", "last_seen"];
/// So many alerts of a value are shown unless told.
const MOST_ALERTS: u64 = 1_000;
/// The largest file of values.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// With more values than this, progress is shown.
const MANY: usize = 200;
/// So many values are named in a note.
const MOST_NAMED: usize = 10;

pub(super) fn run(config: &Path, arguments: &Arguments) -> Result<Exit, Problem> {
    let indicators = indicators(arguments)?;
    let store = Reading::open(&select::store(config)?)?;
    let table = arguments.shape.format == RowFormat::Table;
    let limit = arguments.limit.unwrap_or(MOST_ALERTS);
    let hunt = Hunt {
        tenants: TenantFilter { ids: select::tenants_called(&store, &arguments.tenant)?, tags: Vec::new() },
        since: arguments.since,
        rows: match arguments.alerts {
            true => HuntRows::Alerts { limit },
            false => HuntRows::Tenants { missing: !table },
        },
    };
    let brief: &[&str] = if arguments.alerts { &BRIEF } else { &BRIEF_TENANTS };
    let bar = progress_bar(indicators.len(), table);
    let mut hunted = Hunted::default();
    show(arguments.shape, brief, |sink| {
        hunted = store.hunt(&indicators, &hunt, sink, || bar.inc(1))?;
        bar.finish_and_clear();
        Ok(Sent { rows: 0, cut: false })
    })?;
    let named = |places: &[usize]| -> Vec<&Indicator> { places.iter().filter_map(|at| indicators.get(*at)).collect() };
    if table || arguments.alerts {
        tell("not found", &named(&hunted.missing));
    }
    tell(&format!("there are more than {limit} alerts (`--limit 0` shows all) of"), &named(&hunted.cut));
    Ok(Exit::Done)
}

fn kind_called(name: &str) -> Result<ObservableKind, String> {
    let kind = ObservableKind::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name));
    kind.ok_or_else(|| format!("it is none of {}", ObservableKind::ALL.map(ObservableKind::name).join(", ")))
}

/// What is hunted for, each once.
fn indicators(arguments: &Arguments) -> Result<Vec<Indicator>, Problem> {
    let usage = |message: String| Problem::new(Exit::Usage, message);
    let mut found = Vec::new();
    for value in &arguments.values {
        found.push(Indicator::of(value, arguments.kind).map_err(|error| usage(error.to_string()))?);
    }
    if let Some(path) = &arguments.file {
        let (text, place) = given::text(path, MOST_BYTES)?;
        for (number, line) in values_in(&text) {
            let read = Indicator::of(line, arguments.kind);
            found.push(read.map_err(|error| usage(format!("line {number} of {place}: {error}")))?);
        }
        if found.is_empty() {
            return Err(usage(format!("{place} holds no values: one a line is meant, and lines with # are left out")));
        }
    }
    let mut seen = HashSet::new();
    found.retain(|indicator| seen.insert((indicator.forms.clone(), indicator.open)));
    Ok(found)
}

/// The lines that hold a value, each with its number.
fn values_in(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    lines.enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).map(|(at, line)| (at + 1, line))
}

/// Drawn on standard error where that is a terminal, when there are many values, and when no rows come in between.
fn progress_bar(values: usize, table: bool) -> ProgressBar {
    if values <= MANY || !table && io::stdout().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(values as u64), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} values  {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Says something of these values on standard error, if there are any; of many only the first are named.
fn tell(what: &str, values: &[&Indicator]) {
    if values.is_empty() {
        return;
    }
    let named: Vec<String> = values.iter().take(MOST_NAMED).map(|indicator| visible(&indicator.text)).collect();
    let more = values.len().saturating_sub(MOST_NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    drop(writeln!(io::stderr(), "alertferry: {what}: {}{rest}", named.join(", ")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_values_are_told_from_others() {
        let text = "\u{feff}# hashes\r\n\r\n  a  \r\n#b\nc";
        assert_eq!(values_in(text).collect::<Vec<_>>(), [(3, "a"), (5, "c")]);
        assert_eq!(values_in("").count(), 0);
    }
}
