//! Owns alerts that could only be listed without their evidence: each is fetched by itself before its gap may close.

use std::collections::BTreeSet;

use super::plan;
use super::reader::{Reader, Stumble};
use super::windows::{edit_gap, tell_stuck};
use crate::domain::{AlertId, Gap};
use crate::store::{Batch, Coverage, GapEdit};

/// So many alerts are fetched one by one before the gap is looked at again: a pass ends within its budget.
const MOST_SINGLE_READS: usize = 50;

/// Carries out what the answer to a gap proved, once no alert in it lacks its evidence. `listed` are the alerts that
/// were answered.
///
/// Until then the gap stays: evidence that nobody would ask for again would be lost. What is missing is asked of the
/// store and not remembered, so that it survives a crash.
pub(super) async fn settle(
    reader: &mut Reader<'_>,
    gap: &Gap,
    listed: Vec<AlertId>,
    edits: Vec<GapEdit>,
) -> Result<Coverage, Stumble> {
    // A gap that is split is read again, with evidence.
    let splits = edits.iter().any(|edit| matches!(edit, GapEdit::Open(_)));
    let missing = if splits {
        Vec::new()
    } else {
        reader.ctx.store.thin_alerts(reader.key, gap.window, MOST_SINGLE_READS).await?
    };
    let more = missing.len() == MOST_SINGLE_READS;
    let mut wanted: BTreeSet<AlertId> = missing.into_iter().collect();
    // Two versions may share a time and differ in their evidence alone, which a list without it cannot tell. So a few
    // are fetched even when the store has them whole; of many that would never come to an end.
    if !splits && listed.len() < MOST_SINGLE_READS {
        wanted.extend(listed);
    }
    let mut failed = None;
    for id in &wanted {
        match reader.fetch(id).await {
            Ok(alert) => {
                let batch = Batch { alerts: vec![alert], history: gap.reason.is_history(), ..Batch::default() };
                reader.write(batch).await?;
            }
            // Who asks to wait is asked for no further alert; of such trouble the gap's own failure is made.
            Err(Stumble::Api(error)) if !error.asks_to_wait() => failed = Some(error),
            Err(other) => return Err(other),
        }
    }
    let edits = match failed {
        Some(error) => {
            let why = format!("evidence is missing: {error}");
            let edits = plan::after_gap_failure(gap, &why, reader.ctx.clock.now(), &reader.ctx.options);
            tell_stuck(reader, gap, &edits, &error);
            edits
        }
        None if more => Vec::new(),
        None => edits,
    };
    edit_gap(reader, gap, edits).await
}
