//! N11, N12, N13: certificates that prove nothing, and links and redirects that lead elsewhere. Nothing goes there, and all
//! is read once they are gone.

use alertferry_simulator::{Fault, FaultRule, Route};

use crate::authorities::{Authority, self_signed};
use crate::field::Field;
use crate::listeners::Server;
use crate::rig::campaign::{Row, times};
use crate::rig::guid;
use crate::support::{on_threads, wait_until};

#[test]
fn n11_no_secret_passes_a_certificate_that_proves_nothing_and_all_is_read_behind_a_good_one() {
    on_threads(async {
        let row = Row::begin("N11");
        let rounds = times(1, 5);
        for _ in 0..rounds {
            let authority = Authority::new();
            let mut field = Field::new(&row, 2, 20, |_| {}).await;
            field.house.write("ca.pem", &authority.pem);
            std::fs::create_dir_all(field.house.path("conf.d")).expect("a directory");
            field
                .house
                .write("conf.d/network.toml", &format!("[network]\nca_file = {:?}\n", field.house.path("ca.pem")));
            let bad = [
                Server::tls(authority.served_once("localhost"), field.sim.address()).await,
                Server::tls(authority.serves("elsewhere.example"), field.sim.address()).await,
                Server::tls(self_signed("localhost"), field.sim.address()).await,
                Server::tls_1_1().await,
            ];
            let good = Server::tls(authority.serves("localhost"), field.sim.address()).await;
            let mut daemon = None;
            for server in bad.iter().chain([&good]) {
                let url = format!("https://localhost:{}", server.address.port());
                field.config.customers[0].lines = format!("login_url = \"{url}\"\napi_url = \"{url}\"");
                field.house.configure(&field.config);
                let running = daemon.get_or_insert_with(|| field.house.start());
                running.hear("daemon.ready").await;
                running.signal("HUP");
                field.live(2);
                if server.address != good.address {
                    wait_until("an attempt", || server.seen.connections() > 0).await;
                    wait_until("a verdict", || {
                        field.house.store_is_there() && field.house.standing(&guid(1))[1].contains("TLS")
                    })
                    .await;
                    assert_eq!(server.seen.handshakes(), 0, "an exchange");
                    assert!(memchr::memmem::find(&server.seen.bytes(), b"client_secret").is_none(), "a secret");
                }
            }
            field.healed(daemon.expect("started")).await;
            assert!(good.seen.handshakes() > 0, "read over TLS");
        }
        row.held(rounds, "expired, another host's, self-signed and TLS 1.1, then a good one");
    });
}

/// Every `each`th of these faults in turn, on these routes, while the daemon runs; nobody knocks at the stranger's.
async fn lured(row: Row, routes: &[Route], each: u64, lures: impl Fn(&str, &str) -> Vec<Fault>) {
    let rounds = times(1, 6);
    let stranger = Server::stranger().await;
    let mut field = Field::new(&row, 2, 60, |config| {
        config.poll = "page_size = 50\nrequest_timeout = \"2s\"".to_owned();
        // Polls come when they are asked for, and a few by themselves: one each second, on a machine that takes its time
        // with a lure, is more than the 90 calls of a minute.
        config.schedule = "*/5 * * * * *";
    })
    .await;
    let (own, other) = (field.sim.address().to_string(), stranger.address.to_string());
    // A token that is kept needs no login, so that only tokens that do not live show what a login does.
    field.sim.world().with(|world| world.apps[0].token_lifetime = 2..=2);
    let daemon = field.house.start();
    field.house.wait_until_read_once().await;
    let mut tried = 0;
    for _ in 0..rounds {
        for fault in lures(&own, &other).into_iter().step_by(usize::try_from(each).expect("small")) {
            for route in routes {
                field.live(2);
                // In turn, so that the calls of one minute are enough for both.
                let tenant = guid(1 + tried % 2);
                let id = field.sim.faults().add(FaultRule::new(fault.clone()).on(*route).tenant(&tenant));
                let before = field.sim.stats().requests(&tenant, Route::Any);
                let met = || field.sim.faults().struck(id) > 0;
                field.wait_asking(&daemon, &["HUP", "USR1"], "the lure to be seen", met).await;
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                let asked = field.sim.stats().requests(&tenant, Route::Any) - before;
                assert!(asked < 60, "{fault:?}: {asked} requests, so something was followed round and round");
                assert_eq!((stranger.seen.connections(), stranger.seen.bytes().len()), (0, 0), "{fault:?}");
                field.sim.faults().clear();
                tried += 1;
            }
        }
    }
    let strange = field.sim.stats().log().into_iter().filter(|request| request.target.contains("lure")).count();
    assert_eq!(strange, 0, "a link was followed");
    daemon.signal("HUP");
    field.healed(daemon).await;
    row.held(rounds, format!("{tried} lures, no request to any"));
}

#[test]
fn n12_next_links_are_never_followed_wherever_they_lead() {
    on_threads(lured(Row::begin("N12"), &[Route::Alerts], 1, |own, other| {
        let urls = [
            format!("http://{other}/api/alerts?$skip=20"),
            format!("https://{other}/api/alerts?$skip=20"),
            format!("//{other}/lure"),
            format!("http://{own}@{other}/lure"),
            format!("http://user:word@{own}/lure"),
            // To itself, and on without end.
            format!("http://{own}/api/alerts?$skip=0&lure"),
            format!("http://{own}/lure?{}", "page=next&".repeat(5_000)),
            "file:///lure".to_owned(),
            String::new(),
        ];
        urls.map(|url| Fault::NextLink { url }).into_iter().chain([Fault::corrupt_next_link()]).collect()
    }));
}

#[test]
fn n13_redirects_are_never_followed_and_end_with_their_cause() {
    on_threads(lured(Row::begin("N13"), &[Route::Login, Route::Alerts], times(4, 1), |own, other| {
        [301, 302, 303, 307, 308]
            .into_iter()
            .flat_map(|status| {
                let places = [format!("http://{other}/lure"), format!("http://{own}/lure"), format!("//{other}/lure")];
                places.map(|location| Fault::Redirect { status, location })
            })
            .collect()
    }));
}
