//! The token endpoint: both versions, every refusal.

use std::collections::BTreeSet;

use alertferry_simulator::{App, DEFAULT_CLIENT_ID, DEFAULT_SECRET, Secret};
use reqwest::Response;
use serde_json::Value;

use crate::support::{Bench, RESOURCE, TENANT, claims, json, start, still_world};

const SCOPE: &str = "https://api.securitycenter.microsoft.com/.default";

fn form<'f>(extra: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let mut form = vec![("grant_type", "client_credentials"), ("client_id", DEFAULT_CLIENT_ID)];
    form.extend_from_slice(extra);
    form
}

/// Status, `error` and number of a refusal, whose body must have the documented members.
async fn refusal(answer: Response) -> (u16, String, u64) {
    let status = answer.status().as_u16();
    let body = json(answer).await;
    let code = body["error_codes"][0].as_u64().expect("a number");
    let description = body["error_description"].as_str().expect("a description");
    assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
    assert!(
        description.contains(" Trace ID: ") && description.contains(" Correlation ID: ") && !description.contains('\n')
    );
    assert_eq!(body["timestamp"], "2026-03-01 08:00:00Z");
    for key in ["trace_id", "correlation_id"] {
        assert_eq!(body[key].as_str().map(str::len), Some(36));
    }
    (status, body["error"].as_str().unwrap().to_owned(), code)
}

fn expect(status: u16, error: &str, code: u64) -> (u16, String, u64) {
    (status, error.to_owned(), code)
}

#[tokio::test]
async fn version_two_answers_with_numbers() {
    let bench = Bench::of(still_world()).await;
    let answer = bench.login(TENANT).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/json; charset=utf-8");
    assert_eq!(answer.headers()["cache-control"], "no-store, no-cache");
    assert_eq!(answer.headers()["date"], "Sun, 01 Mar 2026 08:00:00 GMT");
    let body = json(answer).await;
    assert_eq!(body["token_type"], "Bearer");
    assert!(body["expires_in"].is_u64() && body["ext_expires_in"].is_u64());
    assert!(body.get("refresh_in").is_none() && body.get("expires_on").is_none());
    let claims = claims(body["access_token"].as_str().unwrap());
    let now = start().unix_seconds();
    let life = claims["exp"].as_i64().unwrap() - now;
    assert_eq!(body["expires_in"].as_i64(), Some(life - 1));
    assert_eq!(claims["nbf"].as_i64(), Some(now - 300));
    assert_eq!((&claims["aud"], &claims["tid"]), (&Value::from(RESOURCE), &Value::from(TENANT)));
    assert_eq!(claims["iss"], format!("https://sts.windows.net/{TENANT}/"));
    assert_eq!(claims["roles"], serde_json::json!(["Alert.Read.All"]));
    assert_eq!((&claims["appid"], &claims["appidacr"]), (&Value::from(DEFAULT_CLIENT_ID), &Value::from("1")));
    assert_eq!(claims["ver"], "1.0");
    for key in ["iat", "oid", "sub", "uti", "idp", "rh", "aio"] {
        assert!(claims.get(key).is_some(), "{key}");
    }
}

#[tokio::test]
async fn version_one_answers_with_strings() {
    let mut world = still_world();
    world.apps[0].refresh_in = Some(1_800);
    let bench = Bench::of(world).await;
    let answer =
        bench.login_with(TENANT, "", &form(&[("client_secret", DEFAULT_SECRET), ("resource", RESOURCE)])).await;
    let body = json(answer).await;
    for key in ["expires_in", "ext_expires_in", "expires_on", "not_before", "refresh_in"] {
        let text = body[key].as_str().expect(key);
        assert!(text.parse::<i64>().is_ok(), "{key} is {text}");
    }
    assert_eq!(body["resource"], RESOURCE);
    let claims = claims(body["access_token"].as_str().unwrap());
    assert_eq!(body["expires_on"], claims["exp"].to_string());
}

#[tokio::test]
async fn basic_authorization_counts_as_client_and_secret() {
    let bench = Bench::of(still_world()).await;
    let url = format!("{}/{TENANT}/oauth2/v2.0/token", bench.sim.login_url());
    let encoded: String = url_encoded(DEFAULT_SECRET);
    let request = bench.client.post(&url).basic_auth(DEFAULT_CLIENT_ID, Some(encoded));
    let answer = request.form(&[("grant_type", "client_credentials"), ("scope", SCOPE)]).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let wrong = bench.client.post(url).basic_auth(DEFAULT_CLIENT_ID, Some("no"));
    let answer = wrong.form(&[("grant_type", "client_credentials"), ("scope", SCOPE)]).send().await.unwrap();
    assert_eq!(refusal(answer).await, expect(401, "invalid_client", 7_000_215));
}

