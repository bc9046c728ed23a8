//! Owns the neighbours of an alert that makes every answer with it fail: its window is as small as windows get, and they
//! are read around it, by their places in the list.
//!
//! Places shift when rows come and go, so nothing is proved by this and the gap stays as it is. It only keeps what can be
//! read from waiting for what cannot: an analyst may have closed a hundred alerts at one instant.

use tokio::time::Instant;

use super::reader::{Reader, Stumble};
use super::windows::MOST_TIME;
use crate::defender::Query;
use crate::domain::Gap;
use crate::store::CoverageMove;

/// So many requests at most, once in the six hours between two tries of a gap. One bad alert among a hundred takes about
/// fifteen.
const MOST_CALLS: u32 = 30;
/// So many rows are asked for at first; few have so many neighbours.
const FIRST_PIECE: u32 = 64;
/// A window in which so many places fail alone does not suffer from single alerts.
const MOST_BAD: u32 = 3;

/// Reads what can be read of a gap that is stuck.
///
/// # Errors
/// When the pass cannot go on; that a piece fails is no error.
pub(super) async fn read(reader: &mut Reader<'_>, gap: &Gap, query: &Query) -> Result<(), Stumble> {
    let mut pieces = vec![(0, FIRST_PIECE)];
    let mut bad = 0;
    let begun = Instant::now();
    for _ in 0..MOST_CALLS {
        if begun.elapsed() >= MOST_TIME {
            return Ok(());
        }
        let Some((skip, top)) = pieces.pop() else { return Ok(()) };
        let part = Query { after_id: None, evidence: true, skip, top, ..query.clone() };
        match reader.ask(&part, gap.reason.is_history()).await {
            Ok(answered) => {
                let rows = answered.page.rows;
                reader.land(answered, CoverageMove::default()).await?;
                if rows < u64::from(top) {
                    return Ok(());
                }
            }
            Err(Stumble::Api(error)) if !error.may_lie_in_the_window() || error.asks_to_wait() => {
                return if error.refuses_query() { Ok(()) } else { Err(error.into()) };
            }
            Err(Stumble::Api(_)) if top > 1 => {
                pieces.push((skip + u64::from(top / 2), top - top / 2));
                pieces.push((skip, top / 2));
                continue;
            }
            Err(Stumble::Api(_)) => bad += 1,
            Err(other) => return Err(other),
        }
        if bad >= MOST_BAD {
            return Ok(());
        }
        if pieces.is_empty() {
            pieces.push((skip + u64::from(top), FIRST_PIECE));
        }
    }
    Ok(())
}
