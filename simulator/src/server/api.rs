//! Owns the alerts API: who may ask, what is found, and the refusals in between.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use hyper::Method;

use super::handle::{Asked, Target};
use super::page;
use super::reply::{JSON_ODATA, Reply};
use super::{RequestInfo, Shared, find, spoil};
use crate::entra::token::Claims;
use crate::fault::{Circumstances, Fault, RetryAfter, Stage};
use crate::ids;
use crate::odata::select::Tie;
use crate::odata::{BadQuery, Query};
use crate::world::{Licence, World};

/// Pages of more bytes are put together off the runtime's own threads.
const BLOCKING_BYTES: usize = 1 << 20;

/// The roles either of which lets alerts be read.
const ROLES: [&str; 2] = ["Alert.Read.All", "Alert.ReadWrite.All"];

pub(super) async fn answer(shared: &Arc<Shared>, asked: &Asked, info: RequestInfo) -> Reply {
    if asked.target == Target::Nothing {
        return Reply::empty(404);
    }
    if asked.method != Method::GET {
        return Reply::empty(405).header("allow", "GET");
    }
    if let Err(refusal) = admit(shared, asked) {
        return *refusal;
    }
    match &asked.target {
        Target::One(id) => one(shared, asked, id, info),
        Target::List | Target::Login(..) | Target::Nothing => list(shared, asked, info).await,
    }
}

/// Checks the token, the tenant's licence and the rate limits.
fn admit(shared: &Shared, asked: &Asked) -> Result<(), Box<Reply>> {
    let Some(claims) = &asked.claims else { return Err(unauthorized("invalid_token").into()) };
    shared.with_world(|world| {
        check_claims(world, claims)?;
        let Some(limits) = world.options.rate_limits else { return Ok(()) };
        let app = claims.appid.as_deref().unwrap_or_default();
        let mut limiter = shared.limiter.lock().unwrap_or_else(PoisonError::into_inner);
        match limiter.call(limits, &asked.tenant, app, world.now()) {
            Some(seconds) => Err(Reply::empty(429).retry_after(RetryAfter::Seconds(seconds), world.now()).into()),
            None => Ok(()),
        }
    })
}

fn check_claims(world: &World, claims: &Claims) -> Result<(), Box<Reply>> {
    let now = world.now().unix_seconds();
    if claims.exp <= now || claims.nbf > now {
        return Err(unauthorized("invalid_token").into());
    }
    if !world.options.audiences.iter().any(|audience| audience.trim_end_matches('/') == claims.aud) {
        return Err(Reply::envelope(403, "Forbidden", "The token was issued for another resource.").into());
    }
    let Some(tenant) = world.tenant(&claims.tid).filter(|tenant| !tenant.state.deleted) else {
        return Err(licence_refusal(Licence::Inactive403).unwrap_or_else(|| Reply::empty(403)).into());
    };
    if let Some(refusal) = licence_refusal(tenant.state.licence) {
        return Err(refusal.into());
    }
    let granted = claims.roles.iter().any(|role| ROLES.contains(&role.as_str()));
    if granted { Ok(()) } else { Err(missing_role().into()) }
}

/// 401 without a body (none is recorded for a bad bearer) but with the challenge.
pub(super) fn unauthorized(error: &str) -> Reply {
    Reply::empty(401).header("www-authenticate", &format!("Bearer error=\"{error}\""))
}

pub(super) fn missing_role() -> Reply {
    let message = "Missing application roles. API required roles: Alert.Read.All, Alert.ReadWrite.All.";
    Reply::envelope(403, "Forbidden", message)
}

/// The recorded words for a tenant whose licence does not do; nothing when it does.
pub(super) fn licence_refusal(licence: Licence) -> Option<Reply> {
    let (status, reason) = match licence {
        Licence::Active => return None,
        Licence::Inactive401 => (401, "Account mode is inactive"),
        Licence::Inactive403 => (403, "Account mode is inactive"),
        Licence::NoTvm => (401, "No Tvm license"),
    };
    let message = format!("Unauthorized request - reason of failure: {reason}");
    Some(Reply::envelope(status, "Unauthorized", &message))
}

