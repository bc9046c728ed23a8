//! Owns remembering assembled pages, so that asking again costs a look-up.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::page::Page;

/// The most bytes all remembered pages may have together.
const MAX_BYTES: usize = 512 << 20;
/// Pages smaller than this are quicker made than looked after.
const MIN_PAGE_BYTES: usize = 32 * 1024;

/// Tenant and canonical query name a page.
pub(crate) type PageKey = (Arc<str>, String);

#[derive(Debug)]
struct Kept {
    /// The tenant's revision the page was made at; at any other it is of no use.
    revision: u64,
    page: Arc<Page>,
}

#[derive(Debug, Default)]
struct Inner {
    pages: HashMap<PageKey, Kept>,
    order: VecDeque<PageKey>,
}

/// The remembered pages, one for each tenant and query.
#[derive(Debug, Default)]
pub(crate) struct PageCache {
    inner: Mutex<Inner>,
}

impl PageCache {
    pub(crate) fn get(&self, key: &PageKey, revision: u64) -> Option<Arc<Page>> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.pages.get(key).filter(|kept| kept.revision == revision).map(|kept| Arc::clone(&kept.page))
    }

    /// Remembers a page that is worth it in the place of an older one, and forgets the oldest beyond the limit.
    pub(crate) fn put(&self, key: PageKey, revision: u64, page: &Arc<Page>) {
        if page.plain.len() < MIN_PAGE_BYTES {
            return;
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = Kept { revision, page: Arc::clone(page) };
        if inner.pages.insert(key.clone(), kept).is_none() {
            inner.order.push_back(key);
        }
        while inner.pages.values().map(|kept| kept.page.size()).sum::<usize>() > MAX_BYTES {
            let Some(oldest) = inner.order.pop_front() else { break };
            inner.pages.remove(&oldest);
        }
    }
}
