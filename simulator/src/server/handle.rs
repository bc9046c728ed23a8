//! Owns one request from arrival to departure: recognised, recorded, struck by faults, answered, dated.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use hyper::body::Incoming;
use hyper::header::{ACCEPT_ENCODING, AUTHORIZATION, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use super::body::{BrokenOff, Sending};
use super::reply::{Reply, http_date};
use super::{RequestInfo, Shared, api, login};
use crate::entra::login::Version;
use crate::entra::token::Claims;
use crate::fault::{Circumstances, Fault, LicenceFault, Route, Stage};
use crate::odata;
use crate::stats::{RequestRecord, Ticket};
use crate::world::Licence;

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Login(String, Version),
    List,
    One(String),
    Nothing,
}

impl Target {
    pub(super) fn of(path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            [tenant, "oauth2", "token"] => Self::Login((*tenant).to_owned(), Version::V1),
            [tenant, "oauth2", "v2.0", "token"] => Self::Login((*tenant).to_owned(), Version::V2),
            ["api", "alerts"] | ["api", "v1.0", "alerts"] => Self::List,
            ["api", "alerts", id] | ["api", "v1.0", "alerts", id] => Self::One(percent_decoded(id)),
            _ => Self::Nothing,
        }
    }

    fn route(&self) -> Route {
        match self {
            Self::Login(..) => Route::Login,
            Self::List => Route::Alerts,
            Self::One(_) => Route::Alert,
            Self::Nothing => Route::Any,
        }
    }
}

/// A path segment's percent-encoding undone; `+` stays what it is there.
fn percent_decoded(segment: &str) -> String {
    let plus_kept = segment.replace('+', "%2B");
    let mut pairs = url::form_urlencoded::parse(plus_kept.as_bytes());
    pairs.next().map_or_else(String::new, |(name, _)| name.into_owned())
}

/// A request as the services look at it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) target: Target,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) raw_query: String,
    pub(super) decoded: String,
    pub(super) host: String,
    pub(super) authorization: Option<String>,
    pub(super) accepts_gzip: bool,
    /// The claims of a bearer token that this simulator signed, expired or not.
    pub(super) claims: Option<Claims>,
    pub(super) tenant: String,
}

impl Asked {
    fn of(shared: &Shared, request: &Request<Incoming>) -> Self {
        let header = |name: HeaderName| text(request.headers(), &name);
        let target = Target::of(request.uri().path());
        let authorization = header(AUTHORIZATION);
        let bearer = authorization.as_deref().and_then(|value| value.strip_prefix("Bearer "));
        let claims = bearer.and_then(|token| shared.signer.verify(token.trim()));
        let tenant = match &target {
            Target::Login(name, _) => shared.with_world(|world| match world.find_tenant(name) {
                Some(tenant) => tenant.id().to_owned(),
                None => name.to_ascii_lowercase(),
            }),
            Target::List | Target::One(_) | Target::Nothing => {
                claims.as_ref().map(|claims| claims.tid.to_ascii_lowercase()).unwrap_or_default()
            }
        };
        let raw_query = request.uri().query().unwrap_or_default().to_owned();
        Self {
            target,
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            decoded: odata::decoded(&raw_query),
            raw_query,
            host: header(HOST).unwrap_or_default(),
            accepts_gzip: header(ACCEPT_ENCODING).is_some_and(|value| value.to_ascii_lowercase().contains("gzip")),
            authorization,
            claims,
            tenant,
        }
    }

    pub(super) fn route(&self) -> Route {
        self.target.route()
    }

