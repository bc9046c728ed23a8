//! S3: a configuration, or an alert, that would have the daemon talk to somebody else.
//!
//! Every way out leads through a proxy of the test, which sees whoever is asked for. Finer tests of single addresses stand
//! beside `src/settings/address.rs`.

use std::collections::BTreeMap;

use alertferry_simulator::{Draft, Evidence, Route, Simulator};

use crate::listeners::Server;
use crate::proxy;
use crate::rig::guid;
use crate::scene::{house, network};
use crate::support::{Config, House, SELDOM, on_threads, simulator};

/// Addresses that are nobody's who may have a secret, and no reading of them leads to Microsoft.
const STRANGERS: [&str; 19] = [
    "https://evil.example",
    "https://169.254.169.254",
    "http://169.254.169.254",
    "https://[fd00:ec2::254]",
    "http://0xA9FEA9FE",
    "https://10.0.0.1",
    "https://0.0.0.0",
    "https://user:pass@eu.api.security.microsoft.com",
    "https://eu.api.security.microsoft.com@evil.example",
    "https://eu.api.security.microsoft.com.evil.example",
    "https://evil-eu.api.security.microsoft.com",
    "https://evil.example#eu.api.security.microsoft.com",
    "https://eu.api.security.microsoft.com:8443",
    "https://eu.api.security.microsoft.com.",
    "https://eu.api.security.micros\u{43e}ft.com",
    "https://eu.api.security.microsoft.com\u{ff0e}evil.example",
    "http://eu.api.security.microsoft.com",
    "ftp://eu.api.security.microsoft.com",
    "file:///etc/passwd",
];

/// Other spellings of a built-in host.
const SPELLINGS: [&str; 4] = [
    "https://EU.API.Security.Microsoft.COM",
    "https://eu.api.security.microsoft.com:443/",
    "https://eu\u{3002}api.security.microsoft.com",
    "https://\u{ff45}u.api.security.microsoft.com",
];

/// A house whose every way out leads to this proxy, without leave for other hosts.
fn proxied(sim: &Simulator, proxy: &Server) -> House {
    let house = house(sim, &sim.login_url());
    network(&house, &format!("proxy = \"http://{}\"", proxy.address));
    house
}

fn without_leave(sim: &Simulator) -> String {
    Config { schedule: SELDOM, ..Config::of(sim) }.text().replace("allow_custom_hosts = true\n", "")
}

/// The line of a configuration on which this stands.
fn line_of(text: &str, part: &str) -> usize {
    text.lines().position(|line| line.contains(part)).expect("a line") + 1
}

#[test]
fn s03_strangers_are_refused_by_line_and_key_and_never_met() {
    on_threads(async {
        let (sim, proxy) = (simulator(1, 1).await, proxy::start(BTreeMap::new(), None).await);
        let house = proxied(&sim, &proxy);
        let plain = without_leave(&sim);
        let of_tenant = |key: &str, url: &str| format!("{plain}{key} = \"{url}\"\n");
        for stranger in STRANGERS {
            for (text, key) in [
                (plain.replace(&sim.login_url(), "LOGIN").replacen("LOGIN", stranger, 1), "app.main.login_url"),
                (of_tenant("login_url", stranger), "login_url"),
                (of_tenant("api_url", stranger), "api_url"),
            ] {
                house.write_private("main.toml", &text);
                let place = format!("main.toml:{}:", line_of(&text, stranger));
                for command in ["run", "sync", "check"] {
                    let said = house.run(&[command]);
                    assert_eq!(said.code, Some(78), "{stranger} as {key}: {said:?}");
                    assert!(said.stderr.contains(&place) && said.stderr.contains(key), "{stranger}: {said:?}");
                    assert!(!said.stderr.contains("user:pass"), "{said:?}");
                }
            }
        }
        assert_eq!((proxy.seen.connections(), sim.stats().total(Route::Login)), (0, 0));
        assert!(!house.store().exists(), "nothing was begun");
    });
}

#[test]
fn s03_other_spellings_lead_to_the_built_in_host_alone() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        for spelling in SPELLINGS {
            let proxy = proxy::start(BTreeMap::new(), None).await;
            let house = proxied(&sim, &proxy);
            house.write_private("main.toml", &format!("{}api_url = \"{spelling}\"\n", without_leave(&sim)));
            let said = house.run(&["sync"]);
            assert_eq!(said.code, Some(75), "{spelling}: {said:?}");
            let asked = String::from_utf8(proxy.seen.bytes()).expect("heads of requests");
            let hosts: Vec<&str> = asked.lines().filter(|line| line.starts_with("CONNECT ")).collect();
            let only = hosts.iter().all(|host| host.starts_with("CONNECT eu.api.security.microsoft.com:443 "));
            assert!(!hosts.is_empty() && only, "{spelling}: {hosts:?}");
        }
    });
}

#[test]
fn s03_with_leave_another_host_is_asked_and_never_in_the_clear() {
    on_threads(async {
        let (sim, proxy) = (simulator(1, 1).await, proxy::start(BTreeMap::new(), None).await);
        let house = proxied(&sim, &proxy);
        let with_leave = Config { schedule: SELDOM, ..Config::of(&sim) }.text();
        house.write_private("main.toml", &format!("{with_leave}api_url = \"https://ferry.example\"\n"));
        assert_eq!(house.run(&["sync"]).code, Some(75));
        let asked = String::from_utf8(proxy.seen.bytes()).expect("heads of requests");
        assert!(asked.starts_with("CONNECT ferry.example:443 "), "{asked}");
        // A metadata service speaks plain http; no leave covers that.
        let before = proxy.seen.connections();
        house.write_private("main.toml", &format!("{with_leave}api_url = \"http://169.254.169.254\"\n"));
        assert_eq!(house.run(&["sync"]).code, Some(78));
        assert_eq!(proxy.seen.connections(), before);
    });
}

#[test]
fn s03_addresses_in_alerts_are_never_met() {
    on_threads(async {
        let (sim, bait) = (simulator(1, 0).await, Server::stranger().await);
        let url = format!("http://{}/alert", bait.address);
        sim.world().with(|world| {
            let now = world.now();
            let mut alert: Draft = alertferry_simulator::draft(&mut rand::rng(), &guid(1), now, 0);
            let row = Evidence::new("Url", now).text("url", &url).text("ipAddress", "169.254.169.254");
            (alert.title, alert.description) = (url.clone(), format!("<img src=\"{url}\">"));
            (alert.computer_dns_name, alert.evidence) = (Some(bait.address.to_string()), vec![row]);
            world.add_alert(&guid(1), &alert).expect("an alert");
        });
        let house = house(&sim, &sim.login_url());
        let daemon = house.start();
        house.wait_until_read_once().await;
        daemon.stop().await;
        for arguments in [
            ["alerts", "list"].as_slice(),
            &["alerts", "search", "alert"],
            &["alerts", "tail"],
            &["hunt", &url],
            &["export", "alerts", "--as", "ecs"],
            &["export", "evidence"],
        ] {
            let said = house.run(arguments);
            assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
        }
        assert_eq!(house.number("SELECT count(*) FROM alerts"), 1);
        assert_eq!(bait.seen.connections(), 0);
    });
}