fn url_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn wrong_expired_and_rotated_secrets() {
    let mut world = still_world();
    let mut app = App::default();
    app.secrets.insert(0, Secret { value: "old".into(), expired: true });
    app.secrets.push(Secret { value: "new".into(), expired: false });
    world.apps = vec![app, App::new("22222222-2222-2222-2222-222222222222", "second")];
    let bench = Bench::of(world).await;
    let with = async |secret: &str| {
        bench.login_with(TENANT, "v2.0/", &form(&[("client_secret", secret), ("scope", SCOPE)])).await
    };
    assert_eq!(with("new").await.status(), 200);
    assert_eq!(with(DEFAULT_SECRET).await.status(), 200);
    assert_eq!(refusal(with("old").await).await, expect(401, "invalid_client", 7_000_222));
    assert_eq!(refusal(with("second").await).await, expect(401, "invalid_client", 7_000_215));
    let bare = bench.login_with(TENANT, "v2.0/", &form(&[("scope", SCOPE)])).await;
    assert_eq!(refusal(bare).await, expect(401, "invalid_client", 7_000_218));
    let second = [
        ("grant_type", "client_credentials"),
        ("client_id", "22222222-2222-2222-2222-222222222222"),
        ("client_secret", "second"),
        ("scope", SCOPE),
    ];
    assert_eq!(bench.login_with(TENANT, "v2.0/", &second).await.status(), 200);
}

#[tokio::test]
async fn what_a_tenant_can_be() {
    let bench = Bench::of(still_world()).await;
    let world = bench.sim.world();
    let set = |change: fn(&mut alertferry_simulator::TenantState)| {
        world.with(|world| {
            world.set_state(TENANT, |state| *state = Default::default());
            world.set_state(TENANT, change);
        });
    };
    set(|state| state.consented = false);
    assert_eq!(refusal(bench.login(TENANT).await).await, expect(400, "unauthorized_client", 700_016));
    set(|state| state.consented_apps = Some(BTreeSet::from(["another".to_owned()])));
    assert_eq!(refusal(bench.login(TENANT).await).await, expect(400, "unauthorized_client", 700_016));
    set(|state| state.app_disabled = true);
    assert_eq!(refusal(bench.login(TENANT).await).await, expect(400, "unauthorized_client", 7_000_112));
    set(|state| state.service_principal = false);
    assert_eq!(refusal(bench.login(TENANT).await).await, expect(400, "invalid_resource", 500_011));
    set(|state| state.conditional_access = true);
    let blocked = bench.login(TENANT).await;
    assert_eq!(blocked.status(), 400);
    let body = json(blocked).await;
    assert_eq!((&body["error"], &body["error_codes"][0]), (&Value::from("access_denied"), &Value::from(53_003)));
    assert!(body["claims"].as_str().is_some_and(|claims| serde_json::from_str::<Value>(claims).is_ok()));
    set(|state| state.deleted = true);
    assert_eq!(refusal(bench.login(TENANT).await).await, expect(400, "invalid_request", 90_002));
    set(|_| {});
    assert_eq!(bench.login(&TENANT.to_uppercase()).await.status(), 200);
}

#[tokio::test]
async fn names_of_tenants() {
    let bench = Bench::of(still_world()).await;
    bench.sim.world().with(|world| world.add_domain("contoso.example", TENANT));
    assert_eq!(claims(&bench.token("Contoso.example").await)["tid"], TENANT);
    for (name, code) in [
        ("common", 50_059),
        ("organizations", 50_059),
        ("consumers", 50_059),
        ("nobody.example", 90_002),
        ("cccccccc-0000-4000-8000-000000000003", 90_002),
        ("not-a-tenant", 900_023),
    ] {
        assert_eq!(refusal(bench.login(name).await).await, expect(400, "invalid_request", code), "{name}");
    }
}

#[tokio::test]
async fn requests_that_are_wrong_in_themselves() {
    let bench = Bench::of(still_world()).await;
    let secret = ("client_secret", DEFAULT_SECRET);
    let with =
        async |version: &str, form: &[(&str, &str)]| refusal(bench.login_with(TENANT, version, form).await).await;
    let v2 = "v2.0/";
    assert_eq!(with(v2, &form(&[secret, ("resource", RESOURCE)])).await, expect(400, "invalid_request", 901_002));
    assert_eq!(with(v2, &form(&[secret])).await, expect(400, "invalid_request", 900_144));
    assert_eq!(with("", &form(&[secret])).await, expect(400, "invalid_request", 900_144));
    assert_eq!(with(v2, &form(&[secret, ("scope", RESOURCE)])).await, expect(400, "invalid_scope", 1_002_012));
    assert_eq!(with(v2, &form(&[secret, ("scope", "alerts")])).await, expect(400, "invalid_scope", 70_011));
    let two = format!("{SCOPE} https://graph.microsoft.com/.default");
    assert_eq!(with(v2, &form(&[secret, ("scope", &two)])).await, expect(400, "invalid_scope", 700_022));
    let grant = [("grant_type", "password"), ("client_id", DEFAULT_CLIENT_ID)];
    assert_eq!(with(v2, &grant).await, expect(400, "unsupported_grant_type", 70_003));
    assert_eq!(with(v2, &[]).await, expect(400, "invalid_request", 900_144));
    let get = bench.client.get(format!("{}/{TENANT}/oauth2/token", bench.sim.login_url())).send().await.unwrap();
    assert_eq!(get.status(), 405);
}

#[tokio::test]
async fn the_lifetime_is_the_apps_to_choose() {
    let mut world = still_world();
    world.apps[0].token_lifetime = 60..=60;
    let bench = Bench::of(world).await;
    let token = bench.token(TENANT).await;
    assert_eq!(claims(&token)["exp"].as_i64(), Some(start().unix_seconds() + 60));
}
