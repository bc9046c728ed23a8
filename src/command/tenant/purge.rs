//! Owns `alertferry tenant purge`.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock::Clock;
use crate::command::output::{print, visible};
use crate::command::portions::{Portion, each_portion};
use crate::command::select::tenant_called;
use crate::command::traces::{self, Left};
use crate::command::{Exit, Problem, select};
use crate::settings::Settings;
use crate::store::{Care, Holding, PurgeError, Reading, StoreError, TakenOut, copies_holding};

/// The command line of `tenant purge`.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Arguments {
    /// The tenant, by id or name. It must not be in the configuration any more.
    tenant: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// A pass begins no request after a minute, and ends soon after its last one.
const PASS: Duration = Duration::from_secs(120);

pub(super) fn run(config: &Path, arguments: &Arguments) -> Result<Exit, Problem> {
    let settings = Settings::load_by_hand(config)?;
    let path = select::there(settings.store.path.clone())?;
    let id = tenant_called(&Reading::open(&path)?, &arguments.tenant)?;
    refuse_configured(&settings, &id)?;
    let held = holding(&path, &id)?;
    let copies = copies_holding(&path, &id)?;
    // Whoever would be refused is not asked first. The store is let go while somebody thinks.
    drop(open(&path, &held, &settings)?);
    if !arguments.yes {
        ask(&held, &copies)?;
    }
    // Much may have happened since it was asked.
    let held = holding(&path, &id)?;
    let mut care = open(&path, &held, &settings)?;
    let Some(taken) = take_out(&mut care, &held)? else {
        let message = format!("{} is taken out in part; run the same command again to finish", named(&held));
        return Err(Problem::new(Exit::Temporary, message));
    };
    let left = traces::clear(&mut care).map_err(|problem| problem.after(&unfinished(&held)))?;
    print(&told(&held, taken, left, &copies))?;
    Ok(Exit::Done)
}

/// A tenant of the configuration would be read anew.
fn refuse_configured(settings: &Settings, id: &str) -> Result<(), Problem> {
    if !settings.tenants.iter().any(|tenant| tenant.id.as_str() == id) {
        return Ok(());
    }
    let message = format!(
        "the tenant {id} is still in the configuration, so it would come back; take it out there, reload the daemon \
         (systemctl reload alertferry), and try again"
    );
    Err(Problem::new(Exit::Usage, message))
}

fn holding(path: &Path, id: &str) -> Result<Holding, Problem> {
    let held = Reading::open(path)?.holding(id)?;
    held.ok_or_else(|| Problem::new(Exit::NoInput, format!("the tenant {id} is not in the store any more")))
}

/// Opens the store, alone if no daemon has it; refused while a daemon reads the tenant, or may still do so.
fn open(path: &Path, held: &Holding, settings: &Settings) -> Result<Care, Problem> {
    let care = match Care::open_alone(path) {
        Err(StoreError::InUse { .. }) => Care::open(path)?,
        other => return Ok(other?),
    };
    if held.active {
        let message = format!("{} is read by a running daemon; reload it (systemctl reload alertferry)", named(held));
        return Err(Problem::new(Exit::Temporary, message));
    }
    let (since, longest) = (Clock::System.now().since(held.state_since), PASS + settings.poll.request_timeout * 2);
    if since < longest {
        let seconds = (longest - since).as_secs() + 1;
        let message = format!(
            "the daemon let go of {} only now, and may still be reading it; try again in {seconds} seconds, or stop \
             the daemon first",
            named(held)
        );
        return Err(Problem::new(Exit::Temporary, message));
    }
    Ok(care)
}

