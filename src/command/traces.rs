//! Owns leaving no trace of deleted rows in the store's file, as far as that can be done beside a daemon.

use super::portions::{Portion, each_portion};
use super::{Exit, Problem};
use crate::store::Care;

/// A daemon that enters alerts meanwhile can keep a merge from coming to its end; so often it is begun anew.
const ROUNDS: u32 = 3;

/// What could not be done to leave no trace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    /// The file was not written anew, because a daemon has the store.
    pub room: bool,
    /// The write-ahead log was not emptied, because somebody reads an older state.
    pub log: bool,
}

/// Merges both indexes, takes the planner's samples anew, and, if no daemon can have the store, writes the file anew.
pub(super) fn clear(care: &mut Care) -> Result<Left, Problem> {
    for words in [true, false] {
        let mut rounds = 0;
        while rounds < ROUNDS && merge(care, words)? {
            rounds += 1;
        }
    }
    care.sample()?;
    if care.is_alone() {
        care.rewrite()?;
    }
    Ok(Left { room: !care.is_alone(), log: !care.empty_log()? })
}

/// Merges an index into one piece; false when it was one already.
fn merge(care: &mut Care, words: bool) -> Result<bool, Problem> {
    let mut steps = 0_u32;
    let merged = each_portion(|| {
        let more = care.merge_some(words, steps == 0)?;
        steps += u32::from(more);
        Ok(if more { Portion::Written } else { Portion::Last })
    })?;
    if !merged {
        return Err(Problem::new(Exit::Temporary, "interrupted while its words were taken out of the indexes"));
    }
    Ok(steps > 0)
}
