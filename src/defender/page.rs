//! Owns what an answer's rows say about the window they came from.

use crate::domain::{Alert, AlertId, Ticks};

/// The facts of an answer that decide what may be called read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Rows answered, usable or not.
    pub rows: u64,
    /// The last update time of each usable row, in the order in which they came.
    pub times: Vec<Ticks>,
    /// Whether every row was usable and no row was updated before the one in front of it.
    pub in_time_order: bool,
    /// Whether every row was usable and each id comes after the one in front of it, byte by byte.
    pub in_id_order: bool,
    /// The id of each usable row, in the order in which they came.
    pub ids: Vec<AlertId>,
    /// A time of the service's clock not after the moment of asking.
    pub asked_at: Option<Ticks>,
    /// The service's clock when it answered, to whole seconds.
    pub date: Option<Ticks>,
    /// Bytes of the body after decompression.
    pub bytes: u64,
}

impl Page {
    pub(super) fn begin(asked_at: Option<Ticks>, date: Option<Ticks>) -> Self {
        Self { in_time_order: true, in_id_order: true, asked_at, date, ..Self::default() }
    }

    pub(super) fn count(&mut self, alert: &Alert) {
        self.rows += 1;
        self.in_time_order &= self.times.last().is_none_or(|last| *last <= alert.last_update);
        self.in_id_order &= self.ids.last().is_none_or(|last| *last < alert.id);
        self.times.push(alert.last_update);
        self.ids.push(alert.id.clone());
    }

    pub(super) fn count_unusable(&mut self) {
        self.rows += 1;
        // A row without a readable time or id proves nothing about the order around it.
        self.in_time_order = false;
        self.in_id_order = false;
    }

    /// The latest last update time of any row.
    #[must_use]
    pub fn latest(&self) -> Option<Ticks> {
        self.times.iter().max().copied()
    }

    /// The last row's id.
    #[must_use]
    pub fn last_id(&self) -> Option<&AlertId> {
        self.ids.last()
    }

    /// An id that about half of the rows' ids come after.
    #[must_use]
    pub fn median_id(&self) -> Option<AlertId> {
        let mut ids: Vec<&AlertId> = self.ids.iter().collect();
        let middle = ids.len() / 2;
        (!ids.is_empty()).then(|| (*ids.select_nth_unstable(middle).1).clone())
    }

    /// The time that half of the rows are not later than.
    #[must_use]
    pub fn median(&self) -> Option<Ticks> {
        let mut times = self.times.clone();
        let middle = times.len() / 2;
        (!times.is_empty()).then(|| *times.select_nth_unstable(middle).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(rows: &[(&str, u32)]) -> Page {
        let (asked_at, date) = (Some(Ticks::from_unix_seconds(7)), Some(Ticks::from_unix_seconds(9)));
        let mut page = Page::begin(asked_at, date);
        assert_eq!((page.asked_at, page.date), (asked_at, date));
        for (id, second) in rows {
            let row = format!("{{\"id\":\"{id}\",\"lastUpdateTime\":\"2026-01-01T00:00:{second:02}Z\"}}");
            page.count(&Alert::scan(row.into_bytes(), false).expect("an alert"));
        }
        page
    }

    #[test]
    fn an_order_is_what_every_row_keeps() {
        let orders = |rows: &[(&str, u32)]| {
            let page = page(rows);
            assert_eq!((page.rows, page.times.len(), page.ids.len()), (rows.len() as u64, rows.len(), rows.len()));
            (page.in_time_order, page.in_id_order)
        };
        assert_eq!(orders(&[]), (true, true));
        assert_eq!(orders(&[("a", 1), ("b", 1), ("c", 2)]), (true, true), "times may repeat");
        assert_eq!(orders(&[("a", 1), ("a", 2)]), (true, false), "ids may not");
        assert_eq!(orders(&[("b", 1), ("a", 2), ("c", 3)]), (true, false));
        assert_eq!(orders(&[("a", 2), ("b", 1), ("c", 3)]), (false, true));
    }

    #[test]
    fn a_row_that_cannot_be_used_proves_no_order() {
        let mut page = page(&[("a", 1)]);
        page.count_unusable();
        assert_eq!((page.rows, page.times.len(), page.in_time_order, page.in_id_order), (2, 1, false, false));
    }

    #[test]
    fn the_middle_and_the_ends_of_an_answer_are_known() {
        let rows = page(&[("d", 5), ("a", 9), ("c", 1), ("b", 2)]);
        let at = |second: i64| Ticks::from_unix_seconds(1_767_225_600 + second);
        assert_eq!((rows.latest(), rows.median()), (Some(at(9)), Some(at(5))));
        assert_eq!((rows.last_id(), rows.median_id()), (AlertId::new("b").as_ref(), AlertId::new("c")));
        let none = page(&[]);
        assert_eq!((none.latest(), none.median(), none.last_id(), none.median_id()), (None, None, None, None));
    }
}
