//! Owns certificate authorities of these tests, and the certificates that they and nobody else sign.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// An authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate.
    pub pem: String,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "an authority of a test");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A server with a certificate of this authority for `host`.
    pub fn serves(&self, host: &str) -> Arc<ServerConfig> {
        self.serves_with(named(host))
    }

    /// A server whose certificate for `host` ended long ago.
    pub fn served_once(&self, host: &str) -> Arc<ServerConfig> {
        let mut params = named(host);
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        self.serves_with(params)
    }

    fn serves_with(&self, params: CertificateParams) -> Arc<ServerConfig> {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        server(certificate.der().clone(), &key)
    }
}

/// A server whose certificate for `host` is signed by itself.
pub fn self_signed(host: &str) -> Arc<ServerConfig> {
    let key = KeyPair::generate().expect("a key");
    let certificate = named(host).self_signed(&key).expect("a certificate");
    server(certificate.der().clone(), &key)
}

fn named(host: &str) -> CertificateParams {
    CertificateParams::new(vec![host.to_owned()]).expect("a name")
}

fn server(certificate: tokio_rustls::rustls::pki_types::CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
    Arc::new(config.expect("a server"))
}
