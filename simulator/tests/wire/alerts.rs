//! Lists and single alerts: bodies, headers, refusals.

use std::io::Read;
use std::time::Duration;

use alertferry_simulator::{EVIDENCE_KEYS, Licence, Options, Profile, World};
use serde_json::Value;

use crate::support::{Bench, OTHER, RESOURCE, TENANT, claims, envelope, json, start, still_world, tiny};

fn three() -> Vec<String> {
    ["2026-02-03T00:00:00Z", "2026-02-02T00:00:00.5Z", "2026-02-01T00:00:00.6666667Z"]
        .iter()
        .zip(["da1_1", "da2_1", "da3_1"])
        .map(|(time, id)| tiny(id, time))
        .collect()
}

#[tokio::test]
async fn a_list_is_in_id_order_between_the_recorded_brackets() {
    let bench = Bench::with_alerts(&three()).await;
    let answer = bench.get("/api/alerts").await;
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.expect("a body");
    let opening = r#"{"@odata.context":"https://api-eu3.securitycenter.microsoft.com/api/$metadata#Alerts","value":["#;
    assert!(text.starts_with(opening) && text.ends_with("]}"), "{text}");
    assert!(!text.contains("nextLink"));
    assert_eq!(bench.ids("").await, ["da1_1", "da2_1", "da3_1"]);
    assert_eq!(bench.get("/api/v1.0/alerts").await.status(), 200);
}

#[tokio::test]
async fn served_texts_equal_the_truth() {
    let world = World::generate(
        3,
        &Profile { options: Options { start: Some(start()), speed: 0.0, ..Options::default() }, ..Profile::default() },
    );
    let tenant = world.tenant_ids()[0].clone();
    let bench = Bench::of(world).await;
    let truth = bench.sim.world().with(|world| world.truth(&tenant));
    assert!(truth.len() >= 20);
    for expand in [true, false] {
        let query = if expand { "?$expand=evidence" } else { "" };
        let answer = bench.request(&tenant, &format!("/api/alerts{query}")).send().await.expect("an answer");
        let text = answer.text().await.expect("a body");
        let rows: Vec<&str> = truth.iter().map(|row| if expand { &*row.expanded } else { &*row.thin }).collect();
        assert!(text.ends_with(&format!("\"value\":[{}]}}", rows.join(","))));
    }
}

#[tokio::test]
async fn without_expand_evidence_is_empty_and_the_user_null() {
    let bench = Bench::with_alerts(&three()).await;
    let thin = json(bench.get("/api/alerts").await).await;
    assert_eq!(thin["value"][0]["evidence"], serde_json::json!([]));
    assert_eq!(thin["value"][0]["relatedUser"], Value::Null);
    let full = json(bench.get("/api/alerts?$expand=evidence").await).await;
    assert_eq!(full["value"][0]["relatedUser"]["userName"], "u");
    assert_eq!(full["value"][0]["evidence"][0]["entityType"], "Ip");
}

