//! Sign-in by certificates and by tokens of another identity provider, and what is said when these are wrong.

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use alertferry::clock::Clock;
use alertferry::domain::{FailureClass, Ticks};
use alertferry::entra::{Algorithm, CertificateSource, Credential, CredentialKind, Endpoint, Look, look};
use alertferry::secret::SecretSource;
use alertferry_simulator::{Certificate, DEFAULT_CLIENT_ID, DEFAULT_SECRET, Federated, SelfSigned};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::house::{House, app, file, fixed, write_secret};

/// Where a PKCS #1 key begins inside a PKCS #8 one of 2048 bits.
const PKCS1_IN_PKCS8: usize = 26;

/// A directory with a key and its certificate, and the two as the simulator's app knows them.
struct Pair {
    dir: tempfile::TempDir,
    made: SelfSigned,
}

impl Pair {
    fn new() -> Self {
        let (dir, made) = (tempfile::tempdir().expect("a directory"), SelfSigned::generate("ferry").expect("a key"));
        write_secret(&dir.path().join("key.pem"), &made.private_key_pem);
        std::fs::write(dir.path().join("cert.pem"), &made.certificate_pem).expect("written");
        Self { dir, made }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn credential(&self, algorithm: Algorithm) -> Credential {
        certificate(&self.path("key.pem"), Some(&self.path("cert.pem")), algorithm)
    }

    fn register(&self, house: &House) {
        let known = Certificate::from_pem(&self.made.certificate_pem).expect("a certificate");
        house.sim.world().with(|world| world.apps[0].certificates.push(known));
    }
}

fn certificate(key: &Path, cert: Option<&Path>, algorithm: Algorithm) -> Credential {
    let place = |path: &Path| SecretSource::File(path.to_owned());
    Credential::Certificate(CertificateSource { key: place(key), cert: cert.map(place), algorithm })
}

/// A key in the form of OpenSSL's older commands.
fn pkcs1(pkcs8: &str) -> String {
    let body: String = pkcs8.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(body).expect("base64");
    format!(
        "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n",
        STANDARD.encode(&der[PKCS1_IN_PKCS8..])
    )
}

/// A certificate of this key that ends so many seconds from now.
fn ending_in(key_pem: &str, seconds: u64) -> String {
    let key = rcgen::KeyPair::from_pem(key_pem).expect("a key");
    let mut params = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    let now = u64::try_from(Clock::System.now().unix_seconds()).expect("after 1970");
    params.not_after = (UNIX_EPOCH + Duration::from_secs(now + seconds)).into();
    params.self_signed(&key).expect("a certificate").pem()
}

#[tokio::test]
async fn both_algorithms_and_both_forms_of_the_key_sign_in() {
    let pair = Pair::new();
    write_secret(&pair.path("pkcs1.pem"), &pkcs1(&pair.made.private_key_pem));
    let both = format!("{}{}", pair.made.private_key_pem, pair.made.certificate_pem);
    write_secret(&pair.path("both.pem"), &both);
    for credential in [
        pair.credential(Algorithm::Ps256),
        pair.credential(Algorithm::Rs256),
        certificate(&pair.path("pkcs1.pem"), Some(&pair.path("cert.pem")), Algorithm::Ps256),
        certificate(&pair.path("both.pem"), None, Algorithm::Ps256),
    ] {
        for endpoint in [Endpoint::V1, Endpoint::V2] {
            let house = House::at(endpoint, 1, vec![credential.clone()]).await;
            house.sim.world().with(|world| world.apps[0].secrets.clear());
            assert_eq!(house.failure().await.0, FailureClass::App, "nobody knows the certificate yet");
            pair.register(&house);
            house.entra.replace_apps(vec![app(endpoint, vec![credential.clone()])]);
            let token = house.token().await.expect("a token");
            let claims = token.bearer.expose().split('.').nth(1).expect("claims");
            let claims: serde_json::Value =
                serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64")).expect("JSON");
            assert_eq!(claims["appidacr"], "2", "by certificate");
        }
    }
}

#[tokio::test]
async fn a_chain_behind_the_certificate_does_not_matter() {
    let (pair, other) = (Pair::new(), Pair::new());
    let chain = format!("{}{}", other.made.certificate_pem, pair.made.certificate_pem);
    std::fs::write(pair.path("cert.pem"), chain).expect("written");
    let house = House::with(1, vec![pair.credential(Algorithm::Ps256)]).await;
    pair.register(&house);
    assert!(house.token().await.is_ok());
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said_with_file_and_remedy_and_sends_nothing() {
    let (pair, other) = (Pair::new(), Pair::new());
    let key = &pair.made.private_key_pem;
    write_secret(&pair.path("text.pem"), "no key");
    write_secret(&pair.path("locked.pem"), &key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"));
    write_secret(&pair.path("broken.pem"), &key.replacen("MII", "AAA", 1));
    let ec = rcgen::KeyPair::generate().expect("a key");
    write_secret(&pair.path("ec.pem"), &ec.serialize_pem());
    write_secret(&pair.path("open.pem"), key);
    std::fs::set_permissions(pair.path("open.pem"), std::os::unix::fs::PermissionsExt::from_mode(0o640)).expect("set");
    std::fs::write(pair.path("cert-broken.pem"), pair.made.certificate_pem.replacen("MII", "AAA", 1)).expect("written");
    for (key, cert, reason, remedy) in [
        ("missing.pem", "cert.pem", "cannot read the secret file", "readable by the daemon's user alone"),
        ("key.pem", "missing.pem", "cannot read the file", "put the certificate"),
        ("text.pem", "cert.pem", "there is no private key in", "BEGIN PRIVATE KEY"),
        ("locked.pem", "cert.pem", "is locked with a password", "openssl pkey -in"),
        ("broken.pem", "cert.pem", "is no RSA key", "RSA key of 2048 bits"),
        ("ec.pem", "cert.pem", "is no RSA key", "RSA key of 2048 bits"),
        ("open.pem", "cert.pem", "may be read by others (mode 0640)", "chmod 600"),
        ("key.pem", "text.pem", "there is no certificate in", "BEGIN CERTIFICATE"),
        ("key.pem", "cert-broken.pem", "cannot be read", "BEGIN CERTIFICATE"),
        ("key.pem", "other.pem", "does not belong to the certificate in", "name the key that"),
    ] {
        std::fs::write(pair.path("other.pem"), &other.made.certificate_pem).expect("written");
        let credential = certificate(&pair.path(key), Some(&pair.path(cert)), Algorithm::Ps256);
        let looks = look(&app(Endpoint::V2, vec![credential.clone()]));
        let why = looks[0].found.clone().expect_err("unusable");
        let house = House::with(1, vec![credential]).await;
        let (class, said, advised) = house.failure().await;
        assert_eq!((class, house.logins()), (FailureClass::App, 0), "{key} {cert}");
        for (said, advised) in [(&said, &advised), (&why.reason, &why.remedy)] {
            assert!(said.contains(reason) && said.contains(".pem"), "{key} {cert}: {said}");
            assert!(advised.contains(remedy), "{key} {cert}: {advised}");
            assert!(!said.contains("MII") && !advised.contains("MII"), "{said}; {advised}");
        }
    }
}

#[tokio::test]
async fn a_refused_certificate_is_told_by_its_file_and_the_next_credential_takes_over() {
    let pair = Pair::new();
    let house = House::with(1, vec![pair.credential(Algorithm::Ps256), fixed("wrong")]).await;
    let (class, reason, remedy) = house.failure().await;
    assert_eq!((class, house.logins()), (FailureClass::App, 2));
    assert!(reason.contains("cert.pem") && reason.contains("AADSTS700027"), "{reason}");
    assert!(remedy.contains("upload the certificate in") && remedy.contains("clock"), "{remedy}");

    let house = House::with(2, vec![pair.credential(Algorithm::Ps256), fixed(DEFAULT_SECRET)]).await;
    assert!(house.token().await.is_ok());
    assert!(house.entra.token(&house.tenants[1]).await.is_ok());
    assert_eq!(house.logins(), 3, "the one that worked is tried first");
}

#[tokio::test]
async fn a_replaced_key_takes_effect_at_once() {
    let (pair, new) = (Pair::new(), Pair::new());
    let house = House::with(2, vec![pair.credential(Algorithm::Ps256)]).await;
    new.register(&house);
    assert_eq!(house.failure().await.0, FailureClass::App);
    write_secret(&pair.path("key.pem"), &new.made.private_key_pem);
    std::fs::write(pair.path("cert.pem"), &new.made.certificate_pem).expect("written");
    assert!(house.token().await.is_ok());
}

/// An assertion of another identity provider.
fn assertion(made: &SelfSigned, subject: &str) -> String {
    let claims = serde_json::json!({
        "iss": "https://issuer.example", "sub": subject, "aud": "api://AzureADTokenExchange",
        "jti": "1", "nbf": 1_500_000_000, "exp": 4_000_000_000_i64,
    });
    made.sign_jwt(false, r#"{"alg":"RS256","typ":"JWT"}"#, &claims.to_string()).expect("signed")
}

#[tokio::test]
async fn a_federated_token_is_read_anew_for_each_use() {
    let provider = Pair::new();
    let path = provider.path("token");
    write_secret(&path, &assertion(&provider.made, "somebody else"));
    let house = House::with(3, vec![Credential::FederatedToken(SecretSource::File(path.clone()))]).await;
    let key = Certificate::from_pem(&provider.made.certificate_pem).expect("a certificate");
    house.sim.world().with(|world| {
        world.apps[0].federated.push(Federated {
            issuer: "https://issuer.example".to_owned(),
            subject: "the daemon".to_owned(),
            audience: "api://AzureADTokenExchange".to_owned(),
            key,
        });
    });
    let (class, reason, remedy) = house.failure().await;
    assert_eq!(class, FailureClass::App);
    assert!(reason.contains("AADSTS700213") && remedy.contains("issuer, subject and audience"), "{reason}; {remedy}");
    write_secret(&path, &assertion(&provider.made, "the daemon"));
    assert!(house.token().await.is_ok());
    write_secret(&path, "torn");
    assert!(house.entra.token(&house.tenants[1]).await.is_err(), "the file is read again");
    write_secret(&path, &assertion(&provider.made, "the daemon"));
    assert!(house.entra.token(&house.tenants[2]).await.is_ok());
}

#[tokio::test]
async fn ends_are_known_of_certificates_and_of_secrets_with_a_date() {
    let pair = Pair::new();
    std::fs::write(pair.path("cert.pem"), ending_in(&pair.made.private_key_pem, 40 * 86_400 + 600)).expect("written");
    let secret = SecretSource::File(pair.path("secret"));
    write_secret(&pair.path("secret"), DEFAULT_SECRET);
    let ends = Ticks::parse("2027-01-31T00:00:00Z").expect("a time");
    let credentials = vec![
        pair.credential(Algorithm::Ps256),
        Credential::ClientSecret { source: secret, expires_at: Some(ends) },
        file(Path::new("/nonexistent/secret")),
    ];
    let house = House::with(1, credentials).await;
    let expiries = house.entra.inventory().iter().filter_map(Look::expiry).collect::<Vec<_>>();
    let shown: Vec<_> = expiries.iter().map(|each| (each.app.as_str(), each.kind)).collect();
    assert_eq!(shown, [("main", CredentialKind::Certificate), ("main", CredentialKind::Secret)]);
    assert!(expiries[0].place.ends_with("cert.pem") && expiries[1].place.ends_with("secret"));
    assert_eq!(expiries[0].days_left(Clock::System.now()), 40);
    assert_eq!(expiries[1].ends_at, ends);
    assert_eq!(expiries[1].days_left(ends.minus(Duration::from_secs(1))), 0);
    assert_eq!(expiries[1].days_left(ends.plus(Duration::from_secs(1))), -1);
    let looks = house.entra.inventory();
    assert_eq!(looks.len(), 3);
    assert!(looks[2].found.as_ref().is_err_and(|why| why.unread));
}

#[tokio::test]
async fn an_assertion_is_signed_for_its_tenant_and_once_only() {
    let pair = Pair::new();
    let house = House::with(2, vec![pair.credential(Algorithm::Ps256)]).await;
    pair.register(&house);
    // The simulator refuses an assertion for another token endpoint than the one it was sent to.
    for tenant in &house.tenants {
        assert!(house.entra.token(tenant).await.is_ok());
    }
    assert_eq!(house.logins(), 2);
    assert!(house.sim.stats().log().iter().all(|record| !record.target.contains(DEFAULT_CLIENT_ID)));
}
