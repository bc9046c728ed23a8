//! Owns the steps of a check that need the network: the way to each host, each app's sign-in, each tenant's alerts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use indicatif::ProgressBar;

use super::finding::Finding;
use crate::clock::Clock;
use crate::command::{Exit, Problem};
use crate::defender::{ApiError, Defender, Look, Order, Query, Rates};
use crate::domain::{FailureClass, Tenant, Ticks};
use crate::entra::{Entra, Token};
use crate::http::{Http, HttpError, Options, PROXY_REMEDY, Stage, Way};
use crate::pass::SKEW_WORTH_TELLING;
use crate::settings::Settings;

/// A clock that is further off than this makes certificates and signed statements look expired or not yet good.
const TOO_MUCH_SKEW: u64 = 300;
/// How far back an alert is looked for; the service keeps them so long.
const KEPT: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// What was found of one tenant.
struct Seen<'a> {
    tenant: &'a Tenant,
    finding: Finding,
    /// Whether its app was let in; `None` when that did not come out.
    signed_in: Option<bool>,
    latency: Option<Duration>,
}

/// Looks at each host once, and at each tenant once, as many at a time as the daemon would.
pub(super) async fn findings(
    settings: &Settings,
    tenants: &[Tenant],
    bar: &ProgressBar,
) -> Result<Vec<Finding>, Problem> {
    let http = Http::through(&Options { loopback_only: settings.loopback_only }, &settings.network)?;
    let mut findings = hosts(&http, tenants).await;
    let unreachable: BTreeSet<String> =
        findings.iter().filter(|finding| !finding.ok && finding.step != "clock").map(|f| f.subject.clone()).collect();
    let entra = Entra::new(http.clone(), Clock::System, settings.apps.clone());
    let defender = Defender::new(http, settings.poll.request_timeout, Rates::default(), Clock::System);
    let looks = tenants.iter().map(|tenant| {
        let (entra, defender) = (entra.clone(), defender.clone());
        let missing = [&tenant.login_url, &tenant.api_url].into_iter().find(|url| unreachable.contains(*url));
        async move {
            match missing {
                Some(host) => not_asked(tenant, host),
                None => one_tenant(&entra, &defender, tenant).await,
            }
        }
    });
    let mut looks = stream::iter(looks).buffer_unordered(settings.poll.max_concurrent_tenants);
    let mut seen = Vec::with_capacity(tenants.len());
    while let Some(one) = looks.next().await {
        bar.inc(1);
        seen.push(one);
    }
    findings.extend(apps(&mut seen));
    findings.extend(latencies(&seen));
    seen.sort_by(|a, b| (a.finding.ok, &a.tenant.name, a.tenant.id).cmp(&(b.finding.ok, &b.tenant.name, b.tenant.id)));
    findings.extend(seen.into_iter().map(|seen| seen.finding));
    Ok(findings)
}

/// The way to each host that is asked for something, and what time it has.
async fn hosts(http: &Http, tenants: &[Tenant]) -> Vec<Finding> {
    let mut addresses: Vec<&str> =
        tenants.iter().flat_map(|tenant| [tenant.login_url.as_str(), tenant.api_url.as_str()]).collect();
    addresses.sort_unstable();
    addresses.dedup();
    let ways = addresses.into_iter().map(|address| async move {
        let way = http.probe(address).await;
        (address, way, Clock::System.now())
    });
    let ways = futures_util::future::join_all(ways).await;
    ways.into_iter().flat_map(|(address, way, now)| host(address, &way, now)).collect()
}

fn host(address: &str, way: &Result<Way, (Stage, HttpError)>, now: Ticks) -> Vec<Finding> {
    match way {
        Ok(way) => {
            let [dns, tcp, answer] = [way.dns, way.tcp, way.answer].map(|time| time.as_millis());
            let through = way.through.as_ref().map_or_else(String::new, |proxy| format!(" through {proxy}"));
            let detail = format!("name found in {dns} ms, connected in {tcp} ms, answered{through} in {answer} ms");
            let mut found = vec![Finding::good(address, "network", detail)];
            found.extend(way.date.map(|date| clock(address, now.unix_seconds() - date.unix_seconds())));
            found
        }
        Err((stage, error)) => {
            let (step, remedy) = match stage {
                Stage::Dns => ("dns", "check the name in `login_url` or `api_url`, and this machine's DNS"),
                Stage::Tcp => ("tcp", "check routes and firewalls: the daemon needs this port outwards"),
                Stage::Proxy => ("proxy", PROXY_REMEDY),
                Stage::Tls => (
                    "tls",
                    "check this machine's time and its CA certificates, and whether something on the way opens TLS",
                ),
                Stage::Http => ("http", "check what answers there in the service's place"),
            };
            vec![Finding::bad(address, step, Exit::Unavailable, error.to_string(), remedy)]
        }
    }
}