/// Shows what will be gone, and goes on only after the tenant's name or id was typed.
fn ask(held: &Holding, copies: &[PathBuf]) -> Result<(), Problem> {
    if !io::stdin().is_terminal() {
        let message = "nobody can be asked here; give --yes to take the tenant out without asking";
        return Err(Problem::new(Exit::Usage, message));
    }
    let mut err = io::stderr();
    let lines = [
        format!("This takes {} out of the store, for good:", named(held)),
        format!("{} alerts with their evidence and {} changes,", held.alerts, held.changes),
        format!("{} alerts set aside, {} recorded passes, all counts and gaps.", held.quarantined, held.passes),
        still_held(copies),
    ];
    let asked = write!(err, "{}\nType its name or id to go on: ", lines.join("\n")).and_then(|()| err.flush());
    let mut answer = String::new();
    asked.and_then(|()| io::stdin().read_line(&mut answer).map(drop)).map_err(|error| {
        Problem::new(Exit::Usage, format!("nobody can be asked here ({error}); nothing was taken out"))
    })?;
    if is_meant(&answer, held) {
        return Ok(());
    }
    Err(Problem::new(Exit::Usage, "that is neither its name nor its id; nothing was taken out"))
}

/// Whether an answer names the tenant.
fn is_meant(answer: &str, held: &Holding) -> bool {
    let answer = answer.trim();
    answer == held.name || answer.eq_ignore_ascii_case(&held.tenant_id)
}

/// Takes the tenant out; nothing when it was interrupted.
fn take_out(care: &mut Care, held: &Holding) -> Result<Option<TakenOut>, Problem> {
    care.purge_begin(held.key)?;
    let mut taken = TakenOut::default();
    let finished = each_portion(|| {
        let Some(more) = care.purge_some(held.key)? else { return Ok(Portion::Last) };
        taken += more;
        Ok(Portion::Written)
    })?;
    if !finished {
        return Ok(None);
    }
    care.purge_end(held.key)?;
    Ok(Some(taken))
}

fn told(held: &Holding, taken: TakenOut, left: Left, copies: &[PathBuf]) -> String {
    let mut lines = vec![format!(
        "{}: {} alerts, {} changes and everything else is taken out",
        named(held),
        taken.alerts,
        taken.changes
    )];
    if left.room {
        lines.push(
            "A daemon has the store, so its file could not be written anew: rows are overwritten, but remains of them can \
             still be found in the free space of the file. `alertferry prune --vacuum` clears it while the daemon is \
             stopped."
                .to_owned(),
        );
    }
    if left.log {
        lines.push("Somebody reads an older state of the store, so alerts.db-wal is not emptied yet.".to_owned());
    }
    lines.push(still_held(copies));
    lines.join("\n")
}

/// What went well before the traces could not be cleared.
fn unfinished(held: &Holding) -> String {
    format!(
        "{} is taken out, but traces of it are left in the file (`alertferry prune --vacuum` clears them while the \
         daemon is stopped):",
        named(held)
    )
}

/// Where the tenant still is.
fn still_held(copies: &[PathBuf]) -> String {
    let mut text = "Backups and logs that were taken before still hold it.".to_owned();
    for copy in copies {
        text += &format!("\nSo does {}.", visible(&copy.display().to_string()));
    }
    text
}

fn named(held: &Holding) -> String {
    format!("{} ({})", visible(&held.name), held.tenant_id)
}

impl From<PurgeError> for Problem {
    fn from(error: PurgeError) -> Self {
        match error {
            PurgeError::Active => Self::new(Exit::Temporary, error.to_string()),
            PurgeError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Ticks;
    use crate::store::TenantKey;

    #[test]
    fn only_the_name_or_the_id_is_meant() {
        let held = Holding {
            key: TenantKey::for_tests(1),
            tenant_id: "00000000-0000-0000-0000-00000000000a".to_owned(),
            name: "Contoso, Ltd.".to_owned(),
            active: false,
            state_since: Ticks::MIN,
            alerts: 0,
            changes: 0,
            quarantined: 0,
            passes: 0,
        };
        for answer in ["Contoso, Ltd.\n", " Contoso, Ltd. ", "00000000-0000-0000-0000-00000000000A\n"] {
            assert!(is_meant(answer, &held), "{answer:?}");
        }
        for answer in ["", "\n", "y\n", "yes\n", "contoso\n", "Contoso, Ltd"] {
            assert!(!is_meant(answer, &held), "{answer:?}");
        }
    }
}
