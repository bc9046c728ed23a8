//! Owns reading the store out page by page, in the order of changes, up to a change that is fixed beforehand.
//!
//! A page is one short statement whose rows are handed over when it is done: whoever writes them out may take as long
//! as he likes without holding the store, and memory is bounded by a page.

use rusqlite::{OptionalExtension, Row, params};

use super::rows::value;
use super::{Reading, StoreError, TenantFilter, TenantKey, Value};

/// A page looks at so many numbers of changes.
const PAGE_CHANGES: i64 = 1_000;
/// A page ends behind the change with which its texts are longer than this.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// What is read out. Each has the columns of its view, and a `seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exported {
    /// Alerts, each once, at the place of its newest change.
    Alerts,
    /// The evidence of these alerts, at the same place.
    Evidence,
    /// Changes, with the names of their tenants.
    Changes,
}

impl Exported {
    /// Its name, as in the names of cursors.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alerts => "alerts",
            Self::Evidence => "evidence",
            Self::Changes => "changes",
        }
    }

    /// `?1 < seq <= ?2`, of the tenants in `?3`; `?4` is the last change that counts. An alert stands where its newest
    /// change of these is. When it changes again meanwhile, it is here all the same, and its new change comes behind `?4`.
    ///
    /// The joins are in this order so that a few new changes are found without looking at all alerts. Evidence comes in
    /// the order of its list without being sorted, which would keep a whole page of it.
    const fn statement(self) -> &'static str {
        match self {
            Self::Alerts => {
                "-- export::alerts\n\
                 SELECT c.seq, v.*
                 FROM alert_change AS c CROSS JOIN alert AS a ON a.alert_key = c.alert_key
                     CROSS JOIN tenant AS t ON t.tenant_key = a.tenant_key
                     CROSS JOIN alerts AS v ON v.tenant_id = t.tenant_id AND v.alert_id = a.alert_id
                 WHERE c.seq > ?1 AND c.seq <= ?2
                   AND (?3 IS NULL OR a.tenant_key IN (SELECT value FROM json_each(?3)))
                   AND NOT EXISTS (SELECT 1 FROM alert_change AS later
                                   WHERE later.alert_key = c.alert_key AND later.seq > c.seq AND later.seq <= ?4)
                 ORDER BY c.seq"
            }
            Self::Evidence => {
                "-- export::evidence\n\
                 SELECT c.seq, v.*
                 FROM alert_change AS c CROSS JOIN alert AS a ON a.alert_key = c.alert_key
                     CROSS JOIN tenant AS t ON t.tenant_key = a.tenant_key
                     CROSS JOIN evidence AS v ON v.tenant_id = t.tenant_id AND v.alert_id = a.alert_id
                 WHERE c.seq > ?1 AND c.seq <= ?2
                   AND (?3 IS NULL OR a.tenant_key IN (SELECT value FROM json_each(?3)))
                   AND NOT EXISTS (SELECT 1 FROM alert_change AS later
                                   WHERE later.alert_key = c.alert_key AND later.seq > c.seq AND later.seq <= ?4)
                 ORDER BY c.seq"
            }
            Self::Changes => {
                "-- export::changes\n\
                 SELECT v.*, t.name AS tenant_name
                 FROM alert_change AS c CROSS JOIN alert AS a ON a.alert_key = c.alert_key
                     CROSS JOIN tenant AS t ON t.tenant_key = a.tenant_key
                     CROSS JOIN alert_changes AS v ON v.seq = c.seq
                 WHERE c.seq > ?1 AND c.seq <= ?2 AND c.seq <= ?4
                   AND (?3 IS NULL OR a.tenant_key IN (SELECT value FROM json_each(?3)))
                 ORDER BY c.seq"
            }
        }
    }
}

/// How much is read out.
#[derive(Debug, Clone)]
pub struct Extent {
    /// What.
    pub what: Exported,
    /// Of these tenants; `None` means all.
    pub tenants: Option<Vec<TenantKey>>,
    /// Up to this change, and with it.
    pub until: i64,
}

