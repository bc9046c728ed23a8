//! S17: what the daemon tells whoever asks for metrics and health.
//!
//! Crowds, slow clients and the places themselves are in `tests/admin`; this is about who can ask, and what is in it.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;

use alertferry_simulator::{DEFAULT_SECRET, Route};

use crate::rig::guid;
use crate::scene::{holds_secret, house};
use crate::support::{House, on_threads, simulator};

/// The inodes of the sockets that a process has open.
fn sockets_of(pid: u32) -> BTreeSet<String> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("the daemon's files");
    let links = entries.filter_map(|entry| std::fs::read_link(entry.expect("an entry").path()).ok());
    let name = |link: std::path::PathBuf| link.to_str().map(str::to_owned);
    let inode = |link: String| Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned());
    links.filter_map(name).filter_map(inode).collect()
}

/// How many sockets of a process wait for connections or datagrams.
fn listening(pid: u32) -> usize {
    let own = sockets_of(pid);
    let rows = |table: &str| std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
    // A listening socket of TCP has state 0A; one of UDP that has no peer has state 07.
    let of_internet = [("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")].map(|(table, state)| {
        let waits = |row: &&str| {
            let cells: Vec<&str> = row.split_whitespace().collect();
            cells.len() > 9 && cells[3] == state && own.contains(cells[9])
        };
        rows(table).lines().filter(waits).count()
    });
    // One of the file system has the flag 00010000.
    let local = |row: &&str| {
        let cells: Vec<&str> = row.split_whitespace().collect();
        cells.len() > 6 && cells[3] == "00010000" && own.contains(cells[6])
    };
    of_internet.iter().sum::<usize>() + rows("unix").lines().filter(local).count()
}

fn admin(house: &House, lines: &str) {
    std::fs::create_dir_all(house.path("conf.d")).expect("a directory");
    house.write("conf.d/admin.toml", &format!("[admin]\n{lines}\n"));
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).expect("sent");
    let mut told = String::new();
    stream.read_to_string(&mut told).expect("text");
    assert!(told.starts_with("HTTP/1.1 "), "{path}: {told}");
    told
}

#[test]
fn s17_nothing_listens_unless_it_is_asked_to() {
    on_threads(async {
        let sim = simulator(1, 3).await;
        let house = house(&sim, &sim.login_url());
        let daemon = house.start();
        house.wait_until_read_once().await;
        if std::fs::read_dir(format!("/proc/{}/fd", daemon.pid())).is_err() {
            // The daemon closes its files to its own user; only root can count them.
            return daemon.stop().await;
        }
        assert_eq!(listening(daemon.pid()), 0);
        daemon.stop().await;
        // The same look sees a listener where there is one.
        admin(&house, "listen = \"127.0.0.1:0\"");
        let daemon = house.start();
        daemon.hear("daemon.ready").await;
        assert_eq!(listening(daemon.pid()), 1);
        daemon.stop().await
    });
}

#[test]
fn s17_only_this_machine_may_ask_without_leave() {
    on_threads(async {
        let sim = simulator(1, 1).await;
        let house = house(&sim, &sim.login_url());
        for listen in ["0.0.0.0:0", "[::]:0", "[::ffff:0.0.0.0]:0", "192.0.2.1:0", "169.254.1.1:0", "evil.example:80"] {
            admin(&house, &format!("listen = \"{listen}\""));
            let said = house.run(&["run"]);
            assert_eq!(said.code, Some(78), "{listen}: {said:?}");
            assert!(said.stderr.contains("admin.toml:2:") && said.stderr.contains("admin.listen"), "{said:?}");
        }
        assert_eq!(sim.stats().total(Route::Login), 0);
    });
}

#[test]
fn s17_metrics_name_no_customer_and_nothing_tells_a_secret() {
    on_threads(async {
        let sim = simulator(3, 5).await;
        let house = house(&sim, &sim.login_url());
        admin(&house, "listen = \"127.0.0.1:0\"");
        let daemon = house.start();
        let address = daemon.hear("admin.listening").await["address"].as_str().expect("an address").to_owned();
        house.wait_until_read_once().await;
        let metrics = get(&address, "/metrics");
        assert!(metrics.contains(&guid(2)), "tenants are told by their ids");
        assert!(!metrics.contains("Customer "), "{metrics}");
        let status = get(&address, "/status");
        assert!(status.contains("Customer "), "names are for /status, which docs/OPERATIONS.md says");
        let token = sim.token(&guid(1)).expect("a token");
        let head = token.split('.').next().expect("a head");
        for told in [metrics, status, get(&address, "/healthz"), get(&address, "/readyz"), get(&address, "/")] {
            assert!(!holds_secret(told.as_bytes()) && !told.contains(DEFAULT_SECRET) && !told.contains(head), "{told}");
            // Without this header no page of another origin may look at an answer.
            assert!(!told.to_ascii_lowercase().contains("access-control-"), "{told}");
        }
        daemon.stop().await
    });
}