#[tokio::test]
async fn one_alert_by_id_shows_its_evidence() {
    let bench =
        Bench::with_alerts(&[tiny("da1_-2", "2026-02-03T00:00:00Z"), tiny("da x+é_1", "2026-02-03T00:00:00Z")]).await;
    let answer = bench.get("/api/alerts/da1_-2").await;
    let text = answer.text().await.expect("a body");
    assert!(text.starts_with(r#"{"@odata.context":"https://api-eu3.securitycenter.microsoft.com/api/$metadata#Alerts/$entity","id":"da1_-2","#));
    assert!(text.contains(r#""evidence":[{"entityType":"Ip"}]"#));
    assert_eq!(bench.get("/api/alerts/da%20x+%C3%A9_1").await.status(), 200);
    let (status, code, _) = envelope(bench.get("/api/alerts/DA1_-2").await).await;
    assert_eq!((status, code.as_str()), (404, "ResourceNotFound"), "ids are case-sensitive");
}

#[tokio::test]
async fn headers_are_the_recorded_ones() {
    let bench = Bench::with_alerts(&three()).await;
    let answer = bench.get("/api/alerts").await;
    let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(
        header("content-type").as_deref(),
        Some("application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8")
    );
    assert_eq!(header("odata-version").as_deref(), Some("4.0"));
    assert_eq!(header("vary").as_deref(), Some("Accept-Encoding"));
    assert_eq!(header("transfer-encoding").as_deref(), Some("chunked"));
    assert_eq!(header("date").as_deref(), Some("Sun, 01 Mar 2026 08:00:00 GMT"));
    assert_eq!(header("mise-correlation-id").map(|id| id.len()), Some(36));
    assert!(header("strict-transport-security").is_some());
    assert_eq!(header("content-length"), None);
    assert_eq!(header("etag"), None);
}

#[tokio::test]
async fn compresses_when_the_client_offers_it() {
    let bench = Bench::with_alerts(&three()).await;
    let raw = reqwest::Client::builder().no_proxy().no_gzip().build().expect("a client");
    let url = format!("{}/api/alerts?$expand=evidence", bench.sim.api_url());
    let ask = |encoding: &'static str| {
        let request = raw.get(&url).bearer_auth(bench.sim.token(TENANT).unwrap());
        request.header("accept-encoding", encoding).send()
    };
    let packed = ask("gzip").await.expect("an answer");
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let bytes = packed.bytes().await.expect("a body");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut text).expect("gzip");
    let plain = ask("identity").await.expect("an answer");
    assert!(!plain.headers().contains_key("content-encoding"));
    assert_eq!(plain.text().await.expect("a body"), text);
}

#[tokio::test]
async fn wrong_paths_and_verbs_have_empty_bodies() {
    let bench = Bench::with_alerts(&[]).await;
    let missing = bench.get("/api/alarms").await;
    assert_eq!(missing.status(), 404);
    assert_eq!(missing.headers()["content-length"], "0");
    let url = format!("{}/api/alerts", bench.sim.api_url());
    let verb = bench.client.post(url).bearer_auth(bench.sim.token(TENANT).unwrap()).send().await.expect("an answer");
    assert_eq!((verb.status().as_u16(), &verb.headers()["allow"]), (405, &"GET".parse().unwrap()));
    assert_eq!(verb.headers()["content-length"], "0");
    assert_eq!(verb.text().await.expect("a body"), "");
}

#[tokio::test]
async fn the_token_decides_the_tenant_and_its_end_is_on_the_worlds_clock() {
    let mut world = still_world();
    world.add_text(TENANT, &tiny("da1_1", "2026-02-03T00:00:00Z"), Duration::ZERO).unwrap();
    world.add_text(OTHER, &tiny("da9_1", "2026-02-03T00:00:00Z"), Duration::ZERO).unwrap();
    let bench = Bench::of(world).await;
    let token = bench.token(OTHER).await;
    let url = format!("{}/api/alerts", bench.sim.api_url());
    let ask = || bench.client.get(&url).bearer_auth(&token).send();
    assert!(ask().await.unwrap().text().await.unwrap().contains("da9_1"));
    let life = claims(&token)["exp"].as_i64().unwrap() - start().unix_seconds();
    assert!((3_600..=5_400).contains(&life), "{life}");
    let life = Duration::from_secs(life.unsigned_abs());
    bench.sim.world().with(|world| world.advance(life - Duration::from_secs(1)));
    assert_eq!(ask().await.unwrap().status(), 200);
    bench.sim.world().with(|world| world.advance(Duration::from_secs(1)));
    let late = ask().await.unwrap();
    assert_eq!(late.status(), 401);
    assert!(late.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
}

#[tokio::test]
async fn no_token_a_foreign_token_and_a_tampered_one() {
    let bench = Bench::with_alerts(&[]).await;
    let stranger = Bench::with_alerts(&[]).await;
    let url = format!("{}/api/alerts", bench.sim.api_url());
    let bare = bench.client.get(&url).send().await.unwrap();
    assert_eq!(bare.status(), 401);
    assert!(bare.headers().contains_key("www-authenticate"));
    let foreign = stranger.sim.token(TENANT).unwrap();
    assert_eq!(bench.client.get(&url).bearer_auth(foreign).send().await.unwrap().status(), 401);
    let mut tampered = bench.sim.token(TENANT).unwrap();
    tampered.truncate(tampered.len() - 4);
    assert_eq!(bench.client.get(&url).bearer_auth(tampered).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_token_for_another_resource_is_forbidden() {
    let mut world = still_world();
    world.options.audiences.retain(|audience| audience != RESOURCE);
    let bench = Bench::of(world).await;
    let token = bench.token(TENANT).await;
    let url = format!("{}/api/alerts", bench.sim.api_url());
    let answer = bench.client.get(url).bearer_auth(token).send().await.unwrap();
    let (status, code, _) = envelope(answer).await;
    assert_eq!((status, code.as_str()), (403, "Forbidden"));
}

#[tokio::test]
async fn a_token_without_the_role_is_issued_and_refused() {
    let mut world = still_world();
    world.set_state(TENANT, |state| state.roles.clear());
    let bench = Bench::of(world).await;
    let token = bench.token(TENANT).await;
    assert!(claims(&token).get("roles").is_none());
    let url = format!("{}/api/alerts", bench.sim.api_url());
    let answer = bench.client.get(&url).bearer_auth(&token).send().await.unwrap();
    let (status, code, message) = envelope(answer).await;
    assert_eq!((status, code.as_str()), (403, "Forbidden"));
    assert!(message.starts_with("Missing application roles. API required roles: Alert.Read.All"), "{message}");
    bench.sim.world().with(|world| world.set_state(TENANT, |state| state.roles = vec!["Alert.ReadWrite.All".into()]));
    let old = bench.client.get(&url).bearer_auth(&token).send().await.unwrap();
    assert_eq!(old.status(), 403, "a grant shows only in a new token");
    assert_eq!(bench.get("/api/alerts").await.status(), 200);
}

#[tokio::test]
async fn inactive_licences_and_tenants_that_left() {
    let bench = Bench::with_alerts(&[]).await;
    for (licence, status, reason) in [
        (Licence::Inactive401, 401, "Account mode is inactive"),
        (Licence::Inactive403, 403, "Account mode is inactive"),
        (Licence::NoTvm, 401, "No Tvm license"),
    ] {
        bench.sim.world().with(|world| world.set_state(TENANT, |state| state.licence = licence));
        let found = envelope(bench.get("/api/alerts").await).await;
        let message = format!("Unauthorized request - reason of failure: {reason}");
        assert_eq!(found, (status, "Unauthorized".to_owned(), message));
    }
    let token = bench.sim.token(TENANT).unwrap();
    bench.sim.world().with(|world| world.set_state(TENANT, |state| state.deleted = true));
    let url = format!("{}/api/alerts", bench.sim.api_url());
    assert_eq!(bench.client.get(url).bearer_auth(token).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn generated_evidence_has_all_keys_and_alerts_look_real() {
    let world = World::generate(9, &Profile { tenants: 1, alerts_per_tenant: 400..=400, ..Profile::default() });
    let tenant = world.tenant_ids()[0].clone();
    let mut world = world;
    let mut sizes = Vec::new();
    let (mut old_ids, mut digits) = (0, std::collections::BTreeSet::new());
    for row in world.truth(&tenant) {
        let alert: Value = serde_json::from_str(&row.expanded).expect("JSON");
        assert_eq!(alert["aadTenantId"], *tenant);
        for evidence in alert["evidence"].as_array().unwrap() {
            assert_eq!(evidence.as_object().unwrap().len(), EVIDENCE_KEYS.len());
        }
        let id = alert["id"].as_str().unwrap();
        old_ids += usize::from(!id.ends_with("_1"));
        assert!(id.starts_with("da") || id.starts_with("ar"), "{id}");
        digits.insert(row.last_update_time.len());
        sizes.push(row.expanded.len());
    }
    sizes.sort_unstable();
    assert!((1_900..3_000).contains(&sizes[200]), "median {}", sizes[200]);
    assert!((20_000..45_000).contains(sizes.last().unwrap()), "largest {}", sizes[399]);
    assert!(old_ids > 10 && old_ids < 200, "{old_ids}");
    assert!(digits.len() >= 3, "times of several lengths: {digits:?}");
}
