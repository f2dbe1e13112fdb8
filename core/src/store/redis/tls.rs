//! Whom TLS connections to Redis trust.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls_platform_verifier::Verifier;
use tokio::sync::OnceCell;

use super::errors::unreachable;
use crate::error::{Code, Error, Result};

/// The trust of one store: the system's authorities, and perhaps some more.
pub(super) struct Tls {
    certificates: Vec<CertificateDer<'static>>,
    config: OnceCell<Arc<ClientConfig>>,
}

impl Tls {
    /// Reads the certificates, but not yet the system's trust store.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] for a file without usable certificates.
    pub(super) fn new(ca_file: Option<&Path>) -> Result<Self> {
        let certificates = match ca_file {
            Some(path) => read_certificates(path)?,
            None => Vec::new(),
        };
        Ok(Self {
            certificates,
            config: OnceCell::new(),
        })
    }

    /// The configuration; loading the system's trust store takes milliseconds, once.
    pub(super) async fn config(&self) -> Result<Arc<ClientConfig>> {
        let config = self.config.get_or_try_init(|| async {
            let certificates = self.certificates.clone();
            tokio::task::spawn_blocking(move || build(certificates))
                .await
                .map_err(|cause| {
                    Error::new(Code::Internal, "TLS was not set up").with_source(cause)
                })?
        });
        config.await.cloned()
    }
}

/// With the provider named, whatever else in the program may have chosen one for itself. Where the
/// system has no trust store, as in a minimal container, the named authorities are enough.
fn build(certificates: Vec<CertificateDer<'static>>) -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(unreachable)?;
    let verifier = Verifier::new_with_extra_roots(certificates, provider).map_err(unreachable)?;
    let config = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let unusable = || {
        Error::new(
            Code::InvalidOption,
            "the store's ca_file has no usable PEM certificates",
        )
    };
    let pem = std::fs::read(path).map_err(|cause| unusable().with_source(cause))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|cause| unusable().with_source(cause))?;
    if certificates.is_empty() {
        return Err(unusable());
    }
    let mut roots = RootCertStore::empty();
    for certificate in &certificates {
        roots.add(certificate.clone()).map_err(|_| unusable())?;
    }
    Ok(certificates)
}
