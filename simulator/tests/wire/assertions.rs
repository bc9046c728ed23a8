//! Logins by certificate and by another identity provider.

use std::sync::LazyLock;

use alertferry_simulator::{Certificate, DEFAULT_CLIENT_ID, Federated, SelfSigned};

use crate::support::{Bench, TENANT, claims, json, start, still_world};

// Making an RSA key takes long enough to do it once.
static KEY: LazyLock<SelfSigned> = LazyLock::new(|| SelfSigned::generate("alertferry").expect("a key"));

fn certificate() -> Certificate {
    Certificate::from_pem(&KEY.certificate_pem).expect("its own certificate")
}

async fn bench() -> Bench {
    let mut world = still_world();
    world.apps[0].secrets.clear();
    world.apps[0].certificates.push(certificate());
    Bench::of(world).await
}

struct Claims {
    aud: String,
    iss: &'static str,
    jti: &'static str,
    exp: i64,
    quoted_times: bool,
}

impl Claims {
    fn good(bench: &Bench) -> Self {
        let aud = format!("{}/{TENANT}/oauth2/v2.0/token", bench.sim.login_url());
        Self { aud, iss: DEFAULT_CLIENT_ID, jti: "a-guid", exp: 600, quoted_times: false }
    }

    fn json(&self) -> String {
        let now = start().unix_seconds();
        let time = |at: i64| if self.quoted_times { format!("\"{at}\"") } else { at.to_string() };
        format!(
            r#"{{"aud":"{}","iss":"{}","sub":"{}","jti":"{}","nbf":{},"exp":{}}}"#,
            self.aud,
            self.iss,
            self.iss,
            self.jti,
            time(now + self.exp - 600),
            time(now + self.exp)
        )
    }
}

fn header(pss: bool) -> String {
    let certificate = certificate();
    if pss {
        format!(r#"{{"alg":"PS256","typ":"JWT","x5t#S256":"{}"}}"#, certificate.x5t_s256())
    } else {
        format!(r#"{{"alg":"RS256","typ":"JWT","x5t":"{}"}}"#, certificate.x5t())
    }
}

/// The AADSTS number of the refusal, or zero for a token.
async fn login(bench: &Bench, assertion: &str) -> u64 {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", DEFAULT_CLIENT_ID),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
        ("scope", "https://api.securitycenter.microsoft.com/.default"),
    ];
    let answer = bench.login_with(TENANT, "v2.0/", &form).await;
    let (status, body) = (answer.status(), json(answer).await);
    if status == 200 {
        let claims = claims(body["access_token"].as_str().unwrap());
        assert_eq!(claims["appidacr"], "2");
        return 0;
    }
    assert_eq!((status.as_u16(), &body["error"]), (401, &"invalid_client".into()));
    body["error_codes"][0].as_u64().unwrap()
}

fn sign(pss: bool, header: &str, claims: &Claims) -> String {
    KEY.sign_jwt(pss, header, &claims.json()).expect("signing")
}

#[tokio::test]
async fn both_algorithms_with_numbers_or_strings() {
    let bench = bench().await;
    for pss in [true, false] {
        for quoted_times in [true, false] {
            let claims = Claims { quoted_times, ..Claims::good(&bench) };
            assert_eq!(login(&bench, &sign(pss, &header(pss), &claims)).await, 0);
        }
    }
}

#[tokio::test]
async fn everything_that_can_be_wrong() {
    let bench = bench().await;
    let good = || Claims::good(&bench);
    let with = async |claims: Claims| login(&bench, &sign(true, &header(true), &claims)).await;
    assert_eq!(
        with(Claims { aud: "https://login.microsoftonline.com/x/oauth2/v2.0/token".into(), ..good() }).await,
        700_023
    );
    assert_eq!(with(Claims { iss: "33333333-3333-3333-3333-333333333333", ..good() }).await, 700_021);
    assert_eq!(with(Claims { exp: -600, ..good() }).await, 700_024);
    assert_eq!(with(Claims { exp: 4_000, ..good() }).await, 700_024);
    assert_eq!(with(Claims { jti: "", ..good() }).await, 50_027);
    assert_eq!(login(&bench, "not.a.jwt").await, 50_027);
    assert_eq!(login(&bench, &sign(false, &header(true), &good())).await, 700_027, "signed otherwise than said");
    let unknown = r#"{"alg":"PS256","x5t#S256":"AAAA"}"#;
    assert_eq!(login(&bench, &sign(true, unknown, &good())).await, 700_027);
    let none = format!(r#"{{"alg":"none","x5t#S256":"{}"}}"#, certificate().x5t_s256());
    assert_eq!(login(&bench, &sign(true, &none, &good())).await, 50_027);
}

#[tokio::test]
async fn another_identity_provider() {
    let mut world = still_world();
    world.apps[0].federated.push(Federated {
        issuer: "https://issuer.example".into(),
        subject: "system:daemon".into(),
        audience: "api://AzureADTokenExchange".into(),
        key: certificate(),
    });
    let bench = Bench::of(world).await;
    let now = start().unix_seconds();
    let token = |subject: &str| {
        let claims = format!(
            r#"{{"aud":["api://AzureADTokenExchange"],"iss":"https://issuer.example","sub":"{subject}","exp":{}}}"#,
            now + 600
        );
        KEY.sign_jwt(false, r#"{"alg":"RS256","kid":"1"}"#, &claims).expect("signing")
    };
    assert_eq!(login(&bench, &token("system:daemon")).await, 0);
    assert_eq!(login(&bench, &token("system:other")).await, 700_213);
}
