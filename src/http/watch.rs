//! Owns telling somebody of each exchange.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Who was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A form was posted: the login service.
    Login,
    /// Something was got with a token: the alerts API.
    Api,
}

/// One exchange, as far as its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// Who was asked.
    pub asked: Asked,
    /// The status of the answer; none when no head came.
    pub status: Option<u16>,
    /// From the request to the head, or until it was given up.
    pub took: Duration,
}

type Watcher = Box<dyn Fn(Exchange) + Send + Sync>;

/// A place for the one who is told.
#[derive(Clone, Default)]
pub(super) struct Watch(Arc<OnceLock<Watcher>>);

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Watch({})", self.0.get().is_some())
    }
}

impl Watch {
    pub(super) fn set(&self, watcher: Watcher) {
        // The first one stays: clients are built once for a process.
        drop(self.0.set(watcher));
    }

    pub(super) fn tell(&self, exchange: Exchange) {
        if let Some(watcher) = self.0.get() {
            watcher(exchange);
        }
    }
}
