//! The client's certificate, for a server that requires one.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::error::{Code, Error, Result};
use crate::tls;

/// The marks of an encrypted key in PEM, in PKCS #8 and in the older format.
const ENCRYPTED: [&str; 2] = ["BEGIN ENCRYPTED PRIVATE KEY", "Proc-Type: 4,ENCRYPTED"];

/// Reads a certificate chain and its key. One file may contain both.
///
/// # Errors
/// [`Code::InvalidOption`].
pub(super) fn read(cert_file: &Path, key_file: &Path) -> Result<Arc<CertifiedKey>> {
    let chain = read_chain(&contents("cert_file", cert_file)?)?;
    let key = read_key(&contents("key_file", key_file)?)?;
    CertifiedKey::from_der(chain, key, &default_provider())
        .map(Arc::new)
        .map_err(|cause| {
            let fact = match cause {
                rustls::Error::InconsistentKeys(_) => {
                    "key_file is not the key of the certificate in cert_file"
                }
                rustls::Error::InvalidCertificate(_) => "cert_file has no usable certificate",
                _ => "key_file has a key of a kind that is not supported",
            };
            unusable(fact).with_source(cause)
        })
}

fn contents(name: &str, path: &Path) -> Result<Vec<u8>> {
    // The URL may contain a password, so no part of it is shown.
    tls::contents(path)
        .map_err(|problem| unusable(&format!("{name} {problem}")).with_source(problem))
}

fn read_chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let chain: Result<Vec<_>, PemError> = CertificateDer::pem_slice_iter(pem).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err(unusable("cert_file has no PEM certificate")),
        Ok(chain) => Ok(chain),
        // The cause could quote the file, which may contain the key.
        Err(_) => Err(unusable("cert_file is not PEM")),
    }
}

fn read_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>> {
    let text = String::from_utf8_lossy(pem);
    if ENCRYPTED.iter().any(|mark| text.contains(mark)) {
        return Err(unusable(
            "key_file is encrypted; give a file with the key decrypted, readable by the site alone",
        ));
    }
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| unusable("key_file has no PEM private key"))
}

fn unusable(fact: &str) -> Error {
    Error::new(Code::InvalidOption, format_args!("the store's {fact}"))
}
