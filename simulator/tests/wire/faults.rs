//! Everything that goes wrong on request.

use std::io::Read;
use std::time::{Duration, Instant};

use alertferry_simulator::{
    Cut, Fault, FaultBody, FaultRule, LicenceFault, PoisonScope, RetryAfter, Route, Shape, Template, Ticks, World,
};
use reqwest::Response;
use serde_json::Value;

use crate::support::{Bench, OTHER, RESOURCE, TENANT, claims, envelope, json, still_world, tiny};

const ORDER: &str = "/api/alerts?$orderby=lastUpdateTime";

async fn three() -> Bench {
    let rows =
        [("da1_1", "2026-02-03T00:00:00Z"), ("da2_1", "2026-02-02T00:00:00Z"), ("da3_1", "2026-02-01T00:00:00Z")];
    Bench::with_alerts(&rows.map(|(id, time)| tiny(id, time))).await
}

async fn many(count: usize) -> Bench {
    let mut world = still_world();
    world.fill(TENANT, count, &Template::default());
    Bench::of(world).await
}

async fn code(answer: Response) -> (u16, String) {
    let (status, code, _) = envelope(answer).await;
    (status, code)
}

fn server_fault() -> (u16, String) {
    (500, "InternalServerError".to_owned())
}

/// The body's bytes up to where it broke, and whether it broke.
async fn bytes(mut answer: Response) -> (usize, bool) {
    let mut length = 0;
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => length += chunk.len(),
            Ok(None) => return (length, false),
            Err(_) => return (length, true),
        }
    }
}

#[tokio::test]
async fn rules_choose_tenant_route_query_and_turn() {
    let mut world = still_world();
    world.add_tenant(OTHER);
    let bench = Bench::of(world).await;
    let faults = bench.sim.faults();
    let oops = || Fault::Status { status: 503, body: FaultBody::Empty, retry_after: RetryAfter::Absent };
    let status = async |path: &str| bench.get(path).await.status().as_u16();
    let rule = faults.add(FaultRule::new(oops()).tenant(&TENANT.to_uppercase()).query("$top=5").after(1).times(2));
    assert_eq!(bench.request(OTHER, "/api/alerts?$top=5").send().await.unwrap().status(), 200);
    assert_eq!(status("/api/alerts?$top=6").await, 200);
    assert_eq!(status("/api/alerts/da1_1").await, 404);
    let turns = [
        status("/api/alerts?%24top=5").await,
        status("/api/alerts?$top=5").await,
        status("/api/alerts?$top=5").await,
        status("/api/alerts?$top=5").await,
    ];
    assert_eq!(turns, [200, 503, 503, 200]);
    assert_eq!(faults.struck(rule), 2);
    assert!(faults.remove(rule) && !faults.remove(rule));
    faults.add(FaultRule::new(oops()).on(Route::Any));
    assert_eq!(bench.login(TENANT).await.status(), 503);
    faults.clear();
    faults.seed(3);
    faults.add(FaultRule::new(oops()).with_probability(0.5));
    let mut struck = 0;
    for _ in 0..100 {
        struck += u32::from(status("/api/alerts").await == 503);
    }
    assert!((30..70).contains(&struck), "{struck}");
}

