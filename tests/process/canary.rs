//! No secret leaves: not to a log at any level, an error, the store, or the command line, even when a server sends back
//! all that it was sent.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alertferry_simulator::{App, Cut, DEFAULT_CLIENT_ID, Fault, FaultBody, FaultRule, RetryAfter, Route, Simulator};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::rig::guid;
use crate::support::{Config, Customer, House, on_threads, real_time_world, wait_until};

/// The planted secret.
const SECRET: &str = "c4n4ry~Sec/ret+with=all&the marks";
/// So much of a secret or token is too much to be seen.
pub const TELLING: usize = 12;

/// How a server sends back what it was sent.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// As it came.
    Text,
    /// In the alerts API's error envelope.
    Envelope,
    /// In the login service's refusal, as description and as code.
    Refusal,
    /// In the refusal of a credential.
    Refused,
    /// As it came, but cut in the middle of the secret or token.
    Cut,
}

/// Where a tenant meets such a server.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Login,
    Api,
}

const ECHOES: &[(Place, u16, Form)] = &[
    (Place::Api, 200, Form::Text),
    (Place::Api, 200, Form::Envelope),
    (Place::Api, 400, Form::Text),
    (Place::Api, 400, Form::Envelope),
    (Place::Api, 401, Form::Text),
    (Place::Api, 401, Form::Envelope),
    (Place::Api, 403, Form::Text),
    (Place::Api, 403, Form::Envelope),
    (Place::Api, 403, Form::Cut),
    (Place::Api, 404, Form::Text),
    (Place::Api, 429, Form::Envelope),
    (Place::Api, 500, Form::Text),
    (Place::Api, 500, Form::Cut),
    (Place::Login, 200, Form::Text),
    (Place::Login, 200, Form::Refusal),
    (Place::Login, 400, Form::Text),
    (Place::Login, 400, Form::Refusal),
    (Place::Login, 401, Form::Refusal),
    (Place::Login, 401, Form::Refused),
    (Place::Login, 401, Form::Cut),
    (Place::Login, 429, Form::Refusal),
    (Place::Login, 500, Form::Refusal),
];

/// Reads one request and sends it back; remembers the bearer token or assertion in it.
async fn echo(mut stream: TcpStream, status: u16, form: Form, bearers: Arc<Mutex<BTreeSet<String>>>) -> Option<()> {
    let mut request = Vec::new();
    let mut piece = [0; 8_192];
    loop {
        let read = stream.read(&mut piece).await.ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        if body.len() < header("content-length:").and_then(|length| length.parse().ok()).unwrap_or(0) {
            continue;
        }
        let bearer = header("authorization: Bearer");
        let assertion = url::form_urlencoded::parse(body.as_bytes()).find(|(name, _)| name == "client_assertion");
        let sent = bearer.map(str::to_owned).into_iter().chain(assertion.map(|(_, value)| value.into_owned()));
        bearers.lock().expect("unpoisoned").extend(sent);
        let answer =
            said_back(form, bearer.map(|bearer| format!("Authorization: Bearer {bearer}")).as_deref(), body, &text);
        let reply = format!(
            "HTTP/1.1 {status} Echo\r\ncontent-type: application/json\r\ndate: Wed, 25 Nov 2026 00:00:00 GMT\r\n\
             retry-after: 600\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
            answer.len()
        );
        stream.write_all(reply.as_bytes()).await.ok()?;
        return stream.shutdown().await.ok();
    }
}

fn said_back(form: Form, authorization: Option<&str>, body: &str, whole: &str) -> String {
    let telling = authorization.unwrap_or(body);
    match form {
        Form::Text => format!("{telling}\n{whole}"),
        Form::Envelope => serde_json::json!({"error": {"code": telling, "message": telling}}).to_string(),
        Form::Refusal | Form::Refused => {
            let plain: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).map(|(_, value)| value).collect();
            let plain = plain.join(" ");
            let error = if matches!(form, Form::Refused) { "invalid_client" } else { &plain };
            let description = format!("AADSTS7000215: {plain} {telling}");
            serde_json::json!({"error": error, "error_description": description, "error_codes": [7_000_215]})
                .to_string()
        }
        // The first half of a header holds the first half of the token, that of a form the start of the secret.
        Form::Cut => telling.chars().take(telling.len() * 2 / 3).collect(),
    }
}

