//! Owns `alertferry run`.

use std::io::IsTerminal;
use std::path::Path;

use super::output::runtime;
use super::{Exit, Problem};
use crate::clock::Clock;
use crate::logging::{self, Format, Options};
use crate::secret::keep_new_files_private;
use crate::settings::{LogFormat, Settings};
use crate::stop::Stop;
use crate::{daemon, settings};

pub(super) fn run(config: &Path) -> Result<Exit, Problem> {
    keep_new_files_private();
    let settings = Settings::load(config)?;
    let log = logging::init(
        &Options {
            format: match settings.log.format {
                LogFormat::Auto => Format::Auto,
                LogFormat::Json => Format::Json,
                LogFormat::Text => Format::Text,
            },
            level: &settings.log.level,
            terminal: std::io::stdout().is_terminal(),
            colour: settings::colour_allowed(),
            clock: Clock::System,
        },
        Box::new(std::io::stdout()),
    )
    .map_err(|error| Problem::new(Exit::Internal, error.to_string()))?;
    runtime()?.block_on(daemon::run(config, settings, log, &Stop::new()))?;
    Ok(Exit::Done)
}
