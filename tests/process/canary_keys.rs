//! No private key, assertion or federated token leaves either, whatever a server sends back.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use alertferry_simulator::{Certificate, SelfSigned};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::canary::{Form, TELLING, assert_clean, serve, store_files};
use crate::rig::guid;
use crate::support::{Config, Customer, House, on_threads, simulator, wait_until};

/// A federated token; that it is none makes no difference to how it is kept.
const FEDERATED: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJj4n4ryZmVkZXJhdGVk.c1gN4tur3OfAn0therPr0v1der";

const ECHOES: [(u16, Form); 6] = [
    (200, Form::Text),
    (200, Form::Refusal),
    (400, Form::Text),
    (400, Form::Refusal),
    (401, Form::Refused),
    (401, Form::Cut),
];

/// Every line of a PEM text, in the two spellings that files and JSON have.
fn lines_of(pem: &str) -> impl Iterator<Item = String> {
    pem.lines().filter(|line| !line.starts_with("-----")).map(|line| line[..line.len().min(TELLING * 2)].to_owned())
}

#[test]
fn no_private_key_leaves() {
    on_threads(async {
        let sim = simulator(ECHOES.len() as u64 * 2 + 1, 2).await;
        let made = SelfSigned::generate("ferry").expect("a key");
        let known = Certificate::from_pem(&made.certificate_pem).expect("a certificate");
        sim.world().with(|world| world.apps[0].certificates.push(known));
        let (mut servers, sent) = (JoinSet::new(), Arc::new(Mutex::new(BTreeSet::new())));
        let mut config = Config::of(&sim);
        config.customers = vec![Customer { id: guid(1), app: "main", lines: String::new() }];
        for (n, (app, (status, form))) in
            (2..).zip(["signed", "federated"].into_iter().flat_map(|app| ECHOES.map(|echo| (app, echo))))
        {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let url = format!("http://{}", listener.local_addr().expect("an address"));
            servers.spawn(serve(listener, status, form, Arc::clone(&sent)));
            config.customers.push(Customer { id: guid(n), app, lines: format!("login_url = \"{url}\"") });
        }
        let place = "{ file = \"secret\" }".to_owned();
        config.apps.extend([("signed", place.clone()), ("federated", place)]);
        config.log = "level = \"trace\"\nhistory = true".to_owned();
        let house = House::with(&config);
        let certificate = "certificate = { key = { file = \"key.pem\" }, cert = { file = \"cert.pem\" } }";
        let text = config.text();
        let mut kinds = [certificate, certificate, "federated_token = { file = \"token\" }"].into_iter();
        let with_kinds: Vec<String> = text
            .lines()
            .map(|line| match line.starts_with("secret = ") {
                true => kinds.next().expect("three apps").to_owned(),
                false => line.to_owned(),
            })
            .collect();
        house.write("main.toml", &with_kinds.join("\n"));
        house.write_private("key.pem", &made.private_key_pem);
        house.write("cert.pem", &made.certificate_pem);
        house.write_private("token", FEDERATED);

        let daemon = house.start();
        let untried = "SELECT count(*) FROM tenants WHERE last_attempt_at IS NULL";
        wait_until("an attempt for each", || {
            house.store_is_there() && house.number("SELECT count(*) FROM tenants") > 0 && house.number(untried) == 0
        })
        .await;
        let mut seen =
            vec![("the command line", std::fs::read(format!("/proc/{}/cmdline", daemon.pid())).expect("it"))];
        seen.push(("the log", daemon.spoken().into_bytes()));
        daemon.stop().await;
        assert_eq!(house.standing(&guid(1))[0], "ok", "the certificate signs in");
        for arguments in [["sync"].as_slice(), &["check"], &["check", "--format", "json"], &["status"]] {
            let said = house.run(arguments);
            seen.push(("a command's output", said.stdout.into_bytes()));
            seen.push(("a command's errors", said.stderr.into_bytes()));
        }
        house.write("cert.pem", &SelfSigned::generate("another").expect("a key").certificate_pem);
        let mismatch = house.run(&["check", "--offline"]);
        assert_eq!(mismatch.code, Some(78), "{mismatch:?}");
        assert!(mismatch.stdout.contains("does not") && mismatch.stdout.contains("key.pem"), "{mismatch:?}");
        seen.push(("a command's output", mismatch.stdout.into_bytes()));
        seen.extend(store_files(&house));

        let assertions: BTreeSet<String> = sent.lock().expect("unpoisoned").clone();
        assert!(assertions.len() >= ECHOES.len(), "{} assertions were sent back", assertions.len());
        let mut needles: Vec<String> = lines_of(&made.private_key_pem).collect();
        for assertion in &assertions {
            let parts = assertion.split('.').skip(1);
            needles.extend(parts.map(|part| part[part.len().saturating_sub(TELLING * 2)..].to_owned()));
        }
        assert!(assertions.contains(FEDERATED) && needles.len() > ECHOES.len() + 20);
        for (what, bytes) in &seen {
            assert_clean(what, bytes, &needles);
        }
    });
}
