//! What is said of credentials that come to their end, or cannot be used.

use std::time::{Duration, UNIX_EPOCH};

use alertferry::clock::Clock;
use alertferry_simulator::{Certificate, Simulator};

use crate::support::{Config, House, SELDOM, on_threads, simulator};

const DAY: u64 = 86_400;

/// A certificate for a key of its own that ends so many days from now.
fn ending_in(days: i64) -> (String, String) {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("a key");
    let mut params = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    // Half a day more, so that the count does not change under the test.
    let by = Duration::from_secs(days.unsigned_abs() * DAY);
    let half = Duration::from_secs(DAY / 2);
    let seconds = u64::try_from(Clock::System.now().unix_seconds()).expect("after 1970");
    let now = UNIX_EPOCH + Duration::from_secs(seconds) + half;
    params.not_after = if days < 0 { now - by } else { now + by }.into();
    (key.serialize_pem(), params.self_signed(&key).expect("a certificate").pem())
}

/// A house whose app tries certificates that end in so many days each, and then its secret.
fn house(sim: &Simulator, ends: &[i64], secret: &str) -> House {
    let config = Config { schedule: SELDOM, ..Config::of(sim) };
    let house = House::with(&config);
    let mut credentials = String::new();
    for (n, days) in ends.iter().enumerate() {
        let (key, cert) = ending_in(*days);
        sim.world().with(|world| {
            world.apps[0].certificates.push(Certificate::from_pem(&cert).expect("a certificate"));
        });
        house.write_private(&format!("{n}.pem"), &format!("{key}{cert}"));
        credentials += &format!("{{ certificate = {{ file = \"{n}.pem\" }} }}, ");
    }
    let listed = format!("credentials = [{credentials}{{ secret = {secret} }}]");
    let text = config.text().replace("secret = { file = \"secret\" }", &listed);
    house.write("main.toml", &text);
    house
}

#[test]
fn check_shows_when_credentials_end_and_fails_on_one_that_has() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        let house = house(&sim, &[40], "{ file = \"secret\", expires_at = \"2999-01-31\" }");
        let said = house.run(&["check", "--offline", "--format", "json"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.stdout.contains("certificate 1 can be read; ends on ") && said.stdout.contains("in 40 days"));
        assert!(said.stdout.contains("client secret 2 can be read; ends on 2999-01-31"), "{said:?}");
        let house = self::house(&sim, &[-3], "{ file = \"secret\" }");
        let said = house.run(&["check", "--offline", "--format", "json"]);
        assert_eq!(said.code, Some(69), "{said:?}");
        assert!(said.stdout.contains("has ended on") && said.stdout.contains("make a new certificate"), "{said:?}");
    });
}

#[test]
fn the_daemon_tells_of_ends_and_of_what_cannot_be_used_and_goes_on() {
    on_threads(async {
        let sim = simulator(1, 3).await;
        let house = house(&sim, &[100, 45, 3, -2], "{ file = \"secret\", expires_at = \"2020-01-01\" }");
        house.write_private("1.pem", "not even a key");
        let daemon = house.start();
        house.wait_until_read_once().await;
        let unusable = daemon.hear("credential.unusable").await;
        assert!(unusable["place"].as_str().is_some_and(|place| place.ends_with("1.pem")), "{unusable}");
        assert!(unusable["reason"].as_str().is_some_and(|reason| reason.contains("no private key")), "{unusable}");
        let expiring = daemon.hear("credential.expiring").await;
        assert_eq!((expiring["days"].as_u64(), expiring["kind"].as_str()), (Some(3), Some("certificate")));
        let expired = daemon.hear_where("credential.expired", |line| line["kind"] == "secret").await;
        assert_eq!(expired["ended_at"], "2020-01-01T00:00:00.0000000Z");
        daemon.hear_where("credential.expired", |line| line["kind"] == "certificate").await;
        let count = |event: &str| daemon.lines().iter().filter(|line| line["event"] == event).count();
        assert_eq!(["credential.unusable", "credential.expiring", "credential.expired"].map(count), [1, 1, 2]);
        house.write_private("0.pem", "torn");
        daemon.signal("HUP");
        daemon
            .hear_where("credential.unusable", |line| {
                line["place"].as_str().is_some_and(|place| place.ends_with("0.pem"))
            })
            .await;
        daemon.stop().await;
        assert!(house.all_lines().iter().all(|line| line["event"] != "app.refused"));
    });
}
