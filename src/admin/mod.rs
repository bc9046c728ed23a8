//! Owns the port or socket at which a monitoring system asks, and that no client there can harm the daemon.
//!
//! Off unless it is configured, and then on this machine alone unless that is lifted too. Nothing can be changed
//! through it. There are few connections at a time, each short, with one request and small headers; the store is looked
//! at by one of them at a time.

mod answer;
mod ends;
mod host;
mod listener;
mod pulse;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub use ends::Ends;
pub use listener::AdminError;
pub use pulse::Pulse;

use crate::metrics::Metrics;
use crate::settings::AdminSettings;
use crate::stop::Stop;
use crate::store::Store;
use host::Names;
use listener::{Listener, Stream};

/// So many clients are served at once; others wait in the system's queue, which is bounded too.
const CONNECTIONS: usize = 32;
/// A client that has not sent its request by then is let go.
const REQUEST_WITHIN: Duration = Duration::from_secs(5);
/// A connection may take so long in all, the answer included.
const CONNECTION_WITHIN: Duration = Duration::from_secs(15);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 16 * 1024;
/// Headers of a request.
const HEADERS: usize = 64;
/// Before a connection is accepted again after the system could not.
const AGAIN: Duration = Duration::from_millis(200);

/// What can be seen from outside.
#[derive(Debug)]
pub struct View {
    /// How it stands with tenants, as soon as the store is open.
    pub store: Arc<OnceLock<Arc<Store>>>,
    /// What was counted.
    pub metrics: Arc<Metrics>,
    /// Whether the daemon is alive.
    pub pulse: Arc<Pulse>,
    /// When credentials end.
    pub ends: Arc<Ends>,
    /// With more enabled tenants than this, none has series of its own.
    pub tenant_series_limit: usize,
}

/// A place where monitoring systems can ask.
#[derive(Debug)]
pub struct Admin {
    listener: Listener,
    seen: Arc<Seen>,
}

#[derive(Debug)]
struct Seen {
    view: View,
    names: Names,
    /// Passes need the store's few readers, too.
    looking: Semaphore,
}

impl Admin {
    /// Opens the configured place; none when there is none.
    ///
    /// # Errors
    /// When it is taken or not allowed.
    pub async fn open(settings: &AdminSettings, view: View) -> Result<Option<Self>, AdminError> {
        let Some(listen) = &settings.listen else { return Ok(None) };
        let listener = Listener::open(listen).await?;
        let names = Names::at(listener.port());
        Ok(Some(Self { listener, seen: Arc::new(Seen { view, names, looking: Semaphore::new(1) }) }))
    }

    /// Where it really is: a port that was left to the system is known now.
    #[must_use]
    pub fn address(&self) -> String {
        self.listener.address()
    }

    /// Answers until the stop signal; then whoever is still connected is let go.
    pub async fn serve(self, stop: &Stop) {
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = stop.stopped() => break,
                Some(_) = open.join_next() => {}
                accepted = self.listener.accept(), if open.len() < CONNECTIONS => match accepted {
                    Ok(stream) => drop(open.spawn(connection(stream, Arc::clone(&self.seen)))),
                    // Out of file descriptors, mostly.
                    Err(_) if stop.sleep(AGAIN).await.is_err() => break,
                    Err(_) => {}
                },
            }
        }
        // They hold the store, which is closed next.
        open.shutdown().await;
    }
}

/// One request and its answer.
async fn connection(stream: Stream, seen: Arc<Seen>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(REQUEST_WITHIN)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .keep_alive(false);
    let service = service_fn(|request| answer::answer(&seen, request));
    let served = http.serve_connection(TokioIo::new(stream), service);
    // A client that breaks off, sends what is no request, or takes too long is nobody's trouble but its own.
    drop(tokio::time::timeout(CONNECTION_WITHIN, served).await);
}
