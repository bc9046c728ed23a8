//! Owns `alertferry prune`.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use super::output::Format;
use super::portions::{Portion, each_portion};
use super::prune_shown::{Ages, Outcome};
use super::select::tenant_called;
use super::{Exit, Problem, select, traces};
use crate::clock::Clock;
use crate::domain::Ticks;
use crate::settings::{RetentionSettings, SEVERITIES, Settings, comes_back, parse_span};
use crate::store::{Care, PruneRules, Reading};
use indicatif::{ProgressBar, ProgressStyle};

/// The command line of `prune`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only show what would go.
    #[arg(long)]
    dry_run: bool,
    /// What was last updated so long ago may go, for example 730d; without it, [retention] of the configuration holds.
    #[arg(long, value_parser = parse_span, value_name = "AGE")]
    older_than: Option<Duration>,
    /// Only alerts of this severity: High, Medium, Low, Informational or UnSpecified; may be given several times.
    #[arg(long, value_parser = severity, value_name = "SEVERITY", requires = "older_than")]
    severity: Vec<String>,
    /// Only alerts of this tenant, by id or name; may be given several times.
    #[arg(long, value_name = "TENANT")]
    tenant: Vec<String>,
    /// Also alerts that are not resolved.
    #[arg(long)]
    include_open: bool,
    /// Do not wait for this follower of the changes, which may be gone for good; may be given several times.
    #[arg(long, value_name = "NAME")]
    past_cursor: Vec<String>,
    /// Write the file anew afterwards, without free space and traces of what is gone; only while no daemon has the store.
    #[arg(long, conflicts_with = "dry_run")]
    vacuum: bool,
    /// How to show what went.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(config: &Path, arguments: &Arguments) -> Result<Exit, Problem> {
    let settings = Settings::load_by_hand(config)?;
    let ages = ages(&settings, arguments)?;
    let path = select::there(settings.store.path.clone())?;
    let reading = Reading::open(&path)?;
    let tenants = arguments.tenant.iter().map(|name| tenant_called(&reading, name)).collect::<Result<_, _>>()?;
    let rules = PruneRules {
        tenants,
        look_back: settings.poll.look_back(),
        unawaited: arguments.past_cursor.clone(),
        ..rules(&ages, Clock::System.now())
    };
    if arguments.dry_run {
        let would = Outcome { pruned: reading.prunable(rules)?, finished: true, room: None };
        would.show(&ages, arguments.format)?;
        return Ok(Exit::Done);
    }
    drop(reading);
    let mut care = if arguments.vacuum { Care::open_alone(&path)? } else { Care::open(&path)? };
    let mut outcome = take_out(&mut care, rules)?;
    care.optimize()?;
    if arguments.vacuum && outcome.finished {
        let before = "what may go is taken out, but traces of it are left in the file:";
        traces::clear(&mut care).map_err(|problem| problem.after(before))?;
    }
    outcome.room = Some(care.room()?);
    outcome.show(&ages, arguments.format)?;
    Ok(if outcome.finished { Exit::Done } else { Exit::Temporary })
}

/// A severity as rules have it.
fn severity(text: &str) -> Result<String, String> {
    let known = SEVERITIES.into_iter().find(|severity| severity.eq_ignore_ascii_case(text));
    known.map(str::to_owned).ok_or_else(|| format!("`{text}` is no severity; use one of {}", SEVERITIES.join(", ")))
}

/// How long alerts are kept, by the command line or by the configuration.
fn ages(settings: &Settings, arguments: &Arguments) -> Result<Ages, Problem> {
    let RetentionSettings { by_severity, default, open } = &settings.retention;
    let Some(age) = arguments.older_than else {
        if !settings.retention.is_set() && !arguments.vacuum {
            let message = "nothing says what may go: write ages into [retention] of the configuration, or give \
                           --older-than";
            return Err(Problem::new(Exit::Usage, message));
        }
        let by_severity = by_severity.iter().map(|(severity, age)| ((*severity).to_owned(), *age)).collect();
        return Ok(Ages { by_severity, otherwise: *default, open: *open || arguments.include_open });
    };
    if let Some(message) = comes_back(age, &settings.poll) {
        return Err(Problem::new(Exit::Usage, format!("--older-than: {message}")));
    }
    let chosen = |severity: &str| arguments.severity.is_empty() || arguments.severity.iter().any(|one| one == severity);
    let by_severity = SEVERITIES.map(|severity| (severity.to_owned(), chosen(severity).then_some(age)));
    let otherwise = arguments.severity.is_empty().then_some(age);
    Ok(Ages { by_severity: by_severity.into(), otherwise, open: arguments.include_open })
}

/// What may go now, of all tenants.
fn rules(ages: &Ages, now: Ticks) -> PruneRules {
    let before = |age: Option<Duration>| age.map(|age| now.minus(age));
    PruneRules {
        before: ages.by_severity.iter().map(|(severity, age)| (severity.clone(), before(*age))).collect(),
        otherwise: before(ages.otherwise),
        open: ages.open,
        ..PruneRules::default()
    }
}

fn take_out(care: &mut Care, rules: PruneRules) -> Result<Outcome, Problem> {
    let mut walk = care.prune_by(rules)?;
    let bar = progress_bar(walk.tenants_left());
    let mut gone = 0;
    let finished = each_portion(|| {
        let Some(more) = care.prune_some(&mut walk)? else { return Ok(Portion::Last) };
        gone += more;
        bar.set_message(format!("{gone} alerts taken out"));
        bar.set_position(bar.length().unwrap_or(0).saturating_sub(walk.tenants_left() as u64));
        Ok(if more > 0 { Portion::Written } else { Portion::Passed })
    })?;
    bar.finish_and_clear();
    Ok(Outcome { pruned: walk.done().clone(), finished, room: None })
}

fn progress_bar(tenants: usize) -> ProgressBar {
    // Drawn on standard error, and only where that is a terminal.
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(tenants as u64) } else { ProgressBar::hidden() };
    bar.set_length(tenants as u64);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} tenants  {elapsed}  {wide_msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
