//! Files of PEM certificates.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::file::contents;
use super::problem::Problem;

/// Some editors begin a file with it. The parser would not find the first certificate.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads the usable certificates, and describes the problem with the others. Other text and private keys are
/// ignored.
pub(super) fn read_usable(path: &Path) -> (Vec<CertificateDer<'static>>, Option<Problem>) {
    match contents(path) {
        Ok(bytes) => parse(&bytes),
        Err(problem) => (Vec::new(), Some(problem)),
    }
}

pub(super) fn parse(bytes: &[u8]) -> (Vec<CertificateDer<'static>>, Option<Problem>) {
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let mut certificates = Vec::new();
    let mut problem = None;
    for (number, certificate) in (1..).zip(CertificateDer::pem_slice_iter(text)) {
        match certificate {
            Ok(certificate) if webpki::anchor_from_trusted_cert(&certificate).is_ok() => {
                certificates.push(certificate.into_owned());
            }
            _ if problem.is_none() => {
                problem = Some(Problem::new(format!(
                    "has a certificate that cannot be read number={number}"
                )));
            }
            _ => {}
        }
    }
    if certificates.is_empty() && problem.is_none() {
        problem = Some(Problem::new(what_else(text)));
    }
    (certificates, problem)
}

/// Describes a file without PEM certificates.
fn what_else(text: &[u8]) -> &'static str {
    let has = |part: &str| {
        text.windows(part.len())
            .any(|window| window == part.as_bytes())
    };
    if text.trim_ascii().is_empty() {
        "is empty"
    } else if text.starts_with(&[0x30]) && text.get(1).is_some_and(|length| length & 0x80 != 0) {
        "is in DER form, not PEM; convert it with openssl x509 -inform der"
    } else if text.starts_with(b"\xFF\xFE") || text.starts_with(b"\xFE\xFF") {
        "is UTF-16 text, not PEM; save it as ASCII"
    } else if has("BEGIN TRUSTED CERTIFICATE-----") {
        "has certificates in the form of OpenSSL alone; convert them with openssl x509"
    } else if has("PRIVATE KEY-----") {
        "has a private key and no certificate"
    } else if has("CERTIFICATE REQUEST-----") {
        "has a certificate request and no certificate"
    } else {
        "has no PEM certificates"
    }
}
