//! A small client, and worlds that tests start from.

use std::time::Duration;

use alertferry_simulator::{DEFAULT_CLIENT_ID, DEFAULT_SECRET, Options, Simulator, Ticks, World};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

/// The tenant most tests use.
pub const TENANT: &str = "aaaaaaaa-0000-4000-8000-000000000001";
/// Another one.
pub const OTHER: &str = "bbbbbbbb-0000-4000-8000-000000000002";
/// The resource that tokens are for.
pub const RESOURCE: &str = "https://api.securitycenter.microsoft.com";

/// Where worlds that stand still begin.
pub fn start() -> Ticks {
    Ticks::parse("2026-03-01T08:00:00Z").expect("a time")
}

/// A world whose clock only the test moves, with one empty tenant.
pub fn still_world() -> World {
    let mut world = World::new(Options { start: Some(start()), speed: 0.0, ..Options::default() });
    world.add_tenant(TENANT);
    world
}

/// An alert with the few members a test cares about.
pub fn tiny(id: &str, last_update: &str) -> String {
    format!(
        r#"{{"id":"{id}","incidentId":7,"assignedTo":null,"severity":"Low","status":"New","title":"t","alertCreationTime":"2026-02-01T00:00:00.1234567Z","lastUpdateTime":"{last_update}","aadTenantId":"{TENANT}","relatedUser":{{"userName":"u","domainName":"d"}},"evidence":[{{"entityType":"Ip"}}]}}"#
    )
}

/// A running simulator with a client beside it.
pub struct Bench {
    pub sim: Simulator,
    pub client: Client,
}

impl Bench {
    pub async fn of(world: World) -> Self {
        let sim = Simulator::start(world).await.expect("a loopback port");
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(20))
            .build()
            .expect("a client");
        Self { sim, client }
    }

    /// Serves `texts` as alerts of [`TENANT`].
    pub async fn with_alerts(texts: &[String]) -> Self {
        let mut world = still_world();
        for text in texts {
            world.add_text(TENANT, text, Duration::ZERO).expect("an alert");
        }
        Self::of(world).await
    }

    pub async fn login_with(&self, tenant: &str, version: &str, form: &[(&str, &str)]) -> Response {
        let url = format!("{}/{tenant}/oauth2/{version}token", self.sim.login_url());
        self.client.post(url).form(form).send().await.expect("an answer")
    }

    /// The ordinary version 2 login.
    pub async fn login(&self, tenant: &str) -> Response {
        self.login_with(
            tenant,
            "v2.0/",
            &[
                ("grant_type", "client_credentials"),
                ("client_id", DEFAULT_CLIENT_ID),
                ("client_secret", DEFAULT_SECRET),
                ("scope", "https://api.securitycenter.microsoft.com/.default"),
            ],
        )
        .await
    }

    pub async fn token(&self, tenant: &str) -> String {
        let answer = json(self.login(tenant).await).await;
        answer["access_token"].as_str().expect("a token").to_owned()
    }

    pub fn request(&self, tenant: &str, path_and_query: &str) -> RequestBuilder {
        let token = self.sim.token(tenant).expect("a token");
        self.client.get(format!("{}{path_and_query}", self.sim.api_url())).bearer_auth(token)
    }

    pub async fn get(&self, path_and_query: &str) -> Response {
        self.request(TENANT, path_and_query).send().await.expect("an answer")
    }

    /// The ids of a list, in the answer's order. The query is not encoded by the caller.
    pub async fn ids(&self, query: &str) -> Vec<String> {
        let answer = self.get(&format!("/api/alerts?{}", query.replace(' ', "%20"))).await;
        assert_eq!(answer.status(), 200, "{query}");
        let answer = json(answer).await;
        let rows = answer["value"].as_array().expect("a list");
        rows.iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
    }

    /// Status, code and message of a refusal.
    pub async fn refusal(&self, query: &str) -> (u16, String, String) {
        envelope(self.get(&format!("/api/alerts?{query}")).await).await
    }
}

/// A body as JSON.
pub async fn json(answer: Response) -> Value {
    serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON")
}

/// Status, code and message of an envelope, whose target must look as recorded.
pub async fn envelope(answer: Response) -> (u16, String, String) {
    let status = answer.status().as_u16();
    let body = json(answer).await;
    let error = &body["error"];
    let target = error["target"].as_str().expect("a target");
    assert!(target.starts_with('|') && target.ends_with('.') && target.len() == 27, "{target}");
    (status, error["code"].as_str().unwrap().to_owned(), error["message"].as_str().unwrap().to_owned())
}

/// The claims of a token, unchecked.
pub fn claims(token: &str) -> Value {
    use base64::Engine;
    let body = token.split('.').nth(1).expect("three parts");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(body).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}