fn clock(address: &str, skew: i64) -> Finding {
    let remedy = "synchronise this machine's clock: certificates, tokens and retry times depend on it";
    let detail = match skew {
        0.. => format!("this machine's clock is {skew} s ahead"),
        _ => format!("this machine's clock is {} s behind", skew.unsigned_abs()),
    };
    let off = skew.unsigned_abs();
    if off <= SKEW_WORTH_TELLING.as_secs() {
        Finding::good(address, "clock", detail)
    } else if off <= TOO_MUCH_SKEW {
        Finding::warned(address, "clock", detail, remedy)
    } else {
        Finding::bad(address, "clock", Exit::Unavailable, detail, remedy)
    }
}

/// A tenant whose services cannot be reached: told once, of the host, and not waited for a thousand times.
fn not_asked<'a>(tenant: &'a Tenant, host: &str) -> Seen<'a> {
    let detail = format!("not asked: the way to {host} fails");
    let finding = Finding::bad(&tenant.name, "network", Exit::Unavailable, detail, "mend the way to this host first");
    Seen { tenant, finding: Finding { follows: true, ..finding }, signed_in: None, latency: None }
}

/// The first step that fails for a tenant, or that none does.
async fn one_tenant<'a>(entra: &Entra, defender: &Defender, tenant: &'a Tenant) -> Seen<'a> {
    let name = &tenant.name;
    let token = match entra.token(tenant).await {
        Ok(token) => token,
        Err(error) => {
            let signed_in = (error.class() == FailureClass::App).then_some(false);
            let finding = Finding::failed(name, "login", error.failure());
            return Seen { tenant, finding, signed_in, latency: None };
        }
    };
    let (finding, latency) = match read_one(defender, tenant, &token).await {
        Ok((look, rows)) => {
            let skew = Clock::System.now().unix_seconds() - look.date.unix_seconds();
            let (roles, latency) = (token.roles.join(", "), look.latency.as_millis());
            let rows = if rows == 0 { "no alert to read" } else { "an alert was read" };
            let detail = format!("role {roles}; API answered in {latency} ms; clock {skew:+} s; {rows}");
            (Finding::good(name, "api", detail), Some(look.latency))
        }
        Err(error) => (Finding::failed(name, "api", error.failure()), None),
    };
    Seen { tenant, finding, signed_in: Some(true), latency }
}

/// Asks the service for its time, and for one alert with its evidence, as the daemon would.
async fn read_one(defender: &Defender, tenant: &Tenant, token: &Token) -> Result<(Look, usize), ApiError> {
    let look = defender.look(tenant, &token.bearer).await?;
    let query = Query { order: Order::Unasked, ..Query::since(look.date.minus(KEPT), 1) };
    let mut reading = defender.read(tenant, &token.bearer, &query).await?;
    let mut rows = 0;
    while let Some(piece) = reading.next().await? {
        rows += piece.alerts.len() + piece.unusable.len();
    }
    reading.finish()?;
    Ok((look, rows))
}

/// Each app registration once: a refused one is told here, and not again for each of its tenants.
fn apps(seen: &mut [Seen<'_>]) -> Vec<Finding> {
    let mut refused: BTreeMap<String, (usize, Finding)> = BTreeMap::new();
    let mut accepted: BTreeMap<String, usize> = BTreeMap::new();
    for one in seen {
        let app = &one.tenant.app;
        match one.signed_in {
            Some(true) => *accepted.entry(app.clone()).or_default() += 1,
            Some(false) => {
                let first = (0, Finding { subject: format!("app {app}"), ..one.finding.clone() });
                refused.entry(app.clone()).or_insert(first).0 += 1;
                one.finding.follows = true;
            }
            None => {}
        }
    }
    let refused = refused.into_values().map(|(tenants, finding)| {
        let detail = format!("{}; {tenants} tenant(s) wait for it", finding.detail);
        Finding { detail, ..finding }
    });
    let accepted = accepted.into_iter().map(|(app, tenants)| {
        Finding::good(&format!("app {app}"), "login", format!("signed in for {tenants} tenant(s)"))
    });
    refused.chain(accepted).collect()
}

/// How quickly each region answers.
fn latencies(seen: &[Seen<'_>]) -> Vec<Finding> {
    let mut regions: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for (region, latency) in seen.iter().filter_map(|one| Some((one.tenant.region.name(), one.latency?))) {
        regions.entry(region).or_default().push(latency);
    }
    let told = regions.into_iter().map(|(region, mut times)| {
        times.sort_unstable();
        let (median, slowest) = (times[times.len() / 2].as_millis(), times[times.len() - 1].as_millis());
        let detail = format!("half of {} tenant(s) answered within {median} ms, all within {slowest} ms", times.len());
        Finding::good(&format!("region {region}"), "latency", detail)
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    #[test]
    fn a_clock_is_good_or_worth_a_look_or_wrong() {
        for (skew, level, words) in [
            (0, Level::Ok, "0 s ahead"),
            (60, Level::Ok, "60 s ahead"),
            (-61, Level::Warn, "61 s behind"),
            (300, Level::Warn, "300 s ahead"),
            (301, Level::Fail, "301 s ahead"),
            (-3_600, Level::Fail, "3600 s behind"),
            (i64::MIN, Level::Fail, "behind"),
        ] {
            let finding = clock("x", skew);
            assert_eq!(finding.level, level, "{skew}");
            assert!(finding.detail.contains(words), "{}", finding.detail);
        }
    }
}
