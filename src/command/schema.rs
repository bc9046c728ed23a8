//! Owns `alertferry schema`.

use std::path::Path;

use super::output::{print, visible};
use super::{Exit, Problem, select};
use crate::store::Reading;

pub(super) fn run(config: &Path) -> Result<Exit, Problem> {
    let statements = Reading::open(&select::store(config)?)?.schema()?;
    let shown = |statement: &String| statement.lines().map(visible).collect::<Vec<_>>().join("\n") + ";";
    print(&statements.iter().map(shown).collect::<Vec<_>>().join("\n\n"))?;
    Ok(Exit::Done)
}
