//! S5: a proxy on the way. It learns hosts and its own credentials, and nobody else learns these.

use std::collections::BTreeMap;

use alertferry_simulator::{Route, Simulator};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::authorities::Authority;
use crate::listeners::Server;
use crate::proxy;
use crate::scene::{ca_file, holds_secret, named, network};
use crate::support::{Config, House, SELDOM, on_threads, said, simulator};

/// Name and password at the proxy; the password has what an address would have to encode.
const PAIR: &str = "ferry:p4ss~w0rd@the/proxy";
/// So much of the password gives it away.
const TELLING: &str = "p4ss~w0rd";
const LOGIN: &str = "login.ferry.example";
const API: &str = "api.ferry.example";

/// Both services behind TLS and names that only the proxy knows.
struct Scene {
    sim: Simulator,
    house: House,
    login: Server,
    api: Server,
    proxy: Server,
    /// The line of `[network]` that makes their certificates believed.
    ca: String,
}

impl Scene {
    async fn new(wants: Option<&str>) -> Self {
        let (sim, authority) = (simulator(1, 3).await, Authority::new());
        let login = Server::tls(authority.serves(LOGIN), sim.address()).await;
        let api = Server::tls(authority.serves(API), sim.address()).await;
        let ways = [(LOGIN, &login), (API, &api)].map(|(host, server)| (format!("{host}:443"), server.address));
        let wants = wants.map(|pair| format!("Basic {}", STANDARD.encode(pair)));
        let proxy = proxy::start(BTreeMap::from(ways), wants).await;
        let (login_url, api_url) = (format!("https://{LOGIN}"), format!("https://{API}"));
        let house = House::with(&Config { login_url, api_url, schedule: SELDOM, ..Config::of(&sim) });
        let ca = ca_file(&house, &authority.pem);
        Self { sim, house, login, api, proxy, ca }
    }

    fn network(&self, lines: &str) {
        network(&self.house, &format!("{}\n{lines}", self.ca));
    }

    fn proxy_url(&self) -> String {
        format!("http://{}", self.proxy.address)
    }
}

#[test]
fn s05_a_proxy_learns_hosts_and_its_own_credentials_and_nobody_else_does() {
    on_threads(async {
        let scene = Scene::new(Some(PAIR)).await;
        scene.house.write_private("proxy-pair", &format!("{PAIR}\n"));
        let pair = named("file", &scene.house.path("proxy-pair"));
        scene.network(&format!("proxy = \"{}\"\nproxy_credentials = {{ {pair} }}", scene.proxy_url()));
        let trace = "[log]\nlevel = \"trace\"\n";
        scene.house.write("conf.d/log.toml", trace);
        let checked = scene.house.run(&["check"]);
        assert_eq!(checked.code, Some(0), "{checked:?}");
        assert!(checked.stdout.contains("through http://127.0.0.1:"), "{checked:?}");
        let daemon = scene.house.start();
        scene.house.wait_until_read_once().await;
        let spoken = daemon.spoken();
        daemon.stop().await;
        assert!(spoken.contains("hyper"), "the log is at its loudest");
        let asked = String::from_utf8(scene.proxy.seen.bytes()).expect("heads of requests");
        assert!(asked.contains(&format!("CONNECT {LOGIN}:443")) && asked.contains(&format!("CONNECT {API}:443")));
        assert!(asked.lines().all(|line| !line.starts_with("GET") && !line.starts_with("POST")), "{asked}");
        assert!(!holds_secret(asked.as_bytes()) && !asked.contains("Bearer"), "{asked}");
        for server in [&scene.login, &scene.api] {
            let sent = String::from_utf8_lossy(&server.seen.bytes()).to_lowercase();
            assert!(!sent.is_empty() && !sent.contains("proxy-auth"), "{sent}");
        }
        let encoded = STANDARD.encode(PAIR);
        for text in [&checked.stdout, &checked.stderr, &spoken] {
            assert!(!text.contains(TELLING) && !text.contains(&encoded[..16]), "{text}");
        }
    });
}

