//! Owns reading alerts that share one tick of time and are more than fit one answer.

use super::plan;
use super::reader::{Reader, Stumble};
use super::thin;
use super::windows::edit_gap;
use crate::defender::{ApiError, Order, Query};
use crate::domain::{AlertId, Gap};
use crate::store::{Coverage, CoverageMove, GapEdit};

/// So many looks are taken until two in a row show the same alerts.
const MOST_LOOKS: usize = 6;

/// Reads the gap's one tick by ranges of id, trusting no order: a range with too many alerts is split at one of them
/// and each side, which is smaller by that one, is read by itself. A range with fewer rows than were asked for is read.
pub(super) async fn by_ranges(reader: &mut Reader<'_>, gap: &Gap, query: &Query) -> Result<Coverage, Stumble> {
    let mut listed = Vec::new();
    let mut ranges: Vec<(Option<AlertId>, Option<AlertId>)> = vec![(gap.after_id.clone(), None)];
    while let Some((after_id, before_id)) = ranges.pop() {
        let order = plan::by_id(query.order);
        let part = Query { after_id: after_id.clone(), before_id: before_id.clone(), order, ..query.clone() };
        let answered = match reader.ask(&part, gap.reason.is_history()).await {
            Err(Stumble::Api(error)) if error.refuses_query() => return by_skipping(reader, gap, query).await,
            other => other?,
        };
        if answered.page.rows >= u64::from(part.top) {
            let inside = |id: &AlertId| {
                after_id.as_ref().is_none_or(|after| after < id) && before_id.as_ref().is_none_or(|before| id < before)
            };
            let Some(pivot) = answered.page.median_id().filter(inside) else {
                // The service compares ids otherwise than by their bytes, so ranges would never end.
                reader.land(answered, CoverageMove::default()).await?;
                return by_skipping(reader, gap, query).await;
            };
            ranges.push((Some(pivot.clone()), before_id));
            ranges.push((after_id, Some(pivot)));
        }
        listed.extend_from_slice(&answered.page.ids);
        reader.land(answered, CoverageMove::default()).await?;
    }
    close(reader, gap, query, listed).await
}

/// Reads the gap's one tick by `$skip`, for a service that refuses ranges of id.
///
/// Offsets shift when a row comes or goes between two requests, so a single look proves nothing: two looks in a row
/// must have shown the same alerts.
pub(super) async fn by_skipping(reader: &mut Reader<'_>, gap: &Gap, query: &Query) -> Result<Coverage, Stumble> {
    let mut before: Option<Vec<AlertId>> = None;
    for _ in 0..MOST_LOOKS {
        let mut part = Query { after_id: None, before_id: None, order: Order::Unasked, skip: 0, ..query.clone() };
        let mut seen = Vec::new();
        loop {
            let mut answered = reader.ask(&part, gap.reason.is_history()).await?;
            let rows = answered.page.rows;
            seen.append(&mut answered.page.ids);
            reader.land(answered, CoverageMove::default()).await?;
            if rows < u64::from(part.top) {
                break;
            }
            part.skip += rows;
        }
        seen.sort_unstable();
        seen.dedup();
        if before.as_ref() == Some(&seen) {
            return close(reader, gap, query, seen).await;
        }
        before = Some(seen);
    }
    Err(unreadable("the alerts of one instant changed with every look"))
}

async fn close(reader: &mut Reader<'_>, gap: &Gap, query: &Query, listed: Vec<AlertId>) -> Result<Coverage, Stumble> {
    let edits = vec![GapEdit::Close(gap.id)];
    if query.evidence { edit_gap(reader, gap, edits).await } else { thin::settle(reader, gap, listed, edits).await }
}

fn unreadable(why: &str) -> Stumble {
    Stumble::Api(ApiError::Malformed(why.to_owned()))
}
