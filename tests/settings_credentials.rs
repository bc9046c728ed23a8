//! What an app proves itself with, and the way to the services, from the configuration to settings; and every refusal.

use std::path::Path;

use alertferry::entra::{Algorithm, Credential};
use alertferry::settings::{Environment, Settings};

const ID: &str = "client_id = \"11111111-1111-1111-1111-111111111111\"";
const TENANT: &str = "[[tenant]]\nid = \"00000000-0000-0000-0000-000000000001\"\n";

/// Loads a file with these lines of the app and these of `[network]`; what is wrong as text.
fn load(app: &str, network: &str) -> Result<Settings, String> {
    let dir = tempfile::tempdir().expect("a directory");
    let text = format!("[network]\n{network}\n[app.main]\n{ID}\n{app}\n{TENANT}");
    std::fs::write(dir.path().join("main.toml"), text).expect("written");
    let environment: Environment = [
        ("CREDENTIALS_DIRECTORY", "/run/c"),
        ("KEY", "k"),
        ("HTTPS_PROXY", "proxy.example:8080"),
        ("NO_PROXY", "a, b"),
    ]
    .into_iter()
    .collect();
    Settings::load_with(&dir.path().join("main.toml"), &environment).map_err(|errors| errors.to_string())
}

fn credentials(app: &str) -> Vec<Credential> {
    load(app, "").unwrap_or_else(|errors| panic!("{app}: {errors}")).apps.remove(0).credentials
}

#[test]
fn every_kind_and_every_place_is_read_in_the_written_order() {
    let all = credentials(
        "credentials = [\n{ certificate = { key = { credential = \"k\" }, cert = { file = \"/c.pem\" }, algorithm = \"RS256\" } },\n\
         { federated_token = { file = \"/token\" } },\n{ secret = [{ file = \"/s\", expires_at = \"2027-01-31\" }, { env = \"KEY\" }] },\n\
         { certificate = { file = \"/both.pem\" } } ]",
    );
    let places: Vec<_> = all.iter().map(|each| (each.kind().name(), each.place())).collect();
    let place = |kind, place: &str| (kind, place.to_owned());
    assert_eq!(
        places,
        [
            place("certificate", "/c.pem"),
            place("federated_token", "/token"),
            place("secret", "/s"),
            place("secret", "$KEY"),
            place("certificate", "/both.pem"),
        ]
    );
    let Credential::Certificate(source) = &all[0] else { panic!("{all:?}") };
    assert_eq!((source.key.place().as_str(), source.algorithm), ("/run/c/k", Algorithm::Rs256));
    let Credential::Certificate(source) = &all[4] else { panic!("{all:?}") };
    assert!(source.cert.is_none() && source.algorithm == Algorithm::Ps256);
    let Credential::ClientSecret { expires_at: Some(ends), .. } = &all[2] else { panic!("{all:?}") };
    assert_eq!(ends.to_string(), "2027-01-31T00:00:00.0000000Z");
    for one in [
        "certificate = { key = { env = \"KEY\" }, cert = { file = \"/c\" } }",
        "federated_token = { file = \"/t\" }",
        "[app.main.certificate]\nkey = { file = \"/k\" }\ncert = { file = \"/c\" }",
    ] {
        assert_eq!(credentials(one).len(), 1, "{one}");
    }
}

#[test]
fn credentials_that_are_wrong_are_told_and_never_repeated() {
    let key = "MIIEvQIBADANBgkqh";
    for (app, said) in [
        ("", "`secret` is missing"),
        ("secret = { file = \"a\" }\ncertificate = { file = \"b\" }", "secret and certificate are given"),
        ("certificate = { key = { file = \"a\" } }", "has both key and cert"),
        ("certificate = { key = { file = \"a\" }, cert = { file = \"b\" }, file = \"c\" }", "has both key and cert"),
        ("certificate = { file = \"a\", env = \"KEY\" }", "has both key and cert"),
        ("certificate = { file = \"a\", algorithm = \"ES256\" }", "`ES256` is no algorithm"),
        (
            "certificate = { key = [{ file = \"a\" }, { file = \"b\" }], cert = { file = \"c\" } }",
            "one key and one cert",
        ),
        (
            "certificate = { key = \"MIIEvQIBADANBgkqh\", cert = { file = \"c\" } }",
            "never written into the configuration",
        ),
        ("certificate = \"\"\"\n-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqh\n\"\"\"", "never written into"),
        ("certificate = { pem = \"MIIEvQIBADANBgkqh\" }", "there is no such key"),
        ("federated_token = { token = \"MIIEvQIBADANBgkqh\" }", "there is no such key"),
        ("federated_token = \"MIIEvQIBADANBgkqh\"", "never written into the configuration"),
        ("federated_token = {}", "`file` is missing"),
        ("federated_token = { file = \"\" }", "this is empty"),
        ("credentials = []", "there is no credential in this list"),
        ("credentials = { secret = { file = \"a\" } }", "must be a list of credentials"),
        ("credentials = [{ secret = { file = \"a\" }, federated_token = { file = \"b\" } }]", "is exactly one of"),
        ("credentials = [{ secret = \"MIIEvQIBADANBgkqh\" }]", "never written into the configuration"),
        ("credentials = [\"MIIEvQIBADANBgkqh\"]", "never written into the configuration"),
        ("secret = { file = \"a\", expires_at = \"next year\" }", "is no day; write it like 2027-01-31"),
        ("secret = { file = \"a\", expires_at = \"2027-02-30\" }", "is no day"),
        ("secret = { expires_at = \"2027-01-31\" }", "exactly one of file, env and credential"),
    ] {
        let refusal = load(app, "").expect_err(app);
        assert!(refusal.contains(said), "{app}\n---\n{refusal}");
        assert!(!refusal.contains(key), "{app}\n---\n{refusal}");
    }
}

#[test]
fn the_way_to_the_services_is_read() {
    let secret = "secret = { file = \"a\" }";
    let network = |lines: &str| load(secret, lines).unwrap_or_else(|errors| panic!("{lines}: {errors}")).network;
    assert_eq!(network(""), network("ca_file = \"\"\nproxy = \"\"\nno_proxy = \"\""));
    assert!(network("").proxy.is_none() && network("").authorities.is_none());
    let proxy = network("proxy = \"http://proxy.example:3128/\"\nno_proxy = \"x.example\"").proxy.expect("a proxy");
    assert_eq!((proxy.shown.as_str(), proxy.exceptions.as_str()), ("http://proxy.example:3128", "x.example"));
    let proxy = network("proxy = \"environment\"").proxy.expect("a proxy");
    assert_eq!((proxy.shown.as_str(), proxy.exceptions.as_str()), ("http://proxy.example:8080", "a, b"));
    let proxy = network("proxy = \"http://p.example\"\nproxy_credentials = { file = \"/pair\" }").proxy.expect("one");
    assert_eq!(proxy.credentials.expect("a place").place(), Path::new("/pair").display().to_string());
    for (lines, said) in [
        ("ca_file = \"/nonexistent\"", "network.ca_file: /nonexistent: cannot open the file"),
        ("proxy = \"proxy\"", "network.proxy: this is no address"),
        ("proxy = \"ftp://proxy\"", "begins with http:// or https://"),
        ("no_proxy = \"a\"", "network.no_proxy: this says nothing without `proxy`"),
        ("proxy_credentials = { file = \"/pair\" }", "this says nothing without `proxy`"),
    ] {
        let refusal = load(secret, lines).expect_err(lines);
        assert!(refusal.contains(said), "{lines}\n---\n{refusal}");
    }
}
