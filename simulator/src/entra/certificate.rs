//! Owns certificates: reading one, its thumbprints, and making a self-signed one for tests and demos.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaKeyPair,
    UnparsedPublicKey,
};
use aws_lc_rs::{digest, error};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Why a text is no certificate the simulator can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a PEM certificate")]
pub struct BadCertificate;

/// A certificate registered for an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    public_key: Vec<u8>,
}

impl Certificate {
    /// Reads the first `CERTIFICATE` block of a PEM text.
    pub fn from_pem(pem: &str) -> Result<Self, BadCertificate> {
        let body = pem.split("-----BEGIN CERTIFICATE-----").nth(1).ok_or(BadCertificate)?;
        let body = body.split("-----END CERTIFICATE-----").next().unwrap_or_default();
        let packed: String = body.split_ascii_whitespace().collect();
        let der = STANDARD.decode(packed).map_err(|_| BadCertificate)?;
        let public_key = subject_public_key(&der).ok_or(BadCertificate)?.to_vec();
        Ok(Self { der, public_key })
    }

    /// The `x5t` of assertions: base64url of the SHA-1 of the DER form.
    pub fn x5t(&self) -> String {
        let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der);
        URL_SAFE_NO_PAD.encode(hash)
    }

    /// The `x5t#S256` of assertions: base64url of the SHA-256 of the DER form.
    pub fn x5t_s256(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &self.der))
    }

    /// Whether the certificate's key made this signature. `pss` chooses PS256 over RS256.
    pub(crate) fn verifies(&self, pss: bool, message: &[u8], signature: &[u8]) -> bool {
        let algorithm = if pss { &RSA_PSS_2048_8192_SHA256 } else { &RSA_PKCS1_2048_8192_SHA256 };
        UnparsedPublicKey::new(algorithm, &self.public_key).verify(message, signature).is_ok()
    }
}

/// A fresh RSA key with a self-signed certificate around it.
#[derive(Debug)]
pub struct SelfSigned {
    key: RsaKeyPair,
    /// The certificate in PEM.
    pub certificate_pem: String,
    /// The private key in PEM (PKCS #8).
    pub private_key_pem: String,
}

impl SelfSigned {
    /// Makes a 2,048 bit key and a certificate for `common_name`, valid from 2020 to 2049.
    pub fn generate(common_name: &str) -> Result<Self, error::Unspecified> {
        let key = RsaKeyPair::generate(KeySize::Rsa2048)?;
        let der = self_signed(&key, common_name)?;
        let pkcs8 = AsDer::<Pkcs8V1Der<'static>>::as_der(&key)?;
        let private_key_pem = pem("PRIVATE KEY", pkcs8.as_ref());
        Ok(Self { key, certificate_pem: pem("CERTIFICATE", &der), private_key_pem })
    }

    /// Signs a client assertion: a compact JWT of the given JSON header and claims. `pss` chooses PS256 over RS256;
    /// the header is the caller's, so that wrong ones can be made.
    pub fn sign_jwt(&self, pss: bool, header: &str, claims: &str) -> Result<String, error::Unspecified> {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = sign(&self.key, pss, message.as_bytes())?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn sign(key: &RsaKeyPair, pss: bool, message: &[u8]) -> Result<Vec<u8>, error::Unspecified> {
    let mut signature = vec![0; key.public_modulus_len()];
    let algorithm = if pss { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
    key.sign(algorithm, &SystemRandom::new(), message, &mut signature)?;
    Ok(signature)
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// One DER element: tag, length, content.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        Ok(_) | Err(_) => {
            let bytes: Vec<u8> = content.len().to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            out.push(0x80 | u8::try_from(bytes.len()).unwrap_or(0));
            out.extend(bytes);
        }
    }
    out.extend_from_slice(content);
    out
}

/// An unsigned big-endian number as a DER INTEGER.
fn der_integer(bytes: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if bytes.first().is_some_and(|byte| *byte >= 0x80) { &[0] } else { &[] };
    der(0x02, &[sign, bytes].concat())
}

fn self_signed(key: &RsaKeyPair, common_name: &str) -> Result<Vec<u8>, error::Unspecified> {
    let parts = PublicKeyComponents::<Vec<u8>>::from(key.public_key());
    // rsaEncryption 1.2.840.113549.1.1.1, sha256WithRSAEncryption …1.11, commonName 2.5.4.3.
    let rsa = der(0x30, &[&der(0x06, &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1])[..], &[0x05, 0]].concat());
    let algorithm =
        der(0x30, &[&der(0x06, &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 0x0B])[..], &[0x05, 0]].concat());
    let rsa_key = der(0x30, &[der_integer(&parts.n), der_integer(&parts.e)].concat());
    let spki = der(0x30, &[rsa, der(0x03, &[&[0][..], &rsa_key].concat())].concat());
    let attribute = der(0x30, &[der(0x06, &[0x55, 4, 3]), der(0x0C, common_name.as_bytes())].concat());
    let name = der(0x30, &der(0x31, &attribute));
    let validity = der(0x30, &[der(0x17, b"200101000000Z"), der(0x17, b"491231235959Z")].concat());
    let version = der(0xA0, &der_integer(&[2]));
    let serial = der_integer(&[1]);
    let body = [version, serial, algorithm.clone(), name.clone(), validity, name, spki].concat();
    let to_sign = der(0x30, &body);
    let signature = sign(key, false, &to_sign)?;
    let bits = der(0x03, &[&[0][..], &signature].concat());
    Ok(der(0x30, &[to_sign, algorithm, bits].concat()))
}