/// The rows of one page.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The names of the columns; the first is `seq`.
    pub names: Vec<String>,
    /// The rows, by their changes.
    pub rows: Vec<Vec<Value>>,
    /// The page has everything up to this change.
    pub through: i64,
}

impl Reading {
    /// The number of the newest change; 0 when there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub fn newest_change(&self) -> Result<i64, StoreError> {
        let sql = "-- export::newest_change\nSELECT coalesce(max(seq), 0) FROM alert_change";
        Ok(self.conn.query_row(sql, [], |row| row.get(0))?)
    }

    /// The stored tenants that fit; `None` when all do.
    ///
    /// # Errors
    /// When the store fails.
    pub fn tenants_among(&self, filter: &TenantFilter) -> Result<Option<Vec<TenantKey>>, StoreError> {
        let found = filter.stored(&self.conn)?;
        Ok(found.map(|found| found.keys.into_iter().map(TenantKey).collect()))
    }

    /// The next page after the change `after`. There is another one until `through` is the extent's end.
    ///
    /// # Errors
    /// When the store fails.
    pub fn page(&self, extent: &Extent, after: i64) -> Result<Page, StoreError> {
        // Numbers may have holes of any size.
        let next: Option<i64> = self
            .conn
            .prepare_cached("-- export::page\nSELECT seq FROM alert_change WHERE seq > ?1 ORDER BY seq LIMIT 1")?
            .query_row([after], |row| row.get(0))
            .optional()?;
        let end = next.map_or(extent.until, |next| extent.until.min(next.saturating_add(PAGE_CHANGES)));
        let tenants = extent.tenants.as_ref().map(|keys| {
            let keys: Vec<i64> = keys.iter().map(|key| key.0).collect();
            serde_json::json!(keys).to_string()
        });
        let mut statement = self.conn.prepare_cached(extent.what.statement())?;
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let width = names.len();
        let mut page = Page { names, rows: Vec::new(), through: end };
        let mut found = statement.query(params![after, end, tenants, extent.until])?;
        let (mut bytes, mut last) = (0, after);
        while let Some(row) = found.next()? {
            let seq: i64 = row.get(0)?;
            // Rows of one change stay together, so that the next page can begin behind it.
            if bytes > PAGE_BYTES && seq != last {
                page.through = last;
                break;
            }
            let values = read(row, width)?;
            bytes += values.iter().map(length).sum::<usize>();
            last = seq;
            page.rows.push(values);
        }
        Ok(page)
    }
}

fn read(row: &Row<'_>, width: usize) -> Result<Vec<Value>, StoreError> {
    Ok((0..width).map(|at| row.get_ref(at).map(value)).collect::<Result<_, _>>()?)
}

fn length(value: &Value) -> usize {
    match value {
        Value::Null | Value::Integer(_) | Value::Real(_) => 8,
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::store::Store;

    /// A few new changes among millions of alerts must not cost a look at all of them, nor a sort.
    #[test]
    fn pages_are_found_by_indexes_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("alerts.db");
        drop(Store::open(&path, Clock::System).expect("a store"));
        let store = Reading::open(&path).expect("a store");
        for what in [Exported::Alerts, Exported::Evidence, Exported::Changes] {
            let sql = format!("EXPLAIN QUERY PLAN {}", what.statement());
            let mut plan = store.conn.prepare(&sql).expect("a plan");
            let steps = plan.query_map(params![0, 9, "[]", 9], |row| row.get::<_, String>(3)).expect("steps");
            let steps: Vec<String> = steps.collect::<Result<_, _>>().expect("steps");
            assert!(steps[0].starts_with("SEARCH c USING INTEGER PRIMARY KEY"), "{steps:?}");
            let looks_at_all = |step: &&String| step.starts_with("SCAN") && !step.contains("VIRTUAL TABLE");
            assert!(!steps.iter().any(|step| looks_at_all(&step) || step.contains("TEMP B-TREE")), "{steps:?}");
        }
    }
}
