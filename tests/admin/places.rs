//! Where it is served and what is answered there.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};

use serde_json::Value;

use crate::client::{ask, asked, get, listening, request, scrape, start};
use crate::support::{Config, House, on_threads, simulator, wait_until};

#[test]
fn each_place_answers_and_nothing_can_be_changed() {
    on_threads(async {
        let sim = simulator(2, 5).await;
        let (house, daemon, address) = start(&Config::of(&sim), "").await;
        house.wait_until_read_once().await;
        wait_until("readiness", || get(&address, "/readyz").status == 200).await;
        for (path, status, body) in [("/healthz", 200, "alive\n"), ("/readyz", 200, "ready\n")] {
            let answer = get(&address, path);
            assert_eq!((answer.status, answer.body.as_str()), (status, body), "{path}");
        }
        let told: Value = serde_json::from_str(&get(&address, "/status").body).expect("JSON");
        let said: Value = serde_json::from_str(&house.run(&["status", "--format", "json"]).stdout).expect("JSON");
        let names = |report: &Value| {
            report["tenants"].as_array().expect("tenants").iter().map(|t| t["name"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(&told), names(&said));
        let keys =
            |report: &Value| report["tenants"][0].as_object().expect("a tenant").keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&told), keys(&said), "the same object as the command's");
        for path in ["/metrics", "/status", "/healthz"] {
            let head = ask(&address, &request(&address, "HEAD", path, "")).expect("answered");
            assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
            for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
                let refused =
                    ask(&address, &request(&address, method, path, "Content-Length: 0\r\n")).expect("answered");
                assert_eq!(refused.status, 405, "{method} {path}");
                assert!(refused.head.contains("allow: get, head"), "{refused:?}");
            }
        }
        for path in ["/nothing", "/metrics/", "/../etc/passwd", "/status/1"] {
            assert_eq!(get(&address, path).status, 404, "{path}");
        }
        daemon.stop().await;
    });
}

/// Somebody keeps the store locked while the daemon makes its tenants known there, so it goes on starting.
#[test]
fn a_daemon_that_starts_is_alive_and_not_ready() {
    on_threads(async {
        let sim = simulator(1, 2).await;
        let config = Config::of(&sim);
        let house = House::with(&config);
        house.write("main.toml", &asked(&config, ""));
        let daemon = house.start();
        house.wait_until_read_once().await;
        daemon.stop().await;
        let other = rusqlite::Connection::open(house.store()).expect("opened");
        other.execute_batch("BEGIN IMMEDIATE").expect("locked");
        let daemon = house.start();
        let address = daemon.hear("admin.listening").await["address"].as_str().expect("an address").to_owned();
        let ready = get(&address, "/readyz");
        assert_eq!((ready.status, ready.body.as_str()), (503, "starting\n"));
        assert_eq!(get(&address, "/healthz").status, 200);
        assert_eq!(get(&address, "/status").status, 503);
        let seen = scrape(&address);
        for missing in ["alertferry_store_readable", "alertferry_last_tick_timestamp_seconds"] {
            assert_eq!(seen.find(missing, &[]), None, "{missing} would raise an alarm");
        }
        assert!(seen.value("alertferry_start_timestamp_seconds", &[]) > 0.0);
        other.execute_batch("ROLLBACK").expect("unlocked");
        daemon.hear("daemon.ready").await;
        wait_until("readiness", || get(&address, "/readyz").status == 200).await;
        wait_until("a store that can be read", || {
            scrape(&address).find("alertferry_store_readable", &[]).is_some_and(|readable| readable > 0.0)
        })
        .await;
        assert_eq!((get(&address, "/healthz").status, get(&address, "/status").status), (200, 200));
        daemon.stop().await;
    });
}

#[test]
fn a_socket_in_the_file_system_is_for_owner_and_group_and_goes_with_the_daemon() {
    on_threads(async {
        let sim = simulator(1, 2).await;
        let config = Config::of(&sim);
        let house = House::with(&config);
        house.write("main.toml", &listening(&config, "unix:admin.sock", ""));
        let socket = house.path("admin.sock");
        let address = format!("unix:{}", socket.display());
        let daemon = house.start();
        assert_eq!(daemon.hear("admin.listening").await["address"], address.as_str());
        daemon.hear("daemon.ready").await;
        let file = std::fs::metadata(&socket).expect("a socket");
        assert!(file.file_type().is_socket());
        assert_eq!(file.permissions().mode() & 0o777, 0o660);
        scrape(&address);
        daemon.kill();
        assert!(socket.exists(), "a kill leaves it");
        let daemon = house.start();
        daemon.hear("daemon.ready").await;
        scrape(&address);
        daemon.stop().await;
        assert!(!socket.exists(), "a stop does not");

        house.write("admin.sock", "precious");
        let said = house.run(&["run"]);
        assert_eq!(said.code, Some(75), "{said:?}");
        assert!(said.stderr.contains("admin.listen") && said.stderr.contains("no socket"), "{said:?}");
        assert_eq!(std::fs::read_to_string(&socket).expect("untouched"), "precious");
    });
}

#[test]
fn a_place_that_others_reach_needs_leave_and_a_taken_one_is_named() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        let config = Config::of(&sim);
        let house = House::with(&config);
        for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:9466"] {
            house.write("main.toml", &listening(&config, listen, ""));
            let said = house.run(&["run"]);
            assert_eq!(said.code, Some(78), "{listen}: {said:?}");
            assert!(said.stderr.contains("main.toml:") && said.stderr.contains("admin.listen"), "{said:?}");
            assert!(said.stderr.contains("allow_remote = true"), "{said:?}");
        }
        house.write("main.toml", &listening(&config, "0.0.0.0:0", "allow_remote = true"));
        let daemon = house.start();
        daemon.hear("admin.listening").await;
        daemon.stop().await;
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = taken.local_addr().expect("an address").to_string();
        house.write("main.toml", &listening(&config, &address, ""));
        let said = house.run(&["run"]);
        assert_eq!(said.code, Some(75), "{said:?}");
        assert!(said.stderr.contains(&address) && said.stderr.contains("admin.listen"), "{said:?}");
    });
}

#[test]
fn without_a_word_nothing_listens_and_a_reload_does_not_change_it() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        let config = Config::of(&sim);
        let house = House::with(&config);
        let daemon = house.start();
        daemon.hear("daemon.ready").await;
        house.write("main.toml", &listening(&config, "127.0.0.1:0", ""));
        daemon.signal("HUP");
        let rejected = daemon.hear("config.rejected").await;
        assert!(rejected["reason"].as_str().is_some_and(|reason| reason.contains("`admin`")), "{rejected}");
        assert!(daemon.lines().iter().all(|line| line["event"] != "admin.listening"));
        daemon.stop().await;
    });
}
