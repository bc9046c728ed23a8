//! Owns `alertferry backup`.

use std::path::{Path, PathBuf};

use super::output::{print, visible};
use super::unwritten::unwritten;
use super::{Exit, Problem, select};
use crate::store::{self, BackupError};

/// The command line of `backup`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The new file; one that exists is not replaced. Until it is whole it is called FILE.partial.
    file: PathBuf,
}

pub(super) fn run(config: &Path, arguments: &Arguments) -> Result<Exit, Problem> {
    let done = store::back_up(&select::store(config)?, &arguments.file)?;
    let file = visible(&arguments.file.display().to_string());
    print(&format!("{file}: {} alerts, {} bytes, checked", done.alerts, done.bytes))?;
    Ok(Exit::Done)
}

impl From<BackupError> for Problem {
    fn from(error: BackupError) -> Self {
        let exit = match &error {
            BackupError::Exists(_) => Exit::Usage,
            BackupError::UnderWay(_) | BackupError::Full(_) => Exit::Temporary,
            BackupError::Damaged(_) => Exit::Data,
            BackupError::Unwritten { path, error } => return unwritten(path, error),
            BackupError::Store(error) => return error.clone().into(),
        };
        Self::new(exit, error.to_string())
    }
}