pub async fn serve(listener: TcpListener, status: u16, form: Form, bearers: Arc<Mutex<BTreeSet<String>>>) {
    let mut exchanges = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        exchanges.spawn(echo(stream, status, form, Arc::clone(&bearers)));
    }
}

/// Whatever would give the secret or a token away.
fn needles(sim: &Simulator, bearers: &BTreeSet<String>) -> Vec<String> {
    let sent: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let mut needles = vec![SECRET[..TELLING].to_owned(), sent[..TELLING].to_owned()];
    needles.extend([SECRET, &sent].map(|secret| secret[secret.len() - TELLING..].to_owned()));
    let token = sim.token(&guid(1)).expect("a token");
    // Every token begins alike.
    needles.push(token.split_inclusive('.').next().expect("a head").to_owned());
    for bearer in bearers {
        needles.extend(bearer.split('.').skip(1).map(|part| part[part.len() - TELLING * 2..].to_owned()));
    }
    needles
}

/// Where `needles` are found in these bytes.
pub fn assert_clean(what: &str, bytes: &[u8], needles: &[String]) {
    for needle in needles {
        let found = memchr::memmem::find(bytes, needle.as_bytes());
        let around = found.map(|at| String::from_utf8_lossy(&bytes[at.saturating_sub(300)..bytes.len().min(at + 60)]));
        assert!(found.is_none(), "{what} holds {needle}: {}", around.unwrap_or_default());
    }
}

/// A tenant for each echo, one for each of several faults, and one without trouble, the first.
async fn customers(
    sim: &Simulator,
    servers: &mut JoinSet<()>,
    bearers: &Arc<Mutex<BTreeSet<String>>>,
) -> Vec<Customer> {
    let mut customers = vec![Customer { id: guid(1), app: "main", lines: String::new() }];
    for (n, (place, status, form)) in (2..).zip(ECHOES) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        servers.spawn(serve(listener, *status, *form, Arc::clone(bearers)));
        let key = if *place == Place::Login { "login_url" } else { "api_url" };
        // An app that is refused is refused for all of its tenants, who would then not be asked for.
        let app = match (place, form) {
            (Place::Login, Form::Refused) => "refused",
            (Place::Login, _) => "echoed",
            (Place::Api, _) => "main",
        };
        customers.push(Customer { id: guid(n), app, lines: format!("{key} = \"{url}\"") });
    }
    let token = sim.token(&guid(1)).expect("a token");
    let text = FaultBody::Text(format!("you sent {SECRET} and Bearer {token}"));
    let location = format!("http://127.0.0.1:9/?{token}");
    let faults = [
        (Route::Login, Fault::Status { status: 500, body: text.clone(), retry_after: RetryAfter::Absent }),
        (Route::Login, Fault::Status { status: 400, body: text, retry_after: RetryAfter::Absent }),
        (Route::Login, Fault::Redirect { status: 307, location: location.clone() }),
        (Route::Login, Fault::CutBody(Cut::Fraction(0.5))),
        (Route::Login, Fault::MalformedJson),
        (Route::Login, Fault::ForeignTenantToken { tid: guid(77) }),
        (Route::Alerts, Fault::Redirect { status: 301, location: location.clone() }),
        (Route::Alerts, Fault::NextLink { url: location }),
        (Route::Alerts, Fault::Unauthorized401),
        (Route::Alerts, Fault::ResetBeforeHeaders),
        (Route::Alerts, Fault::MalformedJson),
    ];
    for (n, (route, fault)) in (100..).zip(faults) {
        sim.faults().add(FaultRule::new(fault).on(route).tenant(&guid(n)));
        customers.push(Customer { id: guid(n), app: "main", lines: String::new() });
    }
    customers
}

