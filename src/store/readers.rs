//! Owns the connections that only read.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::anchor::Anchor;
use super::{StoreError, connection};

/// So many reads run at once; the machine has few cores, and each connection has a page cache.
const READERS: usize = 4;

/// A few read-only connections, opened when first needed and kept.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    anchor: Arc<Anchor>,
    /// Whether reads run where they are asked for, and not away from the async threads.
    here: bool,
    places: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: &Path, anchor: Arc<Anchor>, here: bool) -> Self {
        Self { path: path.to_owned(), anchor, here, places: Semaphore::new(READERS), idle: Mutex::default() }
    }

    /// The database file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` on a read-only connection, away from the async threads.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _place = self.places.acquire().await.map_err(|_| StoreError::Closed)?;
        let this = Arc::clone(self);
        let run = move || {
            this.anchor.holds()?;
            let idle = this.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
            let conn = idle.map_or_else(|| connection::reader(&this.path), Ok)?;
            let result = work(&conn);
            this.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(conn);
            result
        };
        if self.here {
            return run();
        }
        tokio::task::spawn_blocking(run).await.map_err(|_| StoreError::Closed)?
    }
}
