//! Owns requests to the alerts API: a window and a token become a stream of rows, within the service's limits.
//!
//! The service pages nothing: `$top` caps the whole answer, there is no next link to follow, and a link that does
//! appear is ignored. What a full answer means is for the caller to find out.

mod error;
mod page;
mod query;
mod quota;
mod reading;
#[doc(hidden)]
pub mod split;

use std::sync::Arc;
use std::time::Duration;

pub use error::ApiError;
use error::Malformed;
pub use page::Page;
pub use query::{MOST_ROWS, Order, Query};
use quota::Quota;
pub use quota::{LONGEST_WAIT, Rates};
pub use reading::{Piece, Reading};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::clock::Clock;
use crate::domain::{Alert, AlertId, Tenant, TenantId, Ticks};
use crate::http::{Answer, Http, Limits};
use crate::secret::{Secret, hidden};

/// The largest body of a list, after decompression: four times a full answer with large alerts.
const LIST_BYTES: u64 = 256 * 1024 * 1024;
/// The largest body of one alert, or of an error.
const SMALL_BYTES: u64 = 8 * 1024 * 1024;
/// Between two pieces of a body.
const IDLE: Duration = Duration::from_secs(20);

/// The alerts API. Clones share connections and the count of calls.
#[derive(Debug, Clone)]
pub struct Defender {
    http: Http,
    timeout: Duration,
    quota: Arc<Quota>,
}

/// What a small request told about the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// A time of the service's clock not after the moment of asking.
    pub asked_at: Ticks,
    /// The service's clock when it answered, to whole seconds.
    pub date: Ticks,
    /// How long it took to answer.
    pub latency: Duration,
}

impl Defender {
    /// The API over `http`; a whole answer may take `timeout`, calls are kept within `rates`, and a wait that
    /// the service asks for is measured by `clock`.
    #[must_use]
    pub fn new(http: Http, timeout: Duration, rates: Rates, clock: Clock) -> Self {
        Self { http, timeout, quota: Arc::new(Quota::new(rates, clock)) }
    }

    /// The same API, with the same count of calls, where a whole answer may take `timeout`.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout, ..self.clone() }
    }

    /// Sends `query` for `tenant`; the rows are then pulled out of the [`Reading`].
    ///
    /// # Errors
    /// When no list begins to arrive.
    pub async fn read(&self, tenant: &Tenant, token: &Secret, query: &Query) -> Result<Reading, ApiError> {
        let answer = self.get(tenant, token, &query.url(&tenant.api_url), LIST_BYTES).await?;
        Ok(Reading::new(answer, tenant.id, !query.evidence, query.lenient))
    }

    /// Reads one alert, with its evidence.
    ///
    /// # Errors
    /// When it does not arrive whole, or is no usable alert of this tenant.
    pub async fn alert(&self, tenant: &Tenant, token: &Secret, id: &AlertId) -> Result<Alert, ApiError> {
        let mut answer = self.get(tenant, token, &query::alert_url(&tenant.api_url, id), SMALL_BYTES).await?;
        let body = answer.text().await?;
        let alert =
            Alert::scan(without_context(&body).into_bytes(), false).map_err(|e| ApiError::Malformed(e.reason))?;
        match alert.tenant {
            Some(other) if other != tenant.id => Err(ApiError::ForeignAlert(other)),
            _ => Ok(alert),
        }
    }

    /// Asks for alerts of the far future: the answer is empty, but shows that the service is alive and what time it
    /// has.
    ///
    /// # Errors
    /// When the service does not answer such a request, or does not say its time.
    pub async fn look(&self, tenant: &Tenant, token: &Secret) -> Result<Look, ApiError> {
        let far = Query { order: Order::Unasked, evidence: false, ..Query::since(Ticks::MAX, 1) };
        let mut answer = self.get(tenant, token, &far.url(&tenant.api_url), SMALL_BYTES).await?;
        let latency = answer.head_after();
        let times = answer.asked_at().zip(answer.date());
        answer.text().await?;
        match times {
            Some((asked_at, date)) => Ok(Look { asked_at, date, latency }),
            None => Err(ApiError::Malformed("the answer has no `Date`, so no window can be computed".to_owned())),
        }
    }

    /// Calls made for a tenant within the last hour.
    #[must_use]
    pub fn spent(&self, tenant: TenantId) -> u32 {
        self.quota.spent(tenant)
    }

    /// Takes over calls that an earlier process made and counted `age` ago.
    pub fn restore_spent(&self, tenant: TenantId, spent: u32, age: Duration) {
        self.quota.restore(tenant, spent, age);
    }

    async fn get(&self, tenant: &Tenant, token: &Secret, url: &str, body_bytes: u64) -> Result<Answer, ApiError> {
        if let Some(left) = self.quota.held(tenant.id, &tenant.app) {
            return Err(ApiError::Held(left));
        }
        self.quota.take(tenant.id).map_err(ApiError::Quota)?;
        let limits = Limits { head: self.timeout, idle: IDLE, total: self.timeout, body_bytes };
        let mut answer = self.http.get(url, token, limits).await?;
        if answer.status() == 200 {
            return Ok(answer);
        }
        let (status, retry_after) = (answer.status(), answer.retry_after(self.quota.now()));
        // The status alone decides; a body that does not arrive only makes the message shorter.
        let body = answer.text().await.unwrap_or_default();
        let error = ApiError::from_answer(status, &without_token(&body, token), retry_after);
        // A refused token is no wish to be left alone: it is renewed, and the same is asked again.
        if let Some(wait) = error.failure().retry_after.filter(|_| status != 401) {
            self.quota.hold(tenant.id, &tenant.app, wait);
        }
        Err(error)
    }
}

/// The text of an error answer without the token or one of its parts: there are servers and proxies that repeat what
/// they were sent.
fn without_token(body: &str, token: &Secret) -> String {
    token.expose().split('.').fold(hidden(body, token.expose()), |text, part| hidden(&text, part))
}

/// The text of a single alert without the annotation in front of it, so that it is the text a list would have.
fn without_context(body: &str) -> String {
    #[derive(Deserialize)]
    struct Annotated<'a> {
        #[serde(borrow, rename = "@odata.context")]
        context: &'a RawValue,
    }
    let body = body.trim();
    let rest = serde_json::from_str::<Annotated<'_>>(body).ok().and_then(|annotated| {
        let before = body.find(annotated.context.get())?;
        body[before + annotated.context.get().len()..].trim_start().strip_prefix(',')
    });
    match rest {
        Some(rest) if body.starts_with("{\"@odata.context\":") => format!("{{{rest}"),
        _ => body.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_token_nor_a_part_of_it_is_repeated() {
        let token =
            Secret::new("eyJhbGciOiJSUzI1NiJ9.eyJ0aWQiOiJjb250b3NvIn0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg".to_owned());
        for part in token.expose().split('.').chain([token.expose()]) {
            let shown = without_token(&format!("no: {part}, said the proxy"), &token);
            assert!(shown.starts_with("no: ") && shown.ends_with(", said the proxy"), "{shown}");
            assert!(!shown.contains(part), "{shown}");
        }
    }

    #[test]
    fn the_annotation_goes_and_the_rest_stays_to_the_byte() {
        let with = r#"{"@odata.context":"https://h/$metadata#Alerts/$entity","id":"a", "x":[1.0]}"#;
        assert_eq!(without_context(with), r#"{"id":"a", "x":[1.0]}"#);
        for other in [r#"{"id":"a"}"#, r#"{"id":"a","@odata.context":"c"}"#, r#"{"@odata.context":"c"}"#, "no"] {
            assert_eq!(without_context(other), other);
        }
    }
}
