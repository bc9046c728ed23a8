//! When credentials end, as a number, and as an object of `/status`.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::client::{ask, asked, get, request, scrape, start};
use crate::support::{Config, SELDOM, on_threads, simulator, wait_until};

const METRIC: &str = "alertferry_credential_expiry_timestamp_seconds";
/// 2999-01-31 at midnight.
const YEAR_2999: u64 = 32474736000;
/// 2036-05-05 at midnight.
const YEAR_2036: u64 = 2093558400;

/// A key, and a certificate for it that ends then.
fn ending_at(seconds: u64) -> String {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("a key");
    let mut params = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    params.not_after = (UNIX_EPOCH + Duration::from_secs(seconds)).into();
    format!("{}{}", key.serialize_pem(), params.self_signed(&key).expect("a certificate").pem())
}

/// The value of a series of the app `main`, if there is one.
fn seen(address: &str, kind: &str, number: &str) -> Option<f64> {
    scrape(address).find(METRIC, &[("app", "main"), ("kind", kind), ("number", number)])
}

fn is(found: Option<f64>, seconds: u64) -> bool {
    let seconds = f64::from(u32::try_from(seconds / 86_400).expect("days")) * 86_400.0;
    found.is_some_and(|found| (found - seconds).abs() < 0.5)
}

#[test]
fn ends_of_credentials_are_shown_and_follow_a_reload() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        let config = Config { schedule: SELDOM, ..Config::of(&sim) };
        let listed = |last: &str| {
            let list = format!("credentials = [{{ certificate = {{ file = \"both.pem\" }} }}, {last}]");
            asked(&config, "").replace("secret = { file = \"secret\" }", &list)
        };
        let (house, daemon, address) = start(&config, "").await;
        assert_eq!(seen(&address, "secret", "1"), None, "nobody has said when it ends");
        house.write_private("both.pem", &ending_at(YEAR_2036));
        house.write("main.toml", &listed("{ secret = { file = \"secret\", expires_at = \"2999-01-31\" } }"));
        daemon.signal("HUP");
        wait_until("the end of the certificate", || is(seen(&address, "certificate", "1"), YEAR_2036)).await;
        assert!(is(seen(&address, "secret", "2"), YEAR_2999));
        let told: Value = serde_json::from_str(&get(&address, "/status").body).expect("JSON");
        let credentials = told["credentials"].as_array().expect("a list");
        let facts = |each: &Value| json!([each["app"], each["number"], each["kind"], each["ends_at"]]);
        let ends = ["2036-05-05T00:00:00.0000000Z", "2999-01-31T00:00:00.0000000Z"];
        assert_eq!(
            credentials.iter().map(facts).collect::<Vec<_>>(),
            [json!(["main", 1, "certificate", ends[0]]), json!(["main", 2, "secret", ends[1]])],
            "those that end first come first"
        );
        assert!(credentials.iter().all(|each| each["days_left"].as_i64().is_some_and(|days| days > 0)));
        for path in ["/metrics", "/status"] {
            assert!(!get(&address, path).body.contains("both.pem"), "{path} tells where credentials are found");
        }
        // What cannot be read has no end that is known.
        std::fs::remove_file(house.path("both.pem")).expect("removed");
        house.write("main.toml", &listed("{ secret = { file = \"secret\", expires_at = \"2036-05-05\" } }"));
        daemon.signal("HUP");
        wait_until("the other end", || is(seen(&address, "secret", "2"), YEAR_2036)).await;
        assert_eq!(seen(&address, "certificate", "1"), None);
        daemon.stop().await;
    });
}

#[test]
fn a_name_that_needs_it_is_escaped_in_both_forms() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        let mut config = Config::of(&sim);
        let secret = "{ file = \"secret\", expires_at = \"2999-01-31\" }".to_owned();
        config.apps.push((r#""The \"other\" \\ one""#, secret));
        let (_house, daemon, address) = start(&config, "").await;
        for accepted in ["application/openmetrics-text", "text/plain"] {
            let text = || {
                ask(&address, &request(&address, "GET", "/metrics", &format!("Accept: {accepted}\r\n")))
                    .expect("answered")
            };
            let line = format!(r#"{METRIC}{{app="The \"other\" \\ one",kind="secret",number="1"}} {YEAR_2999}"#);
            wait_until("its line", || text().body.lines().any(|each| each == line)).await;
        }
        daemon.stop().await;
    });
}