    pub(super) fn circumstances(&self) -> Circumstances<'_> {
        Circumstances { tenant: &self.tenant, route: self.route(), decoded: &self.decoded, query: None, rows: &[] }
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Answers one request.
pub(super) async fn handle(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    reset: Arc<AtomicBool>,
) -> Result<Response<Sending>, BrokenOff> {
    let asked = Asked::of(&shared, &request);
    let at = shared.with_world(|world| world.now());
    let ticket = shared.stats.arrive(RequestRecord {
        at,
        tenant: asked.tenant.clone(),
        route: asked.route(),
        target: format!("{} {}", asked.method, asked.path),
        query: asked.decoded.clone(),
        status: None,
        rows: 0,
    });
    let struck = shared.faults.strike(Stage::Arrival, asked.circumstances());
    let refusal = delay(&shared, struck, &reset).await?;
    let reply = if asked.route() == Route::Login {
        match refusal {
            Some(refusal) => refusal,
            None => login::answer(&shared, &asked, request).await,
        }
    } else {
        let info = RequestInfo {
            tenant: asked.tenant.clone(),
            route: asked.route(),
            path: asked.path.clone(),
            query: asked.decoded.clone(),
            at,
            number: shared.api_requests.fetch_add(1, Ordering::Relaxed) + 1,
            rows: 0,
        };
        run_hooks(&shared, &info);
        match refusal {
            Some(refusal) => refusal,
            None => api::answer(&shared, &asked, info).await,
        }
    };
    Ok(depart(&shared, &asked, reply, reset, ticket))
}

fn run_hooks(shared: &Shared, info: &RequestInfo) {
    let hooks = shared.hooks(|hooks| &hooks.on_request);
    if !hooks.is_empty() {
        shared.with_world(|world| hooks.iter().for_each(|hook| hook(info, world)));
    }
}

/// Lives through the faults that strike on arrival: waits, hangs, breaks, or gives the first invented answer.
async fn delay(shared: &Shared, struck: Vec<Fault>, reset: &AtomicBool) -> Result<Option<Reply>, BrokenOff> {
    let mut refusal = None;
    for fault in &struck {
        if let Fault::Latency(time) = fault {
            let _held = shared.stats.hold();
            tokio::time::sleep(*time).await;
        }
    }
    for fault in struck {
        if fault == Fault::Hang {
            let _held = shared.stats.hold();
            // Ends when the client leaves or the simulator stops.
            std::future::pending::<()>().await;
        }
        if fault == Fault::ResetBeforeHeaders {
            reset.store(true, Ordering::SeqCst);
            return Err(BrokenOff);
        }
        refusal = refusal.or_else(|| invented(shared, &fault));
    }
    Ok(refusal)
}

fn invented(shared: &Shared, fault: &Fault) -> Option<Reply> {
    let now = shared.with_world(|world| world.now());
    if let Fault::Status { status, body, retry_after } = fault {
        return Some(Reply::invented(*status, body).retry_after(*retry_after, now));
    }
    if let Fault::Throttle { retry_after } = fault {
        return Some(Reply::empty(429).retry_after(*retry_after, now));
    }
    if let Fault::Redirect { status, location } = fault {
        return Some(Reply::empty(*status).header("location", location));
    }
    if let Fault::LicenceInactive(kind) = fault {
        return api::licence_refusal(match kind {
            LicenceFault::Inactive401 => Licence::Inactive401,
            LicenceFault::Inactive403 => Licence::Inactive403,
            LicenceFault::NoTvm => Licence::NoTvm,
        });
    }
    if *fault == Fault::Unauthorized401 {
        return Some(api::unauthorized("invalid_token"));
    }
    (*fault == Fault::MissingRole403).then(api::missing_role)
}

/// Turns a reply into a response: shared headers, the world's date, the delivery.
fn depart(
    shared: &Shared,
    asked: &Asked,
    mut reply: Reply,
    reset: Arc<AtomicBool>,
    ticket: Ticket,
) -> Response<Sending> {
    let login = asked.route() == Route::Login;
    if reply.status == 429 && reply.content.len() == 0 {
        reply = throttled(reply, login);
    }
    let struck = shared.faults.strike(Stage::Departure, asked.circumstances());
    let (now, mut skew) = shared.with_world(|world| (world.now(), world.options.date_skew));
    let mut dated = true;
    for fault in struck {
        if let Fault::SkewDate { seconds } = fault {
            skew += seconds;
        } else {
            dated = false;
        }
    }
    for (_, until) in reply.headers.iter_mut().filter(|(name, _)| skew != 0 && *name == "retry-after") {
        *until = by_clock(until, skew);
    }
    if dated {
        reply.headers.push(("date", http_date(now.unix_seconds() + skew)));
    }
    reply.headers.extend(if login { login::headers() } else { api::headers(reply.content.len() > 0) });
    ticket.answered(reply.status, reply.rows);
    let sending = Sending::new(reply.content, reply.delivery, reset, Some(ticket));
    let mut response = Response::new(sending);
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            response.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    response
}

/// A header's date as a service writes it whose clock is wrong by `skew` seconds; what is no date stays.
fn by_clock(text: &str, skew: i64) -> String {
    let since = |date: SystemTime| date.duration_since(SystemTime::UNIX_EPOCH).ok();
    match httpdate::parse_http_date(text).ok().and_then(since) {
        Some(right) => http_date(right.as_secs().cast_signed() + skew),
        None => text.to_owned(),
    }
}

/// The two services say "too many" differently: the token endpoint in plain text, the API in its envelope.
fn throttled(bare: Reply, login: bool) -> Reply {
    let mut reply = if login {
        Reply::sized(429, "text/plain", "Too Many Requests")
    } else {
        Reply::envelope(429, "TooManyRequests", "Too many requests were made by this application in this tenant.")
    };
    reply.headers.extend(bare.headers);
    reply
}
