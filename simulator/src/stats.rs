//! Owns what the simulator saw: counters per tenant and route, requests in flight, and a bounded log.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::fault::Route;
use crate::ticks::Ticks;

/// One request that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// World time of its arrival.
    pub at: Ticks,
    /// The tenant of its path (login) or token (API); empty when it named none.
    pub tenant: String,
    /// What was asked.
    pub route: Route,
    /// Method and path.
    pub target: String,
    /// The query with encodings undone, options in sent order.
    pub query: String,
    /// The HTTP status that was answered; `None` when the connection was cut or hung before.
    pub status: Option<u16>,
    /// Alerts in the answer.
    pub rows: usize,
}

/// Counters of one tenant and route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that arrived.
    pub requests: u64,
    /// Answers by HTTP status.
    pub by_status: BTreeMap<u16, u64>,
    /// Alerts that were answered.
    pub rows: u64,
    in_flight: u64,
    max_in_flight: u64,
}

#[derive(Debug, Default)]
struct Inner {
    counts: HashMap<(String, Route), Counts>,
    log: VecDeque<RequestRecord>,
    /// How many records have left the log.
    dropped: usize,
    capacity: usize,
    in_flight: u64,
    max_in_flight: u64,
    connections: u64,
    held: u64,
}

/// A handle on the simulator's counters and log; clones look at the same.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    inner: Arc<Mutex<Inner>>,
}

impl Stats {
    pub(crate) fn new(capacity: usize) -> Self {
        let inner = Inner { capacity: capacity.max(1), ..Inner::default() };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests of one tenant and route.
    pub fn requests(&self, tenant: &str, route: Route) -> u64 {
        self.counts(tenant, route).requests
    }

    /// The counters of one tenant and route; [`Route::Any`] adds its routes up.
    pub fn counts(&self, tenant: &str, route: Route) -> Counts {
        let inner = self.lock();
        let tenant = tenant.to_ascii_lowercase();
        let routes = Route::CONCRETE.into_iter().filter(|at| route.covers(*at));
        let mine = routes.filter_map(|at| inner.counts.get(&(tenant.clone(), at)));
        mine.fold(Counts::default(), Counts::plus)
    }

    /// Requests of all tenants.
    pub fn total(&self, route: Route) -> u64 {
        let inner = self.lock();
        inner.counts.iter().filter(|((_, at), _)| route.covers(*at)).map(|(_, counts)| counts.requests).sum()
    }

    /// Answers of all tenants with one status.
    pub fn total_status(&self, route: Route, status: u16) -> u64 {
        let inner = self.lock();
        let counts = inner.counts.iter().filter(|((_, at), _)| route.covers(*at));
        counts.filter_map(|(_, counts)| counts.by_status.get(&status)).sum()
    }

    /// The most requests of one tenant that were in flight at once, from arrival to the end of the body.
    pub fn max_in_flight(&self, tenant: &str, route: Route) -> u64 {
        self.counts(tenant, route).max_in_flight
    }

    /// The most requests of all tenants that were in flight at once.
    pub fn max_in_flight_total(&self) -> u64 {
        self.lock().max_in_flight
    }

    /// Requests of all tenants that are in flight now.
    pub fn in_flight(&self) -> u64 {
        self.lock().in_flight
    }

    /// Requests whose answers are held back by a fault now, and go on when time passes, or never.
    pub fn held(&self) -> u64 {
        self.lock().held
    }

    /// Counts an answer as held back until the result is dropped.
    pub(crate) fn hold(&self) -> Held {
        self.lock().held += 1;
        Held(self.clone())
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> u64 {
        self.lock().connections
    }

    /// The newest requests in order of arrival, at most the world's `log_capacity`.
    pub fn log(&self) -> Vec<RequestRecord> {
        self.lock().log.iter().cloned().collect()
    }

    /// The logged requests of one tenant and route.
    pub fn log_of(&self, tenant: &str, route: Route) -> Vec<RequestRecord> {
        let inner = self.lock();
        let tenant = tenant.to_ascii_lowercase();
        inner.log.iter().filter(|record| record.tenant == tenant && route.covers(record.route)).cloned().collect()
    }

    /// Forgets counters and log, but not what is in flight.
    pub fn reset(&self) {
        let mut inner = self.lock();
        inner.dropped += inner.log.len();
        inner.log.clear();
        let in_flight = inner.in_flight;
        inner.max_in_flight = in_flight;
        inner.counts.retain(|_, counts| counts.in_flight > 0);
        for counts in inner.counts.values_mut() {
            let in_flight = counts.in_flight;
            *counts = Counts { in_flight, max_in_flight: in_flight, ..Counts::default() };
        }
    }

    pub(crate) fn connected(&self) {
        self.lock().connections += 1;
    }

    /// Records an arrival; the ticket reports the answer and, when dropped, the end.
    pub(crate) fn arrive(&self, record: RequestRecord) -> Ticket {
        let mut inner = self.lock();
        let key = (record.tenant.clone(), record.route);
        let counts = inner.counts.entry(key.clone()).or_default();
        counts.requests += 1;
        counts.in_flight += 1;
        counts.max_in_flight = counts.max_in_flight.max(counts.in_flight);
        inner.in_flight += 1;
        inner.max_in_flight = inner.max_in_flight.max(inner.in_flight);
        if inner.log.len() >= inner.capacity {
            inner.log.pop_front();
            inner.dropped += 1;
        }
        let number = inner.dropped + inner.log.len();
        inner.log.push_back(record);
        Ticket { stats: self.clone(), key, number }
    }
}

impl Counts {
    fn plus(mut self, other: &Self) -> Self {
        self.requests += other.requests;
        self.rows += other.rows;
        self.in_flight += other.in_flight;
        self.max_in_flight = self.max_in_flight.max(other.max_in_flight);
        for (status, count) in &other.by_status {
            *self.by_status.entry(*status).or_default() += count;
        }
        self
    }
}

/// One request in flight.
#[derive(Debug)]
pub(crate) struct Ticket {
    stats: Stats,
    key: (String, Route),
    number: usize,
}

impl Ticket {
    /// Counts the answer as held back until the result is dropped.
    pub(crate) fn hold(&self) -> Held {
        self.stats.hold()
    }

    pub(crate) fn answered(&self, status: u16, rows: usize) {
        let mut inner = self.stats.lock();
        let counts = inner.counts.entry(self.key.clone()).or_default();
        *counts.by_status.entry(status).or_default() += 1;
        counts.rows += u64::try_from(rows).unwrap_or(0);
        let index = self.number.checked_sub(inner.dropped);
        if let Some(record) = index.and_then(|index| inner.log.get_mut(index)) {
            record.status = Some(status);
            record.rows = rows;
        }
    }
}

/// An answer that is held back.
#[derive(Debug)]
pub(crate) struct Held(Stats);

impl Drop for Held {
    fn drop(&mut self) {
        let mut inner = self.0.lock();
        inner.held = inner.held.saturating_sub(1);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut inner = self.stats.lock();
        inner.in_flight = inner.in_flight.saturating_sub(1);
        if let Some(counts) = inner.counts.get_mut(&self.key) {
            counts.in_flight = counts.in_flight.saturating_sub(1);
        }
    }
}
