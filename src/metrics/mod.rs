//! Owns the numbers that a monitoring system draws: what has happened since the start, counted where it is told, and
//! how it stands, asked of the store when somebody looks.
//!
//! Names and labels are a public interface: `docs/METRICS.md` has them all, and a test compares the two. Every series
//! that can be known in advance is there from the start, so that a rate over it begins at zero. No label holds a text of
//! the service; the only word of the operator's is the name of an app registration, as the configuration has it.

mod counted;
mod standing;

use std::time::Duration;

use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::clock::Clock;
use crate::domain::Ticks;
use crate::entra::Expiry;
use crate::event::Event;
use crate::http::Exchange;
use crate::store::{Gauges, StoreError};
use counted::Counted;
use standing::Standing;

/// What every name begins with.
const PREFIX: &str = "alertferry";

/// A form that monitoring systems read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `OpenMetrics` 1.0.
    OpenMetrics,
    /// The older text form of Prometheus, 0.0.4.
    Plain,
}

impl Form {
    /// Its media type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Plain => prometheus_text::CONTENT_TYPE,
        }
    }
}

/// What is known when somebody looks.
#[derive(Debug, Clone)]
pub struct Look {
    /// How it stands in the store.
    pub store: StoreLook,
    /// Local clock: when the fleet last dealt with a tick.
    pub last_tick: Option<Ticks>,
    /// When credentials end.
    pub ends: Vec<Expiry>,
    /// With more enabled tenants than this, none has series of its own.
    pub tenant_series_limit: usize,
}

/// What a look at the store has come to.
#[derive(Debug, Clone)]
pub enum StoreLook {
    /// The daemon is still starting.
    NotOpen,
    /// It failed, or took too long.
    Unreadable,
    /// How it stands.
    Read(Gauges),
}

/// Everything that is counted in this process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    counted: Counted,
    reload_ok: Gauge,
    reload_at: Gauge,
    clock: Clock,
}

impl Metrics {
    /// Counters at zero; the process starts now.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        registry.register("build", "The program that runs", Info::new(version));
        let (start, reload_at, reload_ok) = (Gauge::<i64>::default(), Gauge::<i64>::default(), Gauge::<i64>::default());
        let now = clock.now().unix_seconds();
        start.set(now);
        reload_at.set(now);
        reload_ok.set(1);
        let seconds = |registry: &mut Registry, name: &str, help: &str, gauge: &Gauge| {
            registry.register_with_unit(name, help, Unit::Seconds, gauge.clone());
        };
        seconds(&mut registry, "start_timestamp", "When the daemon started", &start);
        seconds(&mut registry, "config_last_reload_timestamp", "When the configuration was last read", &reload_at);
        let help = "Whether the configuration was taken over when it was last read";
        registry.register("config_last_reload_success", help, reload_ok.clone());
        let counted = Counted::new(&mut registry);
        Self { registry, counted, reload_ok, reload_at, clock }
    }

    /// Counts an event.
    pub fn hear(&self, event: &Event<'_>) {
        self.counted.event(event);
        let taken_over = match event.name() {
            "config.reloaded" => 1,
            "config.rejected" => 0,
            _ => return,
        };
        self.reload_ok.set(taken_over);
        self.reload_at.set(self.clock.now().unix_seconds());
    }

    /// Counts an exchange with the login service or the alerts API.
    pub fn exchanged(&self, exchange: Exchange) {
        self.counted.exchange(exchange);
    }

    /// Counts a transaction of the store.
    pub fn committed(&self, took: Duration, trouble: Option<&StoreError>) {
        self.counted.transaction(took, trouble);
    }

    /// All of it as text.
    #[must_use]
    pub fn text(&self, look: Look, form: Form) -> String {
        let mut standing = Registry::with_prefix(PREFIX);
        standing.register_collector(Box::new(Standing(look)));
        let mut shown = String::new();
        let all = [&self.registry, &standing];
        let done = match form {
            Form::OpenMetrics => all
                .into_iter()
                .try_for_each(|registry| text::encode_registry(&mut shown, registry))
                .and_then(|()| text::encode_eof(&mut shown)),
            Form::Plain => all.into_iter().try_for_each(|registry| prometheus_text::encode(&mut shown, registry)),
        };
        // Writing into memory fails for nobody; an empty answer would be seen as the scrape that failed.
        done.map(|()| shown).unwrap_or_default()
    }
}