#[test]
fn s05_a_proxy_that_refuses_is_told_without_its_password() {
    on_threads(async {
        let scene = Scene::new(Some("another:pair")).await;
        scene.house.write_private("proxy-pair", PAIR);
        let pair = named("file", &scene.house.path("proxy-pair"));
        scene.network(&format!("proxy = \"{}\"\nproxy_credentials = {{ {pair} }}", scene.proxy_url()));
        let refused = scene.house.run(&["check", "--format", "json"]);
        assert_eq!(refused.code, Some(69), "{refused:?}");
        assert!(refused.stdout.contains("cannot connect"), "{refused:?}");
        assert!(!format!("{refused:?}").contains(TELLING), "{refused:?}");
        assert_eq!((scene.proxy.seen.handshakes(), scene.login.seen.connections()), (0, 0));

        scene.house.write_private("proxy-pair", "p4ss~w0rd-without-a-name");
        let unusable = scene.house.run(&["check", "--offline"]);
        assert_eq!(unusable.code, Some(78), "{unusable:?}");
        assert!(!format!("{unusable:?}").contains(TELLING), "{unusable:?}");
        std::fs::set_permissions(scene.house.path("proxy-pair"), std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .expect("mode set");
        let open = scene.house.run(&["check", "--offline", "--format", "json"]);
        assert!(open.stdout.contains("chmod 600"), "{open:?}");
    });
}

#[test]
fn s05_this_machine_is_reached_without_the_proxy() {
    on_threads(async {
        let sim = simulator(1, 3).await;
        let proxy = proxy::start(BTreeMap::new(), None).await;
        for host in ["127.0.0.1", "localhost", "127.9.9.9"] {
            let login_url = format!("http://{host}:{}", sim.address().port());
            if host == "127.9.9.9" && std::net::TcpListener::bind((host, 0)).is_err() {
                continue;
            }
            let house = crate::scene::house(&sim, &login_url);
            network(&house, &format!("proxy = \"http://{}\"", proxy.address));
            let said = house.run(&["check"]);
            // The simulator listens at one address; what counts is who was asked.
            assert_eq!(said.code, Some(if host == "127.9.9.9" { 69 } else { 0 }), "{host}: {said:?}");
            assert_eq!(proxy.seen.connections(), 0, "{host}");
        }
    });
}

#[test]
fn s05_the_environment_is_asked_only_when_the_configuration_says_so() {
    on_threads(async {
        let scene = Scene::new(Some("ferry:p4ss~w0rd")).await;
        let with_user = format!("http://ferry:{TELLING}@{}", scene.proxy.address);
        let check = |exceptions: &str| {
            let mut command = scene.house.command(&["check"]);
            said(command.env("HTTPS_PROXY", &with_user).env("ALL_PROXY", &with_user).env("NO_PROXY", exceptions))
        };
        scene.network("");
        let direct = check("");
        assert_eq!((direct.code, scene.proxy.seen.connections()), (Some(69), 0), "{direct:?}");
        scene.network("proxy = \"environment\"");
        let excepted = check(&format!("{LOGIN}, {API}"));
        assert_eq!((excepted.code, scene.proxy.seen.connections()), (Some(69), 0), "{excepted:?}");
        let through = check("");
        assert_eq!(through.code, Some(0), "{through:?}");
        assert!(scene.proxy.seen.handshakes() >= 2 && scene.sim.stats().total(Route::Login) == 1);
        for text in [direct, excepted, through] {
            assert!(!format!("{text:?}").contains(TELLING), "{text:?}");
        }
    });
}

#[test]
fn s05_a_password_in_the_configuration_is_refused_and_not_repeated() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        let house = crate::scene::house(&sim, &sim.login_url());
        for lines in [
            format!("proxy = \"http://ferry:{TELLING}@proxy.example:3128\""),
            format!("proxy = \"ferry:{TELLING}@proxy.example:3128\""),
            format!("proxy = \"http://proxy.example:3128\"\nproxy_credentials = \"ferry:{TELLING}\""),
            format!("proxy_pasword = \"{TELLING}\""),
        ] {
            network(&house, &lines);
            let said = house.run(&["check", "--offline"]);
            assert_eq!(said.code, Some(78), "{lines}: {said:?}");
            assert!(!format!("{said:?}").contains(TELLING), "{lines}: {said:?}");
        }
        for lines in ["proxy = \"socks5://proxy.example\"", "proxy = \"http://p.example/x\"", "no_proxy = \"a\""] {
            network(&house, lines);
            assert_eq!(house.run(&["check", "--offline"]).code, Some(78), "{lines}");
        }
    });
}
