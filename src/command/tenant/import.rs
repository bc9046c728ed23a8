//! Owns `alertferry tenant import`: a list of tenants into the configuration, all or none.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::placed::{self, Placed};
use crate::command::unwritten::unwritten;
use crate::command::{Exit, Problem, given};
use crate::settings::Addition;

/// The command line of `tenant import`.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Arguments {
    /// A list with a line of headings, of which `id` is needed: id,name,region,app,tags,enabled.
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
}

/// The largest list that is read; ten thousand tenants need about a megabyte.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

pub(super) fn run(config: &Path, arguments: &Arguments) -> Result<Exit, Problem> {
    let file = &arguments.file;
    let Some(name) = file.file_name().filter(|_| file.extension().is_some_and(|kind| kind == "csv")) else {
        return Err(Problem::new(Exit::Usage, format!("{}: the name of a list ends in .csv", file.display())));
    };
    if name.as_encoded_bytes().starts_with(b".") {
        let message = format!("{}: the daemon leaves files alone whose names begin with a dot", file.display());
        return Err(Problem::new(Exit::Usage, message));
    }
    // Errors are told at the lines of the file that was given, not of the copy.
    let addition = Addition { path: file.clone(), text: given::text(file, MAX_BYTES)?.0 };
    let _alone = placed::alone(config)?;
    let before = placed::tenants_before(config);
    let settings = placed::checked(config, &addition)?;
    let added = settings.tenants.len().saturating_sub(before);
    if added == 0 {
        return Err(Problem::new(Exit::Usage, format!("there is no tenant in {}", file.display())));
    }
    let path = placed::beside(config).join(name);
    placed::write(config, &path, &addition.text).map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            let message = format!("{} is there already; give the list another name", path.display());
            return Problem::new(Exit::Usage, message);
        }
        unwritten(&path, &error)
    })?;
    placed::told(&Placed { path: &path, tenants: added, all: settings.tenants.len() })
}
