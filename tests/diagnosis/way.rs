//! Faults of the way to the services: a proxy that refuses or is not there, an authority that nobody knows.

use std::collections::BTreeMap;

use alertferry_simulator::Simulator;
use serde_json::Value;

use crate::authorities::Authority;
use crate::listeners::Server;
use crate::proxy;
use crate::scene::{ca_file, network};
use crate::support::{Config, House, SELDOM, on_threads, simulator, wait_until};
use crate::told::{assert_says, findings, standing};

const LOGIN: &str = "login.ferry.example";
const API: &str = "api.ferry.example";

/// A fault as it is told: by the step of `check`, in these words, with this remedy.
struct Told {
    step: &'static str,
    found: &'static str,
    remedy: &'static str,
}

/// Holds every finding of the step, the daemon's event and the tenant's state against what must be told.
async fn is_named(house: &House, told: &Told) {
    let findings = findings(house, 69);
    let steps: Vec<&Value> = findings.iter().filter(|finding| finding["step"] == told.step).collect();
    assert!(!steps.is_empty(), "{findings:?}");
    for finding in steps {
        assert_eq!(finding["level"], "fail", "{finding}");
        assert_says(told.step, finding, "detail", told.found);
        assert_says(told.step, finding, "remedy", told.remedy);
    }
    let daemon = house.start();
    let line = daemon.hear("token.failed").await;
    assert_says(told.step, &line, "reason", told.found);
    assert_says(told.step, &line, "remedy", told.remedy);
    wait_until("the end of the attempt", || standing(house)["state"] == "unreachable").await;
    let standing = standing(house);
    assert_says(told.step, &standing, "reason", told.found);
    assert_says(told.step, &standing, "remedy", told.remedy);
    daemon.stop().await;
}

fn house(sim: &Simulator, [login, api]: [&str; 2]) -> House {
    let [login_url, api_url] = [login, api].map(|host| format!("https://{host}"));
    House::with(&Config { login_url, api_url, schedule: SELDOM, ..Config::of(sim) })
}

#[test]
fn a_proxy_that_refuses_is_named_by_check_status_and_log() {
    on_threads(async {
        let (sim, authority) = (simulator(1, 3).await, Authority::new());
        let (login, api) = (
            Server::tls(authority.serves(LOGIN), sim.address()).await,
            Server::tls(authority.serves(API), sim.address()).await,
        );
        let ways = [(LOGIN, &login), (API, &api)].map(|(host, server)| (format!("{host}:443"), server.address));
        let wants_a_name = proxy::start(BTreeMap::from(ways), Some("Basic eDp5".to_owned())).await;
        let knows_nobody = proxy::start(BTreeMap::new(), None).await;
        let house = house(&sim, [LOGIN, API]);
        let ca = ca_file(&house, &authority.pem);
        for proxy in [&wants_a_name, &knows_nobody] {
            network(&house, &format!("{ca}\nproxy = \"http://{}\"", proxy.address));
            let told =
                Told { step: "proxy", found: "through the proxy http://127.0.0.1:", remedy: "`[network] proxy`" };
            is_named(&house, &told).await;
        }
        assert_eq!((login.seen.handshakes(), api.seen.handshakes()), (0, 0));
    });
}

#[test]
fn a_proxy_that_is_not_there_is_named_by_check() {
    on_threads(async {
        let sim = simulator(1, 3).await;
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let house = house(&sim, [LOGIN, API]);
        for (proxy, found) in [
            (format!("http://{}", nobody.expect("a port")), "cannot connect"),
            ("http://nobody.invalid:3128".to_owned(), "has no address"),
        ] {
            network(&house, &format!("proxy = {proxy:?}"));
            let findings = findings(&house, 69);
            let steps: Vec<&Value> = findings.iter().filter(|finding| finding["step"] == "proxy").collect();
            assert_eq!(steps.len(), 2, "{findings:?}");
            let waits = findings
                .iter()
                .filter(|finding| finding["detail"].as_str().is_some_and(|text| text.starts_with("not asked")));
            assert!(waits.count() == 1, "its tenant is not asked: {findings:?}");
            for finding in steps {
                assert_says("proxy", finding, "detail", &format!("the proxy {proxy}"));
                assert_says("proxy", finding, "detail", found);
                assert_says("proxy", finding, "remedy", "that the proxy runs");
            }
        }
    });
}

#[test]
fn an_authority_that_nobody_knows_is_named_by_check_status_and_log() {
    on_threads(async {
        let (sim, authority) = (simulator(1, 3).await, Authority::new());
        let server = Server::tls(authority.serves("localhost"), sim.address()).await;
        let host = format!("localhost:{}", server.address.port());
        let house = house(&sim, [&host, &host]);
        is_named(&house, &Told { step: "tls", found: "TLS refused", remedy: "CA certificates" }).await;
        let ca = ca_file(&house, &authority.pem);
        network(&house, &ca);
        let well = house.run(&["check"]);
        assert_eq!(well.code, Some(0), "{well:?}");
    });
}
