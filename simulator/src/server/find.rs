//! Owns fixing the content of a list: the rows under the world's lock, and the page they make.

use std::sync::Arc;

use super::cache::PageKey;
use super::handle::Asked;
use super::page::Page;
use super::{RequestInfo, Shared};
use crate::alert::Version;
use crate::odata::select::{self, Tie};
use crate::odata::{self, BadQuery, Query};
use crate::world::World;

/// Why there is no page.
#[derive(Debug)]
pub(super) enum NoPage {
    UnknownTenant,
    BadQuery(BadQuery),
}

/// The rows of an answer, and the page if it was made before.
pub(super) struct Found {
    pub(super) rows: Arc<[Arc<Version>]>,
    page: Option<Arc<Page>>,
    /// Under which name and revision the page may be kept.
    key: Option<(PageKey, u64)>,
    host: String,
}

impl Found {
    /// The page of these rows, kept for the next one who asks.
    pub(super) fn page(self, shared: &Shared, query: &Query, gzip: bool) -> Arc<Page> {
        let made = self.page.is_some();
        let page = self.page.unwrap_or_else(|| Arc::new(Page::assemble(&self.host, query, self.rows)));
        if gzip {
            // Made before it is kept, so that its size counts.
            drop(page.gzip());
        }
        if let Some((key, revision)) = self.key.filter(|_| !made) {
            shared.cache.put(key, revision, &page);
        }
        page
    }
}

/// Finds the rows under the world's lock, then lets the hooks change the world.
pub(super) fn find(
    shared: &Shared,
    asked: &Asked,
    query: &Query,
    tie: Tie,
    cached: bool,
    mut info: RequestInfo,
) -> Option<Found> {
    shared.with_world(|world| {
        let found = look_up(shared, world, (&asked.tenant, &asked.raw_query), query, tie, cached)?;
        info.rows = found.rows.len();
        run_snapshot_hooks(shared, &info, world);
        Some(found)
    })
}

/// Finds the rows of a tenant and raw query; remembered pages are looked at only if `cached`.
fn look_up(
    shared: &Shared,
    world: &mut World,
    (tenant, raw_query): (&str, &str),
    query: &Query,
    tie: Tie,
    cached: bool,
) -> Option<Found> {
    let (limit, host) = (world.options.page_limit, world.options.context_host.clone());
    let tenant = world.settle(tenant)?;
    let name = || format!("{limit} {host} {}", odata::canonical(raw_query));
    let key = cached.then(|| ((Arc::clone(&tenant.id), name()), tenant.revision()));
    let page = key.as_ref().and_then(|(key, revision)| shared.cache.get(key, *revision));
    let rows = match &page {
        Some(page) => Arc::clone(&page.rows),
        None => select::rows(tenant, query, limit, tie).into(),
    };
    Some(Found { rows, page, key, host })
}

/// Lets the hooks change the world now that an answer's content is fixed.
pub(super) fn run_snapshot_hooks(shared: &Shared, info: &RequestInfo, world: &mut World) {
    for hook in shared.hooks(|hooks| &hooks.on_snapshot) {
        hook(info, world);
    }
}

impl Shared {
    /// Makes a page on the calling thread, plain and compressed, and keeps it.
    pub(super) fn prepared_page(&self, tenant: &str, raw_query: &str) -> Result<Arc<Page>, NoPage> {
        let limit = self.with_world(|world| world.options.page_limit);
        let query = Query::parse(raw_query, limit).map_err(NoPage::BadQuery)?;
        let found = self.with_world(|world| look_up(self, world, (tenant, raw_query), &query, Tie::Id, true));
        Ok(found.ok_or(NoPage::UnknownTenant)?.page(self, &query, true))
    }
}
