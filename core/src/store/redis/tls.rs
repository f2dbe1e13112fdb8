//! Whom TLS connections to Redis trust.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio::sync::OnceCell;

use super::errors::unreachable;
use crate::error::{Code, Error, Result};
use crate::tls::Listed;

/// The trust of one store: the system's authorities, and perhaps some more. And who it is to a server
/// that asks for a certificate.
pub(super) struct Tls {
    listed: Listed,
    identity: Option<Arc<CertifiedKey>>,
    config: OnceCell<Arc<ClientConfig>>,
}

impl Tls {
    /// Reads the certificates, but not yet the system's trust store.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] for a file without usable certificates.
    pub(super) fn new(ca_file: Option<&Path>, identity: Option<Arc<CertifiedKey>>) -> Result<Self> {
        let listed = Listed::read(ca_file).map_err(|problem| {
            // The URL may hold a password, so nothing of it is shown.
            let text = format!("the store's ca_file {problem}");
            Error::new(Code::InvalidOption, text).with_source(problem)
        })?;
        Ok(Self {
            listed,
            identity,
            config: OnceCell::new(),
        })
    }

    /// The configuration; loading the system's trust store takes milliseconds, once.
    pub(super) async fn config(&self) -> Result<Arc<ClientConfig>> {
        let config = self.config.get_or_try_init(|| async {
            let (listed, identity) = (self.listed.clone(), self.identity.clone());
            tokio::task::spawn_blocking(move || build(&listed, identity))
                .await
                .map_err(|cause| {
                    Error::new(Code::Internal, "TLS was not set up").with_source(cause)
                })?
        });
        config.await.cloned()
    }
}

fn build(listed: &Listed, identity: Option<Arc<CertifiedKey>>) -> Result<Arc<ClientConfig>> {
    let builder = listed.trusted_with_system().map_err(unreachable)?;
    Ok(Arc::new(match identity {
        Some(identity) => {
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity)))
        }
        None => builder.with_no_client_auth(),
    }))
}
