//! Owns the running simulator: one listener for both services, its connections, and the handles tests hold.

mod api;
mod body;
mod cache;
mod connection;
mod find;
mod handle;
mod login;
mod page;
mod reply;
mod spoil;
mod tls;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::entra::token::Signer;
use crate::fault::{Faults, Route};
use crate::limits::Limiter;
use crate::odata::BadQuery;
use crate::stats::Stats;
use crate::ticks::Ticks;
use crate::world::World;

/// What a hook is told about a request.
#[derive(Clone, Debug)]
pub struct RequestInfo {
    /// The tenant of the token; empty without a valid one.
    pub tenant: String,
    /// What is asked.
    pub route: Route,
    /// The path.
    pub path: String,
    /// The query with encodings undone.
    pub query: String,
    /// World time of its arrival.
    pub at: Ticks,
    /// Counts the requests to the API, from 1.
    pub number: u64,
    /// Alerts in the answer; zero before they are known.
    pub rows: usize,
}

/// Changes the world in the middle of a request.
pub type Hook = dyn Fn(&RequestInfo, &mut World) + Send + Sync;

#[derive(Default)]
struct Hooks {
    on_request: Vec<Arc<Hook>>,
    on_snapshot: Vec<Arc<Hook>>,
}

/// What every connection shares.
struct Shared {
    world: Mutex<World>,
    faults: Faults,
    stats: Stats,
    limiter: Mutex<Limiter>,
    signer: Signer,
    tls: Option<tls::Tls>,
    cache: cache::PageCache,
    hooks: Mutex<Hooks>,
    api_requests: AtomicU64,
}

impl Shared {
    fn with_world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn hooks(&self, choose: impl FnOnce(&Hooks) -> &Vec<Arc<Hook>>) -> Vec<Arc<Hook>> {
        choose(&self.hooks.lock().unwrap_or_else(PoisonError::into_inner)).clone()
    }
}

/// A handle on the world of a running simulator.
#[derive(Clone)]
pub struct WorldHandle {
    shared: Arc<Shared>,
}

impl WorldHandle {
    /// Looks at or changes the world; no request is answered meanwhile. Not to be nested, nor used inside a hook.
    pub fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        self.shared.with_world(look)
    }
}

impl fmt::Debug for WorldHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorldHandle")
    }
}

/// A page that was made before anybody asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// Alerts in it.
    pub rows: usize,
    /// Bytes of the plain body.
    pub bytes: usize,
    /// Bytes of the compressed body.
    pub gzip_bytes: usize,
}

/// Why a page could not be made beforehand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// The tenant does not exist.
    #[error("tenant {0} is not in this world")]
    UnknownTenant(String),
    /// The API would answer 400.
    #[error("bad query: {0}")]
    BadQuery(String),
}

/// A running simulator. Dropping it stops it, too, only without waiting.
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Simulator {
    /// Serves a world on a free port of 127.0.0.1.
    pub async fn start(world: World) -> io::Result<Self> {
        Self::bind(world, SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Serves a world on a given address. It is plain HTTP, so it should be a loopback one.
    pub async fn bind(world: World, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Self::serve(world, listener, None)
    }

    /// The same over TLS, with a certificate for the address and `localhost` of an authority that is made for it.
    pub async fn bind_tls(world: World, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let tls = tls::Tls::new(listener.local_addr()?)?;
        Self::serve(world, listener, Some(tls))
    }

    fn serve(world: World, listener: TcpListener, tls: Option<tls::Tls>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let signer = Signer::generate().map_err(|_| io::Error::other("no signing key could be made"))?;
        let shared = Arc::new(Shared {
            faults: Faults::new(),
            stats: Stats::new(world.options.log_capacity),
            limiter: Mutex::default(),
            signer,
            tls,
            cache: cache::PageCache::default(),
            hooks: Mutex::default(),
            api_requests: AtomicU64::new(0),
            world: Mutex::new(world),
        });
        let accepting = connection::spawn_accepting(listener, Arc::clone(&shared));
        Ok(Self { shared, address, accepting })
    }

    /// The base of the token endpoint, `http://127.0.0.1:PORT`, or `https:` over TLS.
    pub fn login_url(&self) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The base of the alerts API; the same listener.
    pub fn api_url(&self) -> String {
        self.login_url()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of the authority whom clients have to believe, as PEM; `None` over plain HTTP.
    pub fn authority(&self) -> Option<&str> {
        self.shared.tls.as_ref().map(|tls| &*tls.authority)
    }

    /// A handle on the world.
    pub fn world(&self) -> WorldHandle {
        WorldHandle { shared: Arc::clone(&self.shared) }
    }

    /// A handle on the fault rules.
    pub fn faults(&self) -> Faults {
        self.shared.faults.clone()
    }

    /// A handle on counters and log.
    pub fn stats(&self) -> Stats {
        self.shared.stats.clone()
    }

    /// Forgets the calls counted against the rate limits.
    pub fn reset_rate_limits(&self) {
        self.shared.limiter.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Calls `hook` for every request to the API, after its arrival was recorded and before it is answered.
    ///
    /// It runs under the world's lock: it changes the world it is given and must not use [`WorldHandle`].
    pub fn on_request(&self, hook: Box<Hook>) {
        let mut hooks = self.shared.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        hooks.on_request.push(hook.into());
    }

    /// Calls `hook` for every list or alert that was found, after its content was fixed and before its bytes leave.
    ///
    /// It runs under the world's lock, as [`Simulator::on_request`] does.
    pub fn on_snapshot(&self, hook: Box<Hook>) {
        let mut hooks = self.shared.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        hooks.on_snapshot.push(hook.into());
    }

    /// Forgets all hooks.
    pub fn clear_hooks(&self) {
        *self.shared.hooks.lock().unwrap_or_else(PoisonError::into_inner) = Hooks::default();
    }

    /// Makes the page of a query (`$filter=…&$top=…`, encoded or not) plain and compressed, so that serving it costs
    /// no more than copying. It stays made until something changes in that tenant.
    pub fn prepare(&self, tenant: &str, query: &str) -> Result<Prepared, PrepareError> {
        let page = self.shared.prepared_page(tenant, query).map_err(|error| match error {
            find::NoPage::UnknownTenant => PrepareError::UnknownTenant(tenant.to_owned()),
            find::NoPage::BadQuery(BadQuery(message)) => PrepareError::BadQuery(message),
        })?;
        Ok(Prepared { rows: page.rows.len(), bytes: page.plain.len(), gzip_bytes: page.gzip().len() })
    }

    /// A token as the token endpoint would issue it, without asking over HTTP; `None` when it would refuse.
    ///
    /// For benches and for clients of the API alone.
    pub fn token(&self, tenant: &str) -> Option<String> {
        login::direct_token(&self.shared, tenant)
    }

    /// Stops: no more connections, all open ones are dropped at once.
    pub async fn stop(mut self) {
        self.accepting.abort();
        // An aborted task always reports that it was cancelled; there is nothing else to learn here.
        if (&mut self.accepting).await.is_err() {}
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("address", &self.address).finish_non_exhaustive()
    }
}
