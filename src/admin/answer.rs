//! Owns what is answered to which request.

use std::convert::Infallible;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use super::Seen;
use crate::metrics::{Form, Look};
use crate::store::{Report, StoreError};

/// How long the store is waited for; a monitoring system waits ten seconds.
const STORE_WITHIN: Duration = Duration::from_secs(5);

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const PLACES: &str = "alertferry\n/metrics /healthz /readyz /status\n";

type Answer = Response<Full<Bytes>>;

pub(super) async fn answer(seen: &Seen, request: Request<Incoming>) -> Result<Answer, Infallible> {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered\n");
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Ok(refused);
    }
    Ok(match request.uri().path() {
        "/metrics" => metrics(seen, form(request.headers())).await,
        "/status" => status(seen).await,
        "/healthz" => health(seen.view.pulse.is_alive(), "alive\n", "no tick was dealt with for too long\n"),
        "/readyz" => health(seen.view.pulse.last().is_some(), "ready\n", "starting\n"),
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
    let gauges = within(seen, view.store.gauges()).await.ok();
    let look = Look { gauges, last_tick: view.pulse.last(), tenant_series_limit: view.tenant_series_limit };
    with(StatusCode::OK, form.content_type(), view.metrics.text(look, form))
}

async fn status(seen: &Seen) -> Answer {
    match within(seen, seen.view.store.report()).await.map(|report| json(&report)) {
        Ok(Some(text)) => with(StatusCode::OK, JSON, text),
        Ok(None) | Err(_) => plain(StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read now\n"),
    }
}

fn json(report: &Report) -> Option<String> {
    serde_json::to_string_pretty(report).ok().map(|text| text + "\n")
}

/// A look at the store: one at a time, and not for long.
async fn within<T>(seen: &Seen, look: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let alone = async {
        let _place = seen.looking.acquire().await.map_err(|_| StoreError::Closed)?;
        look.await
    };
    tokio::time::timeout(STORE_WITHIN, alone).await.unwrap_or(Err(StoreError::Busy))
}

fn health(well: bool, yes: &'static str, no: &'static str) -> Answer {
    if well { plain(StatusCode::OK, yes) } else { plain(StatusCode::SERVICE_UNAVAILABLE, no) }
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
