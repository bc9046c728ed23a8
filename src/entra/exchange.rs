//! Owns one request to the token endpoint with one credential.

use std::time::Duration;

use super::app::{App, Endpoint};
use super::classify::{Verdict, classify};
use super::credential::Sent;
use super::moment::Moment;
use super::reply::Issued;
use crate::clock::Clock;
use crate::domain::{Tenant, Ticks};
use crate::http::{Http, HttpError, Limits};

/// The login service answers within a second; after this its load balancer has given up, too.
const HEAD: Duration = Duration::from_secs(20);
/// The body comes in one or two pieces right after the head.
const IDLE: Duration = Duration::from_secs(10);
/// A whole sign-in, so that one credential cannot hold a pass for long.
const TOTAL: Duration = Duration::from_secs(30);
/// A token has 1 to 10 KiB, with many groups and roles some more.
const BODY_BYTES: u64 = 256 * 1024;

const LIMITS: Limits = Limits { head: HEAD, idle: IDLE, total: TOTAL, body_bytes: BODY_BYTES };

/// A token with the times around its arrival.
pub(super) struct Answered {
    pub issued: Issued,
    /// Just before it was asked for: what it promises, it promises from no earlier than here.
    pub asked: Moment,
    /// The service's clock.
    pub date: Option<Ticks>,
}

/// Why there is none.
pub(super) enum Denied {
    Unreachable(HttpError),
    Refused(Verdict),
    Malformed(String),
}

/// Asks for a token. `url` is the token endpoint, which an assertion in `sent` may have named.
pub(super) async fn ask(http: &Http, clock: &Clock, app: &App, url: &str, sent: &Sent) -> Result<Answered, Denied> {
    let (target, audience) = target(app);
    let mut fields =
        vec![("grant_type", "client_credentials"), ("client_id", app.client_id.as_str()), (target, audience.as_str())];
    fields.extend(sent.fields());
    let asked = Moment::now(clock);
    let mut answer = http.post_form(url, &fields, LIMITS).await.map_err(Denied::Unreachable)?;
    let (status, date, retry_after) = (answer.status(), answer.date(), answer.retry_after(clock.now()));
    let body = answer.text().await;
    if status == 200 {
        let body = body.map_err(Denied::Unreachable)?;
        return Ok(Answered { issued: Issued::read(&body).map_err(Denied::Malformed)?, asked, date });
    }
    // Where the status alone decides, a broken body changes nothing.
    let body = match body {
        Ok(body) => body,
        Err(_) if status == 429 || status >= 500 => String::new(),
        Err(error) => return Err(Denied::Unreachable(error)),
    };
    Err(Denied::Refused(classify(status, &body, retry_after, |text| sent.redact(text))))
}

/// The token endpoint of a tenant. Both forms are documented by Microsoft.
pub(super) fn endpoint(app: &App, tenant: &Tenant) -> String {
    let path = match app.endpoint {
        Endpoint::V1 => "oauth2/token",
        Endpoint::V2 => "oauth2/v2.0/token",
    };
    format!("{}/{}/{path}", tenant.login_url, tenant.id)
}

fn target(app: &App) -> (&'static str, String) {
    match app.endpoint {
        Endpoint::V1 => ("resource", app.audience.clone()),
        Endpoint::V2 => ("scope", format!("{}/.default", app.audience)),
    }
}
