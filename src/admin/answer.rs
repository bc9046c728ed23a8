//! Owns what is answered to which request.

use std::convert::Infallible;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde::Serialize;

use super::Seen;
use crate::domain::Ticks;
use crate::entra::Expiry;
use crate::metrics::{Form, Look, StoreLook};
use crate::store::{Report, StoreError};

/// How long the store is waited for; a monitoring system waits ten seconds.
const STORE_WITHIN: Duration = Duration::from_secs(5);

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const PLACES: &str = "alertferry\n/metrics /healthz /readyz /status\n";
const STRANGER: &str = "only localhost or an address of this machine, with the port, is answered as Host\n";

type Answer = Response<Full<Bytes>>;

pub(super) async fn answer(seen: &Seen, request: Request<Incoming>) -> Result<Answer, Infallible> {
    if let Some(status) = seen.names.refusal(&request) {
        return Ok(plain(status, STRANGER));
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered\n");
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Ok(refused);
    }
    Ok(match request.uri().path() {
        "/metrics" => metrics(seen, form(request.headers())).await,
        "/status" => status(seen).await,
        "/healthz" => health(seen.view.pulse.trouble(), "alive\n"),
        "/readyz" => health(seen.view.pulse.last().is_none().then_some("starting"), "ready\n"),
        "/" => plain(StatusCode::OK, PLACES),
        _ => plain(StatusCode::NOT_FOUND, PLACES),
    })
}

/// `OpenMetrics`, unless somebody wants text and does not know that.
fn form(headers: &HeaderMap) -> Form {
    let mut accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let wants = |name: &str, text: &str| text.contains(name);
    let all: Vec<&str> = accepted.by_ref().collect();
    let known = all.iter().any(|text| wants("application/openmetrics-text", text));
    if !known && all.iter().any(|text| wants("text/plain", text)) { Form::Plain } else { Form::OpenMetrics }
}

async fn metrics(seen: &Seen, form: Form) -> Answer {
    let view = &seen.view;
    let store = match view.store.get() {
        None => StoreLook::NotOpen,
        Some(store) => within(seen, store.gauges()).await.map_or(StoreLook::Unreadable, StoreLook::Read),
    };
    let (last_tick, ends) = (view.pulse.last(), view.ends.known());
    let look = Look { store, last_tick, ends, tenant_series_limit: view.tenant_series_limit };
    with(StatusCode::OK, form.content_type(), view.metrics.text(look, form))
}

async fn status(seen: &Seen) -> Answer {
    let Some(store) = seen.view.store.get() else { return plain(StatusCode::SERVICE_UNAVAILABLE, "starting\n") };
    match within(seen, store.report()).await.map(|report| json(&report, &seen.view.ends.known(), store.now())) {
        Ok(Some(text)) => with(StatusCode::OK, JSON, text),
        Ok(None) | Err(_) => plain(StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read now\n"),
    }
}

/// What the command `status` says, and what only the daemon knows.
#[derive(Serialize)]
struct Status<'a> {
    #[serde(flatten)]
    report: &'a Report,
    credentials: Vec<End<'a>>,
}

/// When a credential ends. Where it is found is nobody's business here.
#[derive(Serialize)]
struct End<'a> {
    app: &'a str,
    number: usize,
    kind: &'static str,
    ends_at: String,
    days_left: i64,
}

fn json(report: &Report, ends: &[Expiry], now: Ticks) -> Option<String> {
    let credentials = ends.iter().map(|expiry| {
        let Expiry { app, number, kind, .. } = expiry;
        let (ends_at, days_left) = (expiry.ends_at.to_string(), expiry.days_left(now));
        End { app, number: *number, kind: kind.name(), ends_at, days_left }
    });
    let credentials = credentials.collect();
    serde_json::to_string_pretty(&Status { report, credentials }).ok().map(|text| text + "\n")
}

/// A look at the store: one at a time, and not for long.
async fn within<T>(seen: &Seen, look: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let alone = async {
        let _place = seen.looking.acquire().await.map_err(|_| StoreError::Closed)?;
        look.await
    };
    tokio::time::timeout(STORE_WITHIN, alone).await.unwrap_or(Err(StoreError::Busy))
}

fn health(trouble: Option<&str>, well: &'static str) -> Answer {
    match trouble {
        None => plain(StatusCode::OK, well),
        Some(why) => with(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{why}\n")),
    }
}

fn plain(status: StatusCode, text: &'static str) -> Answer {
    with(status, TEXT, text)
}

fn with(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newer_form_is_the_usual_one() {
        let form_of = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            form(&headers)
        };
        assert_eq!(form(&HeaderMap::new()), Form::OpenMetrics);
        assert_eq!(form_of("*/*"), Form::OpenMetrics);
        assert_eq!(
            form_of("application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5"),
            Form::OpenMetrics
        );
        assert_eq!(form_of("text/plain; version=0.0.4"), Form::Plain);
    }
}
