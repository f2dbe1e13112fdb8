//! Files of PEM certificates, and their errors.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Some editors begin a file with it. The parser would not find the first certificate.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The largest file that is read, in bytes. The authorities of a system have 200 kB.
const LONGEST: u64 = 16 << 20;

/// Reads the usable certificates, and describes the problem with the others. Other text and private keys are
/// ignored.
pub(super) fn read_usable(path: &Path) -> (Vec<CertificateDer<'static>>, Option<Problem>) {
    match contents(path) {
        Ok(bytes) => parse(&bytes),
        Err(problem) => (Vec::new(), Some(problem)),
    }
}

/// Reads a file of certificates or keys. It may be a pipe or a device, which do not tell their size.
pub(crate) fn contents(path: &Path) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
        .map_err(Problem::unreadable)?;
    if bytes.len() as u64 > LONGEST {
        return Err(Problem::new("is larger than 16 MiB"));
    }
    Ok(bytes)
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

/// The problem with a file of certificates, as a phrase that follows its name.
#[derive(Debug)]
pub(crate) struct Problem {
    fact: String,
    source: Option<io::Error>,
}

impl Problem {
    fn new(fact: impl Into<String>) -> Self {
        let fact = fact.into();
        Self { fact, source: None }
    }

    pub(super) fn unreadable(cause: io::Error) -> Self {
        Self {
            fact: unreadable(&cause).to_owned(),
            source: Some(cause),
        }
    }
}

/// Why a file or a directory cannot be read, as a phrase that follows its name.
pub(super) fn unreadable(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::NotFound => "does not exist",
        io::ErrorKind::IsADirectory => "is a folder, not a file",
        io::ErrorKind::NotADirectory => "is a file, not a folder",
        io::ErrorKind::PermissionDenied => "may not be read by this process",
        _ => "cannot be read",
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.fact)
    }
}

impl std::error::Error for Problem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}