#[tokio::test]
async fn orders_refused_ignored_and_shuffled() {
    let bench = three().await;
    let faults = bench.sim.faults();
    let refusing = faults.add(Fault::RefuseOrderBy);
    let (status, code, message) = bench.refusal("$orderby=lastUpdateTime").await;
    assert_eq!((status, code.as_str(), message.contains("$orderby")), (400, "ODataError", true));
    assert_eq!(bench.ids("").await.len(), 3);
    assert_eq!(faults.struck(refusing), 1, "only where it can have its effect");
    faults.clear();
    faults.add(Fault::IgnoreOrderBy { shuffled: false });
    assert_eq!(bench.ids("$orderby=lastUpdateTime").await, ["da1_1", "da2_1", "da3_1"]);
    faults.clear();
    faults.add(Fault::RefuseIdRange);
    assert_eq!(bench.refusal("$filter=id%20gt%20'a'").await.0, 400);
    assert_eq!(bench.ids("$filter=id eq 'da1_1'").await, ["da1_1"]);
    faults.clear();
    let bench = many(50).await;
    let (by_id, by_time) = (bench.ids("").await, bench.ids("$orderby=lastUpdateTime").await);
    bench.sim.faults().add(Fault::IgnoreOrderBy { shuffled: true });
    let shuffled = bench.ids("$orderby=lastUpdateTime").await;
    assert!(shuffled != by_id && shuffled != by_time && shuffled.len() == 50);
    assert_eq!(bench.ids("").await, by_id);
    bench.sim.faults().clear();
    bench.sim.faults().add(Fault::UnsortedIds);
    assert_ne!(bench.ids("").await, by_id);
    assert_eq!(bench.ids("$orderby=lastUpdateTime").await, by_time, "time still orders; only ids do not");
}