/// Headers of every answer of the API, as recorded.
pub(super) fn headers(body: bool) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("strict-transport-security", "max-age=31536000; includeSubDomains".to_owned()),
        ("mise-correlation-id", ids::guid(&mut rand::rng())),
    ];
    if body {
        headers.push(("odata-version", "4.0".to_owned()));
        headers.push(("vary", "Accept-Encoding".to_owned()));
    }
    headers
}

fn one(shared: &Shared, asked: &Asked, id: &str, mut info: RequestInfo) -> Reply {
    let (row, host) = shared.with_world(|world| {
        let host = world.options.context_host.clone();
        let row = world.settle(&asked.tenant).and_then(|tenant| tenant.visible.get(id).cloned());
        info.rows = usize::from(row.is_some());
        if row.is_some() {
            find::run_snapshot_hooks(shared, &info, world);
        }
        (row, host)
    });
    let Some(row) = row else {
        return Reply::envelope(404, "ResourceNotFound", &format!("Alert {id} was not found"));
    };
    let rows = [row];
    let seen = Circumstances { rows: &rows, ..asked.circumstances() };
    if !shared.faults.strike(Stage::Rows, seen).is_empty() {
        return server_fault();
    }
    let mut reply = Reply::sized(200, JSON_ODATA, "");
    reply.rows = 1;
    let plain = rows.first().map_or_else(Bytes::new, |row| page::entity(&host, row));
    spoil::api(reply, &shared.faults.strike(Stage::Answer, seen), plain, None, asked.accepts_gzip)
}

/// A server that fails for no told reason; the documentation promises no message for it.
fn server_fault() -> Reply {
    Reply::envelope(500, "InternalServerError", "")
}

async fn list(shared: &Arc<Shared>, asked: &Asked, info: RequestInfo) -> Reply {
    let limit = shared.with_world(|world| world.options.page_limit);
    let mut query = match Query::parse(&asked.raw_query, limit) {
        Ok(query) => query,
        Err(BadQuery(message)) => return Reply::envelope(400, "ODataError", &message),
    };
    let struck = shared.faults.strike(Stage::Query, Circumstances { query: Some(&query), ..asked.circumstances() });
    let tie = match apply_query_faults(&struck, &mut query) {
        Ok(tie) => tie,
        Err(refusal) => return *refusal,
    };
    let Some(found) = find::find(shared, asked, &query, tie, struck.is_empty(), info) else {
        return Reply::empty(404);
    };
    let rows = Arc::clone(&found.rows);
    let seen = Circumstances { query: Some(&query), rows: &rows, ..asked.circumstances() };
    if !shared.faults.strike(Stage::Rows, seen).is_empty() {
        return server_fault();
    }
    let spoilt = shared.faults.strike(Stage::Answer, seen);
    let gzip = asked.accepts_gzip;
    let large = rows.iter().map(|row| row.text.len()).sum::<usize>() > BLOCKING_BYTES;
    let bombs = spoilt.iter().any(|fault| matches!(fault, Fault::GzipBomb { .. }));
    let work = {
        let shared = Arc::clone(shared);
        move || {
            let page = found.page(&shared, &query, gzip);
            let mut reply = Reply::sized(200, JSON_ODATA, "");
            reply.rows = page.rows.len();
            spoil::api(reply, &spoilt, page.plain.clone(), Some(&page), gzip)
        }
    };
    if large || bombs { tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| server_fault()) } else { work() }
}

/// What the faults make of the query: another order, or a refusal.
fn apply_query_faults(struck: &[Fault], query: &mut Query) -> Result<Tie, Box<Reply>> {
    let refuse = |detail: &str| Err(Reply::envelope(400, "ODataError", &BadQuery::new(detail).0).into());
    let mut tie = Tie::Id;
    for fault in struck {
        if *fault == Fault::RefuseOrderBy {
            return refuse("Query option 'OrderBy' is not allowed ($orderby).");
        }
        if *fault == Fault::RefuseIdRange {
            return refuse("A comparison of 'id' by order is not supported.");
        }
        if let Fault::IgnoreOrderBy { shuffled } = fault {
            query.order.clear();
            tie = if *shuffled { Tie::Scattered } else { tie };
        }
        if *fault == Fault::UnsortedIds {
            tie = Tie::Scattered;
        }
    }
    Ok(tie)
}
