//! Owns TLS: an authority that is made for one simulator, and the certificate that it signs.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// What a simulator that speaks TLS needs.
pub(super) struct Tls {
    /// Shakes hands.
    pub acceptor: TlsAcceptor,
    /// The authority's certificate, as PEM; its key is gone.
    pub authority: String,
}

impl Tls {
    /// Makes an authority, and a certificate for `address` and `localhost`.
    pub fn new(address: SocketAddr) -> io::Result<Self> {
        Self::signed(address).map_err(|error| io::Error::other(format!("no certificate could be made: {error}")))
    }

    fn signed(address: SocketAddr) -> Result<Self, Box<dyn std::error::Error>> {
        let authority_key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, "alertferry-simulator, for one run");
        let authority = params.self_signed(&authority_key)?.pem();
        let issuer = Issuer::new(params, authority_key);

        let key = KeyPair::generate()?;
        let names = vec![address.ip().to_string(), "localhost".to_owned()];
        let certificate = CertificateParams::new(names)?.signed_by(&key, &issuer)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), authority })
    }
}