/// One DER element at the beginning of some bytes.
struct Element<'d> {
    tag: u8,
    whole: &'d [u8],
    content: &'d [u8],
    /// What follows it.
    rest: &'d [u8],
}

/// Splits the first DER element off.
fn take(input: &[u8]) -> Option<Element<'_>> {
    let (tag, first) = (*input.first()?, usize::from(*input.get(1)?));
    let (length, head) = if first < 0x80 {
        (first, 2)
    } else {
        let count = first & 0x7F;
        let bytes = input.get(2..2 + count).filter(|_| count <= 4)?;
        (bytes.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte)), 2 + count)
    };
    let whole = input.get(..head + length)?;
    Some(Element { tag, whole, content: whole.get(head..)?, rest: input.get(head + length..)? })
}

/// The SubjectPublicKeyInfo of an X.509 certificate: the seventh field of its signed part, the optional version
/// counted.
fn subject_public_key(certificate: &[u8]) -> Option<&[u8]> {
    let mut fields = take(take(certificate)?.content)?.content;
    let first = take(fields)?;
    if first.tag == 0xA0 {
        fields = first.rest;
    }
    for _ in 0..5 {
        fields = take(fields)?.rest;
    }
    let key = take(fields)?;
    (key.tag == 0x30).then_some(key.whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_certificate_reads_back_and_verifies_both_algorithms() {
        let made = SelfSigned::generate("alertferry test").expect("key generation");
        let read = Certificate::from_pem(&made.certificate_pem).expect("its own certificate");
        for pss in [true, false] {
            let signature = sign(&made.key, pss, b"message").expect("signing");
            assert!(read.verifies(pss, b"message", &signature));
            assert!(!read.verifies(!pss, b"message", &signature));
            assert!(!read.verifies(pss, b"massage", &signature));
        }
        assert_eq!(read.x5t().len(), 27);
        assert_eq!(read.x5t_s256().len(), 43);
        assert!(made.private_key_pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    }

    /// Made with another tool, together with its thumbprints; its private key was never kept.
    const ELSEWHERE: &str = "-----BEGIN CERTIFICATE-----
MIIDRzCCAi+gAwIBAgIUZdxqMeHaWTTHJW+fIChLWAAURHwwDQYJKoZIhvcNAQEL
BQAwMzELMAkGA1UEBhMCU0UxEDAOBgNVBAoMB0V4YW1wbGUxEjAQBgNVBAMMCWVs
c2V3aGVyZTAeFw0yNjExMjUwMDM3MTJaFw0zNjExMjIwMDM3MTJaMDMxCzAJBgNV
BAYTAlNFMRAwDgYDVQQKDAdFeGFtcGxlMRIwEAYDVQQDDAllbHNld2hlcmUwggEi
MA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQCqfeLCXaU8FjNQCG8pfadKEgcn
MAjzFAAgh9utdA/T9J/JZ5HsXVgldaP1SY4UGgOtt65EK6QglZONwE5DXadBFOUY
a9j3C9zJ4Qp/em8AiTtjJoHie/EfaZTyH0VdpBTkVOjmnfamefa1PqyCX3h4ZoUC
fFR7V0MqHsEcu89t8Lmbb8yB1Tu2otG19nBmu6wI50EIPUqvhRt7FJ8FO08mhyvY
js8GdM1u9H+8Kcd6E7IGGRRmrRhRN+ZAsJfDqTJyl+XUMWkjoAovh2jf3mGcD+um
i4+sYvPhbHZXlpzuoVhyN5+2HYAnqnsKDjQ+ldSsG2c8i8iclC2fXaOZxrjxAgMB
AAGjUzBRMB0GA1UdDgQWBBSoIWxpOgyC+C5uMsVW+BUyWLm4eTAfBgNVHSMEGDAW
gBSoIWxpOgyC+C5uMsVW+BUyWLm4eTAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3
DQEBCwUAA4IBAQCKIc1xyb/jv5PfZuIn4Ji1fh3K/ymiHIOf5TTbc7604ZgXuPHp
RK80L5Ob/LWoAsvVScdQHJ2B4eDFo9pf3nOXhODTikTFucg8wEvnKeag3ROIwdPa
/ngThHj61VLM1pDqq9FOjmbjiV0Ks7R/ZBYATMtnXqy0a4gLAXCw//KUyALeO4wz
Jja2YgwA1lumhzNQ5Nb7uYU9elUOxSfdLnG2DbQ21D4UIjWfJJR+t7hM+ZoM4H/V
gtjewG7ndSJ5b1RfmxbwsZlb3COYPK1cifIONTCRxlCD5755X0l9TEBhTuIvm2J9
8QKfqYCZ1m+GizeVF/qhZgAn4aIKDvpEzD+h
-----END CERTIFICATE-----";

    #[test]
    fn a_certificate_made_elsewhere_has_the_thumbprints_computed_there() {
        let read = Certificate::from_pem(ELSEWHERE).expect("a certificate");
        assert_eq!(read.x5t(), "Hm5HulldQVOj9_xE6FO6Ot7trNg");
        assert_eq!(read.x5t_s256(), "iQdP6FXCL5IV18q2M-QWb_UxMGGVX7WmEEcRGqs5Ha8");
        assert_eq!(read.public_key.len(), 294, "the whole public key");
    }

    #[test]
    fn nonsense_is_refused() {
        for pem in [
            "",
            "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----",
            "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----",
        ] {
            assert_eq!(Certificate::from_pem(pem), Err(BadCertificate));
        }
    }
}
