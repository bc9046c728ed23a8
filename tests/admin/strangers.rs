//! Under which names it answers: a web page whose own name leads to this machine learns nothing.

use crate::client::{Answer, ask, listening, request, start};
use crate::support::{Config, House, name_of, on_threads, simulator};

fn asked_as(address: &str, host: &str, path: &str) -> Answer {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).expect("answered")
}

#[test]
fn a_name_that_is_not_this_machines_is_answered_by_nothing() {
    on_threads(async {
        let sim = simulator(1, 3).await;
        let config = Config::of(&sim);
        let (house, daemon, address) = start(&config, "").await;
        house.wait_until_read_once().await;
        let customer = name_of(&config.customers[0].id);
        let port = address.rsplit_once(':').expect("a port").1;
        for path in ["/metrics", "/status", "/healthz", "/readyz", "/", "/nothing"] {
            for host in [
                format!("evil.example:{port}"),
                "evil.example".to_owned(),
                format!("192.0.2.1:{port}"),
                "localhost".to_owned(),
            ] {
                let told = asked_as(&address, &host, path);
                assert_eq!(told.status, 421, "{host} {path}");
                assert!(!told.body.contains("alertferry_") && !told.body.contains(&customer), "{told:?}");
                assert!(!told.head.contains("access-control"), "{told:?}");
            }
        }
        for host in [address.clone(), format!("localhost:{port}"), format!("[::1]:{port}")] {
            let told = asked_as(&address, &host, "/status");
            assert!(told.status == 200 && told.body.contains(&customer), "{host}: {told:?}");
        }
        // Whom a request is for is said once, and before HTTP/1.1 not at all.
        let twice = request(&address, "GET", "/status", "Host: evil.example\r\n");
        assert_eq!(ask(&address, &twice).expect("answered").status, 400);
        assert_eq!(ask(&address, "GET /status HTTP/1.1\r\n\r\n").expect("answered").status, 400);
        assert_eq!(ask(&address, "GET /status HTTP/1.0\r\n\r\n").expect("answered").status, 200);
        let absolute = request(&address, "GET", &format!("http://evil.example:{port}/status"), "");
        assert_eq!(ask(&address, &absolute).expect("answered").status, 421);
        daemon.stop().await;
    });
}

/// A socket is reached by no page, and where other machines may ask, this one has names that it does not know.
#[test]
fn at_a_socket_and_where_others_may_ask_every_name_is_answered() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        let config = Config::of(&sim);
        for (listen, lines) in [("unix:admin.sock", ""), ("0.0.0.0:0", "allow_remote = true")] {
            let house = House::with(&config);
            house.write("main.toml", &listening(&config, listen, lines));
            let daemon = house.start();
            let address = daemon.hear("admin.listening").await["address"].as_str().expect("an address").to_owned();
            daemon.hear("daemon.ready").await;
            assert_eq!(asked_as(&address, "ferry.example", "/healthz").status, 200, "{listen}");
            daemon.stop().await;
        }
    });
}
