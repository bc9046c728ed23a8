//! Owns what is counted: events, exchanges, transactions, and what passes came to.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::domain::FailureClass;
use crate::event::{CATALOG, Event};
use crate::http::{Asked, Exchange};
use crate::store::StoreError;

type One = [(&'static str, &'static str); 1];
type Two = [(&'static str, &'static str); 2];

/// How a pass can end.
const PASSES: [&str; 3] = ["read", "partial", "failed"];
/// What can become of an alert that was received.
const ALERTS: [&str; 4] = ["created", "updated", "unchanged", "quarantined"];
/// How a request can end.
const ANSWERS: [&str; 8] =
    ["ok", "unauthorized", "forbidden", "throttled", "refused", "server_error", "no_answer", "other"];

/// Seconds of a pass: most take one request, the longest a minute and the end of its last one.
const PASS_SECONDS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 120.0];
/// Seconds until the head of an answer.
const REQUEST_SECONDS: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];
/// Seconds of a transaction.
const COMMIT_SECONDS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];

/// Everything that only goes up.
#[derive(Debug)]
pub(super) struct Counted {
    events: Family<Two, Counter>,
    passes: Family<One, Counter>,
    pass_seconds: Histogram,
    alerts: Family<One, Counter>,
    throttled: Counter,
    bytes: Counter,
    api: Family<One, Counter>,
    api_seconds: Histogram,
    tokens: Family<One, Counter>,
    commit_seconds: Histogram,
    store_errors: Family<One, Counter>,
}

impl Counted {
    /// Counters at zero, each known to `registry` with all its series.
    pub(super) fn new(registry: &mut Registry) -> Self {
        let counted = Self {
            events: Family::default(),
            passes: family("outcome", &PASSES),
            pass_seconds: Histogram::new(PASS_SECONDS),
            alerts: family("outcome", &ALERTS),
            throttled: Counter::default(),
            bytes: Counter::default(),
            api: family("outcome", &ANSWERS),
            api_seconds: Histogram::new(REQUEST_SECONDS),
            tokens: family("outcome", &ANSWERS),
            commit_seconds: Histogram::new(COMMIT_SECONDS),
            store_errors: family("kind", &StoreError::KINDS),
        };
        for event in CATALOG {
            for level in event.levels {
                drop(counted.events.get_or_create(&[("event", event.name), ("level", level_name(*level))]));
            }
        }
        counted.register(registry);
        counted
    }

    fn register(&self, registry: &mut Registry) {
        registry.register("events", "Events by name and level, also those below the log's level", self.events.clone());
        registry.register("passes", "Passes that ended, by how", self.passes.clone());
        let help = "How long passes took";
        registry.register_with_unit("pass_duration", help, Unit::Seconds, self.pass_seconds.clone());
        registry.register(
            "alerts",
            "Alerts received by passes that ended, by what became of them",
            self.alerts.clone(),
        );
        registry.register(
            "throttled_passes",
            "Passes that ended because the service, or our own quota, asks to wait",
            self.throttled.clone(),
        );
        let help = "Bytes of answers of the alerts API after decompression, by passes that ended";
        registry.register_with_unit("api_received", help, Unit::Bytes, self.bytes.clone());
        registry.register("api_requests", "Requests to the alerts API, by answer", self.api.clone());
        let help = "How long the alerts API took to begin an answer, or until it was given up";
        registry.register_with_unit("api_request_duration", help, Unit::Seconds, self.api_seconds.clone());
        registry.register("token_requests", "Requests to the login service, by answer", self.tokens.clone());
        let help = "How long transactions of the store took, also those that failed";
        registry.register_with_unit("store_commit_duration", help, Unit::Seconds, self.commit_seconds.clone());
        registry.register("store_errors", "Transactions of the store that failed, by why", self.store_errors.clone());
    }

    pub(super) fn event(&self, event: &Event<'_>) {
        self.events.get_or_create(&[("event", event.name()), ("level", level_name(event.level()))]).inc();
        if let Event::PassFinished { outcome, created, updated, unchanged, quarantined, bytes, ms, class, .. } = event {
            if let Some(outcome) = PASSES.into_iter().find(|known| known == outcome) {
                self.passes.get_or_create(&[("outcome", outcome)]).inc();
            }
            for (outcome, count) in ALERTS.into_iter().zip([created, updated, unchanged, quarantined]) {
                self.alerts.get_or_create(&[("outcome", outcome)]).inc_by(*count);
            }
            self.bytes.inc_by(*bytes);
            self.pass_seconds.observe(Duration::from_millis(*ms).as_secs_f64());
            if *class == Some(FailureClass::Throttled) {
                self.throttled.inc();
            }
        }
    }

    pub(super) fn exchange(&self, exchange: Exchange) {
        let answer = [("outcome", answer_name(exchange.status))];
        match exchange.asked {
            Asked::Login => self.tokens.get_or_create(&answer).inc(),
            Asked::Api => {
                self.api_seconds.observe(exchange.took.as_secs_f64());
                self.api.get_or_create(&answer).inc()
            }
        };
    }

    pub(super) fn transaction(&self, took: Duration, trouble: Option<&StoreError>) {
        self.commit_seconds.observe(took.as_secs_f64());
        if let Some(trouble) = trouble {
            self.store_errors.get_or_create(&[("kind", trouble.kind())]).inc();
        }
    }
}

/// A family of counters with all its series at zero.
fn family(label: &'static str, values: &[&'static str]) -> Family<One, Counter> {
    let family = Family::<One, Counter>::default();
    for value in values {
        drop(family.get_or_create(&[(label, value)]));
    }
    family
}

const fn answer_name(status: Option<u16>) -> &'static str {
    match status {
        None => "no_answer",
        Some(200..=299) => "ok",
        Some(401) => "unauthorized",
        Some(403) => "forbidden",
        Some(429) => "throttled",
        Some(400..=499) => "refused",
        Some(500..=599) => "server_error",
        Some(_) => "other",
    }
}

const fn level_name(level: tracing::Level) -> &'static str {
    match level {
        tracing::Level::ERROR => "error",
        tracing::Level::WARN => "warn",
        tracing::Level::INFO => "info",
        tracing::Level::DEBUG => "debug",
        tracing::Level::TRACE => "trace",
    }
}
