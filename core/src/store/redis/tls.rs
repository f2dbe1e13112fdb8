//! TLS for connections to Redis.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio::sync::OnceCell;

use super::errors::unreachable;
use crate::error::{Code, Error, Result};
use crate::tls::Listed;

/// The trusted authorities of a store, and its client certificate.
pub(super) struct Tls {
    listed: Listed,
    identity: Option<Arc<CertifiedKey>>,
    config: OnceCell<Arc<ClientConfig>>,
}

impl Tls {
    /// Reads the certificates, but not the system's trust store.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] for a file without usable certificates.
    pub(super) fn new(ca_file: Option<&Path>, identity: Option<Arc<CertifiedKey>>) -> Result<Self> {
        let listed = Listed::read(ca_file).map_err(|problem| {
            // The URL may contain a password, so no part of it is shown.
            let text = format!("the store's ca_file {problem}");
            Error::new(Code::InvalidOption, text).with_source(problem)
        })?;
        Ok(Self {
            listed,
            identity,
            config: OnceCell::new(),
        })
    }

    /// The configuration. The first call loads the system's trust store, which takes milliseconds.
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