#[test]
fn no_secret_leaves() {
    on_threads(async {
        let mut world = real_time_world();
        world.apps = vec![App::new(DEFAULT_CLIENT_ID, SECRET)];
        for n in (1..=40).chain(100..=120) {
            world.add_tenant(&guid(n));
        }
        let sim = Simulator::start(world).await.expect("a simulator");
        let (mut servers, bearers) = (JoinSet::new(), Arc::default());
        let mut config = Config::of(&sim);
        config.customers = customers(&sim, &mut servers, &bearers).await;
        config.apps.extend(["echoed", "refused"].map(|app| (app, "{ file = \"secret\" }".to_owned())));
        config.log = "level = \"trace\"\nhistory = true".to_owned();
        let house = House::with(&config);
        house.write_private("secret", SECRET);

        let daemon = house.start();
        let untried = "SELECT count(*) FROM tenants WHERE last_attempt_at IS NULL";
        wait_until("an attempt for each", || {
            house.store_is_there() && house.number("SELECT count(*) FROM tenants") > 0 && house.number(untried) == 0
        })
        .await;
        daemon.signal("HUP");
        daemon.signal("USR1");
        daemon.hear("config.reloaded").await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let of_process = |name: &str| std::fs::read(format!("/proc/{}/{name}", daemon.pid()));
        // The daemon's environment is closed to everybody but root.
        let (command_line, environment) =
            (of_process("cmdline").expect("readable"), of_process("environ").unwrap_or_default());
        let mut seen = vec![("the command line", command_line), ("the environment", environment)];
        seen.extend(store_files(&house));
        daemon.stop().await;
        seen.extend(store_files(&house));
        let lines = house.all_lines();
        let refused = |line: &serde_json::Value| line["event"] == "app.refused" && line["app"] == "refused";
        assert!(lines.iter().any(refused), "the refused app was not tried");
        assert!(lines.iter().any(|line| line["target"].as_str().is_some_and(|target| target.starts_with("hyper"))));
        let files = ["0.out", "0.err"].map(|name| std::fs::read(house.path(name)).expect("a file"));
        seen.extend(["the log", "standard error"].into_iter().zip(files));
        for arguments in [
            ["sync"].as_slice(),
            &["sync", "--format", "json"],
            &["check"],
            &["check", "--format", "json"],
            &["status"],
            &["status", "--format", "json"],
        ] {
            let said = house.run(arguments);
            assert!(said.code.is_some_and(|code| code != 101), "{arguments:?}: {said:?}");
            seen.push(("a command's output", said.stdout.into_bytes()));
            seen.push(("a command's errors", said.stderr.into_bytes()));
        }
        seen.extend(store_files(&house));
        let bearers = bearers.lock().expect("unpoisoned").clone();
        println!("{} tokens were sent back, {} texts and files searched", bearers.len(), seen.len());
        assert!(bearers.len() >= ECHOES.iter().filter(|(place, ..)| *place == Place::Api).count());
        let needles = needles(&sim, &bearers);
        for (what, bytes) in &seen {
            assert_clean(what, bytes, &needles);
        }
    });
}

/// The database, its log and its index as they are on the disk.
pub fn store_files(house: &House) -> Vec<(&'static str, Vec<u8>)> {
    let read = |(what, suffix)| Some((what, std::fs::read(house.path(&format!("alerts.db{suffix}"))).ok()?));
    [("the database", ""), ("the database's log", "-wal"), ("the index", "-shm"), ("the claim", ".lock")]
        .into_iter()
        .filter_map(read)
        .collect()
}

#[test]
fn a_secret_of_the_environment_is_not_repeated() {
    on_threads(async {
        let mut world = real_time_world();
        world.apps = vec![App::new(DEFAULT_CLIENT_ID, "another")];
        world.add_tenant(&guid(1));
        let sim = Simulator::start(world).await.expect("a simulator");
        let mut config = Config::of(&sim);
        config.apps = vec![("main", "{ env = \"FERRY_SECRET\" }".to_owned())];
        config.log = "level = \"trace\"".to_owned();
        let house = House::with(&config);
        for arguments in [["check"].as_slice(), &["sync"], &["check", "--offline"]] {
            let said = crate::support::said(house.command(arguments).env("FERRY_SECRET", SECRET));
            assert!(said.stdout.contains("FERRY_SECRET") || arguments.len() > 1, "{said:?}");
            let needles = needles(&sim, &BTreeSet::new());
            assert_clean("a command's output", said.stdout.as_bytes(), &needles);
            assert_clean("a command's errors", said.stderr.as_bytes(), &needles);
        }
    });
}
