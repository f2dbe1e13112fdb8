//! Valid and invalid certificates for tests.

use std::fmt;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

use super::no_server;
use crate::error::Result;

/// A new certificate authority, which is not trusted unless it is configured.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    /// Makes a new authority.
    ///
    /// # Errors
    /// [`Code::Internal`](crate::Code::Internal) if randomness is not available.
    pub fn new() -> Result<Self> {
        let key = KeyPair::generate().map_err(no_server)?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).map_err(no_server)?;
        Ok(Self {
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        })
    }

    /// The authority's own certificate, for a client's `ca_file`.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Issues a certificate for a host, by name or address, that is valid from 2001 to 4001.
    ///
    /// # Errors
    /// [`Code::Internal`](crate::Code::Internal) when the host is neither.
    pub fn certificate(&self, host: &str) -> Result<Certificate> {
        self.certificate_between(host, (2001, 4001))
    }

    /// Issues a certificate that is valid from the beginning of one year to the beginning of
    /// another.
    ///
    /// # Errors
    /// As [`Authority::certificate`].
    pub fn certificate_between(&self, host: &str, years: (i32, i32)) -> Result<Certificate> {
        let key = KeyPair::generate().map_err(no_server)?;
        let mut params = CertificateParams::new([host.to_owned()]).map_err(no_server)?;
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).map_err(no_server)?;
        Ok(Certificate {
            chain: certificate.der().to_vec(),
            key: key.serialize_der(),
            protocols: Vec::new(),
        })
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// A certificate with its key, and the protocols of its server.
#[derive(Clone)]
pub struct Certificate {
    chain: Vec<u8>,
    key: Vec<u8>,
    protocols: Vec<Vec<u8>>,
}

impl Certificate {
    /// Sets the protocols of the server, such as `h2` and `http/1.1` (RFC 7301). By default, the server does not
    /// negotiate.
    #[must_use]
    pub fn protocols(mut self, protocols: &[&str]) -> Self {
        self.protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        self
    }

    pub(super) fn acceptor(&self) -> Result<TlsAcceptor> {
        let key = PrivateKeyDer::try_from(self.key.clone())
            .map_err(|cause| no_server(std::io::Error::other(cause)))?;
        let mut config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(no_server)?
            .with_no_client_auth()
            .with_single_cert(vec![self.chain.clone().into()], key)
            .map_err(no_server)?;
        config.alpn_protocols.clone_from(&self.protocols);
        Ok(Arc::new(config).into())
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Certificate")
            .finish_non_exhaustive()
    }
}
