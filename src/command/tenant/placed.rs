//! Owns how tenants come into the configuration: looked at with all the rest of it, written whole, told.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::command::output::{print, visible};
use crate::command::{Exit, Problem, fresh};
use crate::settings::{Addition, Settings};
use crate::store::directory_of;

/// A file that was added.
pub(super) struct Placed<'a> {
    pub path: &'a Path,
    /// How many tenants it holds.
    pub tenants: usize,
    /// How many there are now.
    pub all: usize,
}

/// The directory of tenants beside a configuration.
pub(super) fn beside(config: &Path) -> PathBuf {
    config.parent().unwrap_or(Path::new("")).join("tenants.d")
}

/// Keeps others who add tenants waiting until dropped: two that fit alone need not fit together.
///
/// # Errors
/// When the directory of the configuration cannot be opened.
pub(super) fn alone(config: &Path) -> Result<File, Problem> {
    let directory = directory_of(config);
    let held = File::open(directory).and_then(|held| held.lock().map(|()| held));
    held.map_err(|error| {
        let exit = if error.kind() == ErrorKind::PermissionDenied { Exit::Permission } else { Exit::Config };
        Problem::new(exit, format!("cannot open {}: {error}; `--config` names another", directory.display()))
    })
}

/// How many tenants are configured; none in a configuration that still waits for its first.
pub(super) fn tenants_before(config: &Path) -> usize {
    Settings::load_by_hand(config).map_or(0, |settings| settings.tenants.len())
}

/// The configuration as it would be with the addition; a problem when it would be wrong.
pub(super) fn checked(config: &Path, addition: &Addition) -> Result<Settings, Problem> {
    Settings::load_with_addition(config, addition).map_err(|errors| {
        let ours = errors.0.iter().any(|error| error.file == addition.path);
        let exit = if ours { Exit::Usage } else { Exit::Config };
        Problem::new(exit, format!("nothing was written; with these tenants the configuration is wrong:\n{errors}"))
    })
}

/// Writes a file of tenants that is not there yet, for the readers of the configuration.
pub(super) fn write(config: &Path, path: &Path, text: &str) -> io::Result<()> {
    // A shell of root often has a umask that would keep the daemon's group out.
    let home = directory_of(config);
    fresh::make_like(&beside(config), home)?;
    fresh::write_like(path, text, config)
}

/// Says what was added, and what is left to do.
pub(super) fn told(placed: &Placed<'_>) -> Result<Exit, Problem> {
    let path = visible(&placed.path.display().to_string());
    print(&format!(
        "{path} is there: {} tenant(s) more, {} in all\n\
         reload the daemon: systemctl reload alertferry (or SIGHUP); then `alertferry check --tenant NAME`",
        placed.tenants, placed.all
    ))?;
    Ok(Exit::Done)
}
