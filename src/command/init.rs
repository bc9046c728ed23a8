//! Owns `alertferry init`: a configuration to begin with.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::output::{print, visible};
use super::unwritten::unwritten;
use super::{DEFAULT_CONFIG, Exit, Problem, fresh};

/// The command line of `init`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where the configuration goes; made if it is not there.
    #[arg(long, default_value = DEFAULT_DIRECTORY, value_name = "DIRECTORY")]
    dir: PathBuf,
}

/// Where the configuration goes when nobody says otherwise.
const DEFAULT_DIRECTORY: &str = "/etc/alertferry";
/// Every key with its default and its meaning; a test loads it.
const SAMPLE: &str = include_str!("../../config/alertferry.toml");
/// Where the secret is in the sample, and where it is to begin with: without systemd there are no credentials.
const SECRET: [&str; 2] =
    ["\nsecret = { credential = \"alertferry.client-secret\" }\n", "\nsecret = { file = \"client-secret\" }\n"];
/// Where the sample's tenant begins.
const TENANT: &str = "\n[[tenant]]\n";

/// The configuration holds no secrets, and the daemon's user has to read it.
const FILE_MODE: u32 = 0o644;
const DIRECTORY_MODE: u32 = 0o755;
const SECRET_MODE: u32 = 0o600;

pub(super) fn run(config: &Path, arguments: &Arguments) -> Result<Exit, Problem> {
    if config != Path::new(DEFAULT_CONFIG) && arguments.dir == Path::new(DEFAULT_DIRECTORY) {
        let message = "init writes alertferry.toml into the directory of --dir, and --config names no place for it";
        return Err(Problem::new(Exit::Usage, message));
    }
    let directory = &arguments.dir;
    let [config, tenants, secret] = ["alertferry.toml", "tenants.d", "client-secret"].map(|name| directory.join(name));
    if let Some(there) = [&config, &secret].into_iter().find(|path| path.symlink_metadata().is_ok()) {
        let message = format!("{} is there already; nothing was written", there.display());
        return Err(Problem::new(Exit::Usage, message));
    }
    make(directory)?;
    make(&tenants)?;
    let files = [(&secret, String::new(), SECRET_MODE), (&config, starter(), FILE_MODE)];
    for (path, text, mode) in files {
        fresh::write(path, &text, mode).map_err(|error| unwritten(path, &error))?;
    }
    print(&next_steps(directory))?;
    Ok(Exit::Done)
}

fn make(directory: &Path) -> Result<(), Problem> {
    match DirBuilder::new().mode(DIRECTORY_MODE).create(directory) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists || !directory.is_dir() => {
            Err(unwritten(directory, &error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The sample without its tenant, which `tenant add` puts into a file of its own.
fn starter() -> String {
    let (before, tenant) = SAMPLE.split_once(TENANT).unwrap_or((SAMPLE, ""));
    let tenant: Vec<String> = tenant.lines().map(commented).collect();
    format!("{}\n#[[tenant]]\n{}\n", before.replacen(SECRET[0], SECRET[1], 1), tenant.join("\n"))
}

fn commented(line: &str) -> String {
    if line.is_empty() || line.starts_with('#') { line.to_owned() } else { format!("#{line}") }
}

fn next_steps(directory: &Path) -> String {
    let shown = visible(&directory.display().to_string());
    let option = if directory == Path::new(DEFAULT_DIRECTORY) {
        String::new()
    } else {
        format!(" --config {shown}/alertferry.toml")
    };
    format!(
        "{shown}/alertferry.toml, {shown}/client-secret and {shown}/tenants.d are there. What comes next:\n\
         1. Put the app registration's client id into alertferry.toml and its secret into client-secret, which the \n   \
         daemon's user must own: chown alertferry: {shown}/client-secret\n\
         2. For each customer: alertferry consent TENANT-ID{option}\n   \
         prints the link for its administrator; alertferry tenant add TENANT-ID --name NAME{option}\n   \
         adds it to the configuration.\n\
         3. alertferry check{option}\n   \
         says for each step how it is and what to do."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_starter_is_the_sample_but_for_its_tenant_and_the_place_of_the_secret() {
        let starter = starter();
        assert!(starter.contains(SECRET[1]) && !starter.contains(SECRET[0]));
        let (sample, made): (Vec<&str>, Vec<&str>) = (SAMPLE.lines().collect(), starter.lines().collect());
        assert_eq!(sample.len(), made.len());
        let changed: Vec<&str> =
            made.iter().zip(&sample).filter(|(made, sample)| made != sample).map(|(made, _)| *made).collect();
        assert_eq!(changed.len(), 4, "{changed:?}");
        assert!(!made.contains(&"[[tenant]]"));
    }
}