#[tokio::test]
async fn invented_answers() {
    let bench = three().await;
    let faults = bench.sim.faults();
    let now = bench.sim.world().with(|world| world.now());
    let invent = |status, body, retry_after| {
        faults.clear();
        faults.add(Fault::Status { status, body, retry_after });
    };
    invent(418, FaultBody::Envelope("Code".into(), "words".into()), RetryAfter::Absent);
    assert_eq!(envelope(bench.get("/api/alerts").await).await, (418, "Code".into(), "words".into()));
    invent(502, FaultBody::Html, RetryAfter::Seconds(7));
    let html = bench.get("/api/alerts").await;
    assert_eq!((html.status().as_u16(), &html.headers()["retry-after"]), (502, &"7".parse().unwrap()));
    assert!(html.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(html.text().await.unwrap().starts_with("<html>"));
    invent(503, FaultBody::Empty, RetryAfter::HttpDate(90));
    let empty = bench.get("/api/alerts").await;
    assert_eq!(empty.headers()["retry-after"], "Sun, 01 Mar 2026 08:01:30 GMT", "{now}");
    assert_eq!(empty.text().await.unwrap(), "");
    invent(500, FaultBody::Text("plain".into()), RetryAfter::Absent);
    assert_eq!(bench.get("/api/alerts").await.text().await.unwrap(), "plain");
    faults.clear();
    faults.add(Fault::Redirect { status: 307, location: "http://elsewhere.example/".into() });
    let moved = bench.get("/api/alerts").await;
    assert_eq!(
        (moved.status().as_u16(), &moved.headers()["location"]),
        (307, &"http://elsewhere.example/".parse().unwrap())
    );
}

#[tokio::test]
async fn refusals_of_the_services() {
    let bench = three().await;
    let faults = bench.sim.faults();
    let only = |fault: Fault| {
        faults.clear();
        faults.add(FaultRule::new(fault).on(Route::Any));
    };
    only(Fault::Unauthorized401);
    let revoked = bench.get("/api/alerts").await;
    assert_eq!(revoked.status(), 401);
    assert!(revoked.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
    only(Fault::MissingRole403);
    assert_eq!(code(bench.get("/api/alerts").await).await, (403, "Forbidden".into()));
    for (kind, status) in
        [(LicenceFault::Inactive401, 401), (LicenceFault::Inactive403, 403), (LicenceFault::NoTvm, 401)]
    {
        only(Fault::LicenceInactive(kind));
        assert_eq!(code(bench.get("/api/alerts").await).await, (status, "Unauthorized".into()));
    }
    only(Fault::Throttle { retry_after: RetryAfter::Seconds(60) });
    let api = bench.get("/api/alerts").await;
    assert_eq!(api.headers()["retry-after"], "60");
    assert_eq!(code(api).await, (429, "TooManyRequests".into()));
    let login = bench.login(TENANT).await;
    assert_eq!((login.status().as_u16(), &login.headers()["retry-after"]), (429, &"60".parse().unwrap()));
    assert!(login.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert_eq!(login.text().await.unwrap(), "Too Many Requests");
}

#[tokio::test]
async fn bodies_that_do_not_arrive_whole() {
    let bench = many(100).await;
    let faults = bench.sim.faults();
    let whole = bench.sim.prepare(TENANT, "$expand=evidence").expect("a page");
    let get = async || {
        let request = bench.request(TENANT, "/api/alerts?$expand=evidence");
        request.header("accept-encoding", "identity").send().await.expect("headers")
    };
    for (cut, expected) in
        [(Cut::Bytes(100_000), 100_000), (Cut::Bytes(0), 0), (Cut::Bytes(usize::MAX), whole.bytes - 1)]
    {
        faults.clear();
        faults.add(Fault::CutBody(cut));
        let answer = get().await;
        assert_eq!(answer.status(), 200);
        assert_eq!(bytes(answer).await, (expected, true), "{cut:?}");
    }
    faults.clear();
    faults.add(Fault::CutBody(Cut::Fraction(0.5)));
    let (length, broke) = bytes(get().await).await;
    assert!(broke && length.abs_diff(whole.bytes / 2) < 10, "{length} of {}", whole.bytes);
    faults.clear();
    faults.add(Fault::StallBody(Cut::Bytes(70_000)));
    let stalled = tokio::time::timeout(Duration::from_millis(200), bytes(get().await)).await;
    assert!(stalled.is_err(), "neither an end nor an error");
    faults.clear();
    faults.add(Fault::SlowBody { bytes: 100_000, every: Duration::from_millis(40) });
    let began = Instant::now();
    assert_eq!(bytes(get().await).await, (whole.bytes, false));
    assert!(began.elapsed() > Duration::from_millis(120), "{:?}", began.elapsed());
    faults.clear();
    assert_eq!(bytes(get().await).await, (whole.bytes, false), "healed");
}

/// The error kinds behind a failed request, outermost first.
fn causes(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        text.push_str(&format!("{error:?} | "));
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn connections_that_are_reset_or_hang() {
    let bench = many(10).await;
    let faults = bench.sim.faults();
    faults.add(Fault::ResetBeforeHeaders);
    let error = bench.request(TENANT, "/api/alerts").send().await.expect_err("no answer");
    assert!(causes(&error).contains("ConnectionReset"), "{}", causes(&error));
    faults.clear();
    faults.add(Fault::ResetAfterHeaders);
    let mut answer = bench.get("/api/alerts").await;
    assert_eq!(answer.status(), 200);
    let error = answer.chunk().await.expect_err("no body");
    assert!(causes(&error).contains("ConnectionReset"), "{}", causes(&error));
    faults.clear();
    faults.add(Fault::Hang);
    let hanging = bench.request(TENANT, "/api/alerts").timeout(Duration::from_millis(100)).send().await;
    assert!(hanging.expect_err("no answer").is_timeout());
    while bench.sim.stats().in_flight() > 0 {
        // The client left; the server notices.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(bench.sim.stats().log_of(TENANT, Route::Alerts).last().and_then(|record| record.status), None);
    faults.clear();
    faults.add(Fault::Latency(Duration::from_millis(80)));
    let began = Instant::now();
    assert_eq!(bench.get("/api/alerts").await.status(), 200);
    assert!(began.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn json_that_is_none_or_other() {
    let bench = three().await;
    let faults = bench.sim.faults();
    let with = async |fault: Fault| {
        faults.clear();
        faults.add(FaultRule::new(fault).on(Route::Any));
        let answer = bench.get("/api/alerts").await;
        assert_eq!(answer.status(), 200);
        answer.text().await.expect("a body")
    };
    let parsed = |text: &str| serde_json::from_str::<Value>(text);
    assert!(parsed(&with(Fault::MalformedJson).await).is_err());
    assert!(parsed(&bench.login(TENANT).await.text().await.unwrap()).is_err());
    assert!(parsed(&with(Fault::WrongShape(Shape::NoValue)).await).unwrap().get("value").is_none());
    assert!(json(bench.login(TENANT).await).await.get("access_token").is_none());
    assert!(parsed(&with(Fault::WrongShape(Shape::ValueIsObject)).await).unwrap()["value"].is_object());
    assert!(parsed(&with(Fault::WrongShape(Shape::TopLevelArray)).await).unwrap().is_array());
    let deep = parsed(&with(Fault::DeepJson { depth: 50 }).await).expect("not too deep");
    assert!(deep["value"][0]["deep"][0][0][0].is_array());
    assert!(parsed(&with(Fault::DeepJson { depth: 10_000 }).await).is_err(), "beyond what serde_json follows");
    let link = with(Fault::NextLink { url: "http://evil.example/?$skip=1".into() }).await;
    assert!(link.ends_with(r#"],"@odata.nextLink":"http://evil.example/?$skip=1"}"#), "{link}");
    assert!(with(Fault::corrupt_next_link()).await.contains("alerts?=lastUpdateTime ge"));
    let foreign = parsed(&with(Fault::ForeignAlert { aad_tenant_id: OTHER.into() }).await).expect("JSON");
    let owners: Vec<_> =
        foreign["value"].as_array().unwrap().iter().map(|row| row["aadTenantId"].as_str().unwrap()).collect();
    assert_eq!(owners, [OTHER, TENANT, TENANT]);
}

#[tokio::test]
async fn too_much_of_it() {
    let bench = three().await;
    let faults = bench.sim.faults();
    faults.add(Fault::HugeAlert { bytes: 5_000_000 });
    let huge = json(bench.get("/api/alerts").await).await;
    assert_eq!(huge["value"][0]["padding"].as_str().map(str::len), Some(5_000_000));
    assert_eq!(huge["value"].as_array().map(Vec::len), Some(3));
    faults.clear();
    faults.add(Fault::HugeBody { bytes: 5_000_000 });
    let text = bench.get("/api/alerts").await.text().await.unwrap();
    assert_eq!(text.len(), 5_000_000);
    assert!(serde_json::from_str::<Value>(&text).is_ok());
    faults.clear();
    faults.add(Fault::GzipBomb { decoded_bytes: 20_000_000 });
    let raw = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
    let url = format!("{}/api/alerts", bench.sim.api_url());
    let packed = raw.get(url).bearer_auth(bench.sim.token(TENANT).unwrap()).send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let packed = packed.bytes().await.unwrap();
    assert!(packed.len() < 30_000, "{}", packed.len());
    let mut decoded = Vec::new();
    flate2::read::GzDecoder::new(&*packed).read_to_end(&mut decoded).unwrap();
    assert!(decoded.len() > 20_000_000);
}

#[tokio::test]
async fn an_empty_list_can_be_huge_too() {
    let bench = Bench::of(still_world()).await;
    bench.sim.faults().add(FaultRule::new(Fault::HugeAlert { bytes: 1_000 }).once());
    assert_eq!(json(bench.get("/api/alerts").await).await["value"][0]["padding"].as_str().map(str::len), Some(1_000));
    bench.sim.faults().add(Fault::DeepJson { depth: 3 });
    assert_eq!(json(bench.get("/api/alerts").await).await["value"][0]["deep"], serde_json::json!([[[]]]));
}

#[tokio::test]
async fn other_tenants_tokens() {
    let mut world = still_world();
    world.add_text(OTHER, &tiny("da9_1", "2026-02-03T00:00:00Z"), Duration::ZERO).unwrap();
    let bench = Bench::of(world).await;
    bench.sim.faults().add(FaultRule::new(Fault::ForeignTenantToken { tid: OTHER.into() }).once());
    let token = bench.token(TENANT).await;
    assert_eq!((claims(&token)["tid"].as_str(), claims(&token)["aud"].as_str()), (Some(OTHER), Some(RESOURCE)));
    let url = format!("{}/api/alerts", bench.sim.api_url());
    let list = bench.client.get(url).bearer_auth(token).send().await.unwrap().text().await.unwrap();
    assert!(list.contains("da9_1"), "the service believes the token");
    assert_eq!(claims(&bench.token(TENANT).await)["tid"], TENANT);
}

#[tokio::test]
async fn poison() {
    let bench = three().await;
    let faults = bench.sim.faults();
    let status = async |path: &str| bench.get(path).await.status().as_u16();
    let around = "/api/alerts?$filter=id%20ne%20'da2_1'&$expand=evidence";
    for (scope, list, expanded, one) in [
        (PoisonScope::Lists, 500, 500, 200),
        (PoisonScope::ExpandedLists, 200, 500, 200),
        (PoisonScope::ExpandedListsAndGet, 200, 500, 500),
        (PoisonScope::Everything, 500, 500, 500),
    ] {
        faults.clear();
        faults.add(Fault::PoisonAlert { id: "da2_1".into(), scope });
        let found = [
            status("/api/alerts").await,
            status("/api/alerts?$expand=evidence").await,
            status("/api/alerts/da2_1").await,
        ];
        assert_eq!(found, [list, expanded, one], "{scope:?}");
        assert_eq!([status(around).await, status("/api/alerts/da1_1").await], [200, 200]);
    }
    faults.clear();
    let at = |text: &str| Ticks::parse(text).expect("a time");
    faults.add(Fault::PoisonWindow { from: at("2026-02-02T00:00:00Z"), until: at("2026-02-03T00:00:00Z") });
    assert_eq!(code(bench.get(ORDER).await).await, server_fault());
    assert_eq!(bench.ids("$filter=lastUpdateTime ge 2026-02-03T00:00:00Z").await, ["da1_1"]);
    assert_eq!(bench.ids("$filter=lastUpdateTime lt 2026-02-02T00:00:00Z").await, ["da3_1"]);
    faults.clear();
    let window = Fault::PoisonWindow { from: at("2026-02-02T00:00:00Z"), until: at("2026-02-03T00:00:00Z") };
    faults.add(FaultRule::new(window).on(Route::Any));
    assert_eq!([status("/api/alerts/da2_1").await, status("/api/alerts/da1_1").await], [500, 200]);
    faults.clear();
    faults.add(Fault::TooLarge { max_rows: 2 });
    assert_eq!(code(bench.get("/api/alerts").await).await, server_fault());
    assert_eq!(bench.ids("$top=2").await.len(), 2);
}

#[tokio::test]
async fn a_fault_spoils_no_page_that_is_remembered() {
    let bench = many(100).await;
    let before = bench.get("/api/alerts").await.text().await.unwrap();
    bench.sim.faults().add(FaultRule::new(Fault::ForeignAlert { aad_tenant_id: OTHER.into() }).once());
    assert!(bench.get("/api/alerts").await.text().await.unwrap().contains(OTHER));
    assert_eq!(bench.get("/api/alerts").await.text().await.unwrap(), before);
    bench.sim.faults().add(FaultRule::new(Fault::UnsortedIds).once());
    assert_ne!(bench.get("/api/alerts").await.text().await.unwrap(), before);
    assert_eq!(bench.get("/api/alerts").await.text().await.unwrap(), before);
}

#[test]
fn a_world_needs_no_server_to_be_looked_at() {
    let mut world = World::new(alertferry_simulator::Options::default());
    assert!(world.truth(TENANT).is_empty());
    assert!(world.tenant(TENANT).is_none());
}
