//! The binary: what it prints, what it writes, how it stops.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::tiny;

struct Running {
    child: Child,
    lines: Vec<String>,
}

impl Running {
    /// Starts the program and reads its block to the end.
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_alertferry-simulator"))
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program");
        let mut lines = Vec::new();
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        for line in out.lines() {
            let line = line.expect("text");
            let last = line.starts_with("Ctrl-C");
            lines.push(line);
            if last {
                break;
            }
        }
        Self { child, lines }
    }

    fn value(&self, label: &str) -> String {
        let line = self.lines.iter().find(|line| line.split_whitespace().next() == Some(label)).expect(label);
        line.split_whitespace().nth(1).expect("a value").to_owned()
    }

    fn interrupt(mut self) {
        let kill =
            Command::new("sh").args(["-c", &format!("kill -INT {}", self.child.id())]).status().expect("a shell");
        assert!(kill.success());
        assert!(self.child.wait().expect("an end").success());
    }
}

fn directory(name: &str) -> std::path::PathBuf {
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if directory.exists() {
        std::fs::remove_dir_all(&directory).expect("an old directory");
    }
    directory
}

#[tokio::test]
async fn serves_a_file_and_writes_a_configuration() {
    let directory = directory("program");
    std::fs::create_dir_all(&directory).expect("a directory");
    let file = directory.join("alerts.ndjson");
    let mut alerts = std::fs::File::create(&file).expect("a file");
    writeln!(alerts, "{}", tiny("da1_1", "2021-02-01T00:00:00Z")).expect("written");
    let written = directory.join("etc");
    let running = Running::start(&[
        "--alerts",
        file.to_str().expect("text"),
        "--no-rate-limit",
        "--secret",
        "s3cret",
        "--write-config",
        written.to_str().expect("text"),
    ]);
    let tenant = running.value("tenant");
    assert_eq!(tenant, crate::support::TENANT);
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &*running.value("client")),
        ("client_secret", "s3cret"),
        ("scope", "https://api.securitycenter.microsoft.com/.default"),
    ];
    let form = form.map(
        |(key, value)| if key == "client_id" { (key, alertferry_simulator::DEFAULT_CLIENT_ID) } else { (key, value) },
    );
    let url = format!("{}/{tenant}/oauth2/v2.0/token", running.value("login"));
    let answer = client.post(url).form(&form).send().await.expect("an answer").text().await.expect("a body");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let token = answer["access_token"].as_str().expect("a token");
    let url = format!("{}/api/alerts", running.value("api"));
    let list = client.get(url).bearer_auth(token).send().await.expect("an answer").text().await.expect("a body");
    assert!(list.contains("da1_1"), "{list}");
    for name in ["alertferry.toml", "client-secret"] {
        let mode = std::fs::metadata(written.join(name)).expect(name).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let config = std::fs::read_to_string(written.join("alertferry.toml")).expect("the configuration");
    for part in ["[store]", "[app.main]", "[poll]", "[[tenant]]", &running.value("login"), &tenant] {
        assert!(config.contains(part), "{part} in {config}");
    }
    assert!(!config.contains("s3cret"));
    assert_eq!(std::fs::read_to_string(written.join("client-secret")).expect("the secret"), "s3cret");
    running.interrupt();
}

#[test]
fn lists_some_tenants_and_counts_the_rest() {
    let running =
        Running::start(&["--tenants", "12", "--alerts-per-tenant", "2", "--live", "--speed", "600", "--seed", "4"]);
    assert!(running.lines[0].contains("12 tenants"), "{:?}", running.lines);
    assert_eq!(running.lines.iter().filter(|line| line.contains(" alerts") && line.contains("tenant ")).count(), 10);
    assert!(running.lines.iter().any(|line| line.contains("and 2 more")));
    assert!(running.lines.iter().any(|line| line.contains("alive")));
    running.interrupt();
}

#[test]
fn a_bad_file_is_named() {
    let directory = directory("bad-file");
    std::fs::create_dir_all(&directory).expect("a directory");
    let file = directory.join("alerts.ndjson");
    std::fs::write(&file, "{}\n").expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_alertferry-simulator"))
        .arg("--alerts")
        .arg(&file)
        .output()
        .expect("the program");
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("alerts.ndjson: line 1 is not an alert: no string \"id\""), "{told}");
}

/// Whoever believes the authority is served, and nobody else is.
#[tokio::test]
async fn serves_over_tls_with_an_authority_of_its_own() {
    let directory = directory("tls");
    std::fs::create_dir_all(&directory).expect("a directory");
    let (authority, written) = (directory.join("authority.pem"), directory.join("etc"));
    let running = Running::start(&[
        "--tenants",
        "1",
        "--tls-authority",
        authority.to_str().expect("text"),
        "--write-config",
        written.to_str().expect("text"),
    ]);
    let url = running.value("login");
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    let pem = std::fs::read(&authority).expect("the authority's certificate");
    let config = std::fs::read_to_string(written.join("alertferry.toml")).expect("the configuration");
    assert!(config.contains(&format!("ca_file = \"{}\"", authority.display())) && config.contains(&url), "{config}");
    let believing = reqwest::Certificate::from_pem(&pem).expect("a certificate");
    let client = || reqwest::Client::builder().no_proxy();
    let client_of_it = client().tls_certs_merge([believing]).build().expect("a client");
    for url in [url.clone(), url.replace("127.0.0.1", "localhost")] {
        let answer = client_of_it.get(format!("{url}/api/alerts")).send().await.expect("an answer");
        assert_eq!(answer.status(), 401, "{url}");
    }
    let stranger = client().build().expect("a client");
    let refused = stranger.get(&url).send().await.expect_err("an authority that nobody knows");
    assert!(refused.is_connect(), "{refused:?}");
    let plain = stranger.get(url.replace("https", "http")).send().await;
    assert!(plain.is_err(), "{plain:?}");
    running.interrupt();
}
