//! Owns the cursors of exports on the command line: their names, and `alertferry export cursor`.

use std::path::Path;

use crate::command::output::print;
use crate::command::rows::{Shape, show};
use crate::command::{Exit, Problem, number, select};
use crate::store::{ExportCursors, Exported, MOST_CURSOR_CHARS, Reading, StoreError};

/// The subcommands of `export cursor`.
#[derive(Debug, clap::Subcommand)]
pub(in crate::command) enum Command {
    /// List the cursors, each with how many changes there are after it.
    List {
        #[command(flatten)]
        shape: Shape,
    },
    /// Put a cursor to a change: the next export with it begins with the one after. 0 means from the beginning.
    Set {
        /// What is exported with it.
        #[arg(value_enum)]
        what: What,
        /// The cursor.
        #[arg(value_parser = name)]
        name: String,
        /// The change.
        #[arg(value_parser = number::parse::<i64>, allow_negative_numbers = true)]
        seq: i64,
    },
    /// Forget a cursor: the next export with it begins from the beginning.
    Drop {
        /// What is exported with it.
        #[arg(value_enum)]
        what: What,
        /// The cursor.
        #[arg(value_parser = name)]
        name: String,
    },
}

/// What is exported with a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::command) enum What {
    /// Alerts.
    Alerts,
    /// Evidence.
    Evidence,
    /// Changes.
    Changes,
}

impl From<What> for Exported {
    fn from(what: What) -> Self {
        match what {
            What::Alerts => Self::Alerts,
            What::Evidence => Self::Evidence,
            What::Changes => Self::Changes,
        }
    }
}

/// Reads the name of a cursor.
pub(super) fn name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if text.is_empty() || text.len() > MOST_CURSOR_CHARS || !text.chars().all(fits) {
        return Err(format!("a cursor's name has 1 to {MOST_CURSOR_CHARS} letters, digits, `.`, `-` or `_`"));
    }
    Ok(text.to_owned())
}

/// The cursors of a store, to be moved; says what to do when they cannot be.
pub(super) fn open(path: &Path) -> Result<ExportCursors, Problem> {
    ExportCursors::open(path).map_err(|error| {
        let permission = matches!(error, StoreError::Unopened { permission: true, .. });
        let problem = Problem::from(error);
        if !permission {
            return problem;
        }
        problem.and("run it as the user of the daemon, or remember the seq yourself and use --since-seq")
    })
}

pub(super) fn run(config: &Path, command: &Command) -> Result<Exit, Problem> {
    let path = select::store(config)?;
    match command {
        Command::List { shape } => {
            let store = Reading::open(&path)?;
            show(*shape, &[], |sink| store.export_cursors(sink))?;
        }
        Command::Set { what, name, seq } => {
            open(&path)?.set((*what).into(), name, *seq)?.map_err(|newest| {
                let message = format!("there is no change {seq} yet: the newest is {newest}; the cursor was not moved");
                Problem::new(Exit::Usage, message)
            })?;
            print(&format!("the next export with the cursor {name} begins after seq {seq}"))?;
        }
        Command::Drop { what, name } => {
            if !open(&path)?.forget((*what).into(), name)? {
                let message = format!("there is no such cursor `{name}`; `alertferry export cursor list` shows all");
                return Err(Problem::new(Exit::Usage, message));
            }
            print(&format!("the cursor {name} is forgotten"))?;
        }
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        for good in ["siem", "a.B-9_", &"x".repeat(64)] {
            assert_eq!(name(good), Ok(good.to_owned()));
        }
        for bad in ["", " ", "a b", "a/b", "ä", "a\n", "*", &"x".repeat(65)] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
