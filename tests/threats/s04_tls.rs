//! S4: somebody in the middle, or a server that proves nothing. The secret stays here.

use std::sync::Arc;

use alertferry_simulator::{Route, Simulator};
use tokio_rustls::rustls::ServerConfig;

use crate::authorities::{Authority, self_signed};
use crate::listeners::Server;
use crate::scene::{ca_file, holds_secret, house, network};
use crate::support::{Config, House, SELDOM, on_threads, said, simulator};

/// Checks a login service behind this server; `trusted` is believed beside the system's authorities.
async fn check(sim: &Simulator, config: Arc<ServerConfig>, trusted: Option<&Authority>) -> (House, Server, String) {
    let server = Server::tls(config, sim.address()).await;
    let house = house(sim, &format!("https://localhost:{}", server.address.port()));
    if let Some(authority) = trusted {
        let line = ca_file(&house, &authority.pem);
        network(&house, &line);
    }
    let said = house.run(&["check"]);
    let text = format!("{:?} {}{}", said.code, said.stdout, said.stderr);
    (house, server, text)
}

async fn assert_refused(sim: &Simulator, config: Arc<ServerConfig>, trusted: Option<&Authority>) {
    let (_house, server, said) = check(sim, config, trusted).await;
    assert!(said.starts_with("Some(69)") && said.contains("TLS refused"), "{said}");
    assert!(server.seen.connections() > 0, "{said}");
    assert_eq!((server.seen.handshakes(), server.seen.bytes().len()), (0, 0), "{said}");
    assert_eq!(sim.stats().total(Route::Login), 0);
}

#[test]
fn s04_an_unknown_authority_is_refused() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        assert_refused(&sim, Authority::new().serves("localhost"), None).await;
        assert_refused(&sim, Authority::new().serves("localhost"), Some(&Authority::new())).await;
    });
}

#[test]
fn s04_a_self_signed_certificate_is_refused() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        assert_refused(&sim, self_signed("localhost"), None).await;
        assert_refused(&sim, self_signed("localhost"), Some(&Authority::new())).await;
    });
}

#[test]
fn s04_an_expired_certificate_is_refused() {
    on_threads(async {
        let (sim, authority) = (simulator(1, 1).await, Authority::new());
        assert_refused(&sim, authority.served_once("localhost"), Some(&authority)).await;
    });
}

#[test]
fn s04_a_certificate_for_another_host_is_refused() {
    on_threads(async {
        let (sim, authority) = (simulator(1, 1).await, Authority::new());
        assert_refused(&sim, authority.serves("login.microsoftonline.com"), Some(&authority)).await;
    });
}

#[test]
fn s04_tls_1_1_is_refused() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        let server = Server::tls_1_1().await;
        let house = house(&sim, &format!("https://localhost:{}", server.address.port()));
        let said = house.run(&["check"]);
        assert_eq!(said.code, Some(69), "{said:?}");
        assert!(server.seen.connections() > 0);
        let bytes = server.seen.bytes();
        assert!(bytes.starts_with(&[22, 3]), "a ClientHello came");
        assert!(!holds_secret(&bytes) && memchr::memmem::find(&bytes, b"client_secret").is_none());
    });
}

#[test]
fn s04_an_authority_of_the_operator_is_believed_beside_the_systems() {
    on_threads(async {
        let (sim, authority) = (simulator(1, 3).await, Authority::new());
        let (house, server, said) = check(&sim, authority.serves("localhost"), Some(&authority)).await;
        assert!(said.starts_with("Some(0)") && said.contains("1 authorities beside the system's"), "{said}");
        assert_eq!((server.seen.handshakes(), sim.stats().total(Route::Login)), (1, 1));
        assert!(holds_secret(&server.seen.bytes()), "this server may have it");
        let synced = house.run(&["sync"]);
        assert_eq!(synced.code, Some(0), "{synced:?}");
    });
}

/// `SSL_CERT_FILE` puts another file in the place of the system's authorities.
#[test]
fn s04_the_systems_authorities_stay_believed_beside_the_operators() {
    on_threads(async {
        let (sim, systems, own) = (simulator(1, 3).await, Authority::new(), Authority::new());
        let login = Server::tls(systems.serves("localhost"), sim.address()).await;
        let api = Server::tls(own.serves("localhost"), sim.address()).await;
        let [login_url, api_url] = [&login, &api].map(|server| format!("https://localhost:{}", server.address.port()));
        let house = House::with(&Config { login_url, api_url, schedule: SELDOM, ..Config::of(&sim) });
        let line = ca_file(&house, &own.pem);
        network(&house, &line);
        house.write("system.pem", &systems.pem);
        let checked = said(house.command(&["check"]).env("SSL_CERT_FILE", house.path("system.pem")));
        assert_eq!(checked.code, Some(0), "{checked:?}");
        assert!(login.seen.handshakes() >= 1 && api.seen.handshakes() >= 1);
    });
}

#[test]
fn s04_a_broken_file_of_authorities_stops_before_anything_is_sent() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        let house = house(&sim, &sim.login_url());
        for text in ["", "nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let line = ca_file(&house, text);
            network(&house, &line);
            let said = house.run(&["check"]);
            assert_eq!(said.code, Some(78), "{text}: {said:?}");
            assert!(said.stderr.contains("network.ca_file") && said.stderr.contains("ca.pem"), "{said:?}");
        }
        network(&house, "ca_file = \"/nonexistent/ca.pem\"");
        assert!(house.run(&["check", "--offline"]).stderr.contains("/nonexistent/ca.pem: cannot open the file"));
        assert_eq!(sim.stats().total(Route::Login), 0);
    });
}
