//! Owns choosing a page's rows: the index by time for the common filter, sorting only where it must be.

use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::Arc;

use super::filter::Field;
use super::{Order, Query};
use crate::alert::Version;
use crate::world::Tenant;

type Rows = Vec<Arc<Version>>;

/// What decides between rows that are equal in everything asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tie {
    /// The id, ascending: how the service behaves.
    #[default]
    Id,
    /// Nothing recognisable, but the same each time: a service without a stable order.
    Scattered,
}

/// The rows of the answer to `query`, in order; at most `page_limit`.
pub(crate) fn rows(tenant: &Tenant, query: &Query, page_limit: usize, tie: Tie) -> Rows {
    let wanted = query.top.unwrap_or(page_limit).min(page_limit);
    let ranged = query.filter.as_ref().map(|filter| filter.update_range());
    let bounds = ranged.and_then(|(low, high)| key_bounds(low, high));
    let unbounded = ranged.is_none_or(|range| range == (Bound::Unbounded, Bound::Unbounded));
    let passes = |row: &Arc<Version>| {
        query.filter.as_ref().is_none_or(|filter| filter.matches(row, tenant.update_key(row.last_update)))
    };
    let by_time = time_ordered(&query.order) && tie == Tie::Id;
    if unbounded && query.order.is_empty() && tie == Tie::Id {
        return tenant.visible.values().filter(|row| passes(row)).skip(query.skip).take(wanted).cloned().collect();
    }
    let Some(bounds) = bounds.or(unbounded.then_some((Bound::Unbounded, Bound::Unbounded))) else {
        return Rows::new();
    };
    let candidates = tenant.by_update.range(bounds).map(|(_, row)| row).filter(|row| passes(row));
    if by_time {
        return candidates.skip(query.skip).take(wanted).cloned().collect();
    }
    let mut all: Rows = candidates.cloned().collect();
    sort(tenant, &mut all, &query.order, tie);
    all.into_iter().skip(query.skip).take(wanted).collect()
}

/// Whether the index's own order (time, then id, both ascending) is the one asked for.
fn time_ordered(order: &[Order]) -> bool {
    let ascending = |order: &Order, field| order.field == field && !order.descending;
    match order {
        [first] => ascending(first, Field::LastUpdate),
        [first, second] => ascending(first, Field::LastUpdate) && ascending(second, Field::Id),
        _ => false,
    }
}

/// Sorts by the fields asked for and then by the tie-breaker, which makes every order total.
fn sort(tenant: &Tenant, rows: &mut Rows, order: &[Order], tie: Tie) {
    rows.sort_by(|left, right| {
        let key = |row: &Version| tenant.update_key(row.last_update);
        let by_fields = order.iter().fold(Ordering::Equal, |so_far, order| {
            so_far.then_with(|| {
                let ordering = order.field.compare((left, key(left)), (right, key(right)));
                if order.descending { ordering.reverse() } else { ordering }
            })
        });
        by_fields.then_with(|| match tie {
            Tie::Id => left.id.cmp(&right.id),
            Tie::Scattered => scatter(&left.id).cmp(&scatter(&right.id)),
        })
    });
}

/// A number that has nothing to do with the order of ids (FNV-1a).
fn scatter(id: &str) -> u64 {
    id.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

type IndexKey = (i64, Arc<str>);

/// Bounds on times as bounds on (time, id); `None` when nothing lies between them.
fn key_bounds(low: Bound<i64>, high: Bound<i64>) -> Option<(Bound<IndexKey>, Bound<IndexKey>)> {
    let from = match low {
        Bound::Unbounded => i64::MIN,
        Bound::Included(at) => at,
        Bound::Excluded(at) => at.checked_add(1)?,
    };
    let until = match high {
        Bound::Unbounded => None,
        Bound::Included(at) => at.checked_add(1),
        Bound::Excluded(at) => Some(at),
    };
    if until.is_some_and(|until| until <= from) {
        return None;
    }
    let nothing: Arc<str> = Arc::from("");
    let high = until.map_or(Bound::Unbounded, |until| Bound::Excluded((until, Arc::clone(&nothing))));
    Some((Bound::Included((from, nothing)), high))
}
