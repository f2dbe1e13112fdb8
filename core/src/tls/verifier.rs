//! The verification of a server's certificate.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};

use super::{Listed, system};

/// The verification of the system, with extra authorities.
pub(super) fn system_verifier<'listed>(
    listed: impl Iterator<Item = &'listed CertificateDer<'static>>,
) -> Result<rustls_platform_verifier::Verifier, rustls::Error> {
    let provider = Arc::new(default_provider());
    rustls_platform_verifier::Verifier::new_with_extra_roots(listed.cloned(), provider)
}

/// Verifies as the system does, and also accepts a server certificate that is configured itself: path
/// verification would accept it only as an authority, and refuse the self-signed certificate of
/// `openssl req -x509`.
#[derive(Debug)]
pub(super) struct Verifier {
    system: rustls_platform_verifier::Verifier,
    listed: Listed,
    /// A variable that does not have the effect that the operator may expect, for the message.
    misleading: Option<String>,
}

impl Verifier {
    pub(super) fn new(system: rustls_platform_verifier::Verifier, listed: Listed) -> Self {
        let misleading = system::variable_that_misleads().or_else(system::variable_of_others);
        Self {
            system,
            listed,
            misleading,
        }
    }

    /// Whether the path is the only problem of a configured certificate. The validity period is checked before
    /// the path, so it is valid after one of these errors.
    fn is_listed(&self, end_entity: &CertificateDer<'_>, error: &rustls::Error) -> bool {
        (is_unknown_issuer(error) || is_authority(error))
            && self.listed.certificates().contains(end_entity)
    }

    /// Adds advice to the error.
    fn explained(&self, error: rustls::Error) -> rustls::Error {
        let advice = if is_authority(&error) {
            "the certificate is that of an authority (CA:TRUE) and not listed itself; \
             list this very certificate in ca_file"
                .to_owned()
        } else if is_unknown_issuer(&error) {
            let misleading = self.misleading.as_deref().unwrap_or_default();
            let separator = if misleading.is_empty() { "" } else { "; " };
            format!(
                "the certificate is of an unknown authority; if that is your own, list it in \
                 ca_file{separator}{misleading}"
            )
        } else if has_no_names(&error) {
            "the certificate has no name in it; make one with -addext subjectAltName=DNS:…"
                .to_owned()
        } else {
            return error;
        };
        rustls::Error::Other(OtherError(Arc::new(Refused { advice, error })))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = self.system.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verdict {
            Err(error) if self.is_listed(end_entity, &error) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)
                    .map(|()| ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
        .map_err(|error| self.explained(error))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.system
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.system
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.system.supported_verify_schemes()
    }
}

fn is_unknown_issuer(error: &rustls::Error) -> bool {
    *error == rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)
}

fn is_authority(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) = error
    else {
        return false;
    };
    matches!(cause.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

fn has_no_names(error: &rustls::Error) -> bool {
    matches!(
        error,
        rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext {
            presented, ..
        }) if presented.is_empty()
    )
}

/// A certificate was refused, with advice.
#[derive(Debug)]
struct Refused {
    advice: String,
    error: rustls::Error,
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.advice)
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Why a server's certificate was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CertificateFault {
    /// It has expired, or is not valid yet.
    Time,
    /// It is for other names.
    Name,
    /// It is of an unknown authority, or invalid.
    Other,
}

/// Why a connection failed, if the server's certificate was the reason.
pub(crate) fn certificate_fault(
    error: &(dyn std::error::Error + 'static),
) -> Option<CertificateFault> {
    let mut source = Some(error);
    while let Some(error) = source {
        match error.downcast_ref() {
            Some(rustls::Error::InvalidCertificate(fault)) => return Some(fault.into()),
            Some(rustls::Error::Other(OtherError(cause))) => {
                if let Some(Refused { error, .. }) = cause.downcast_ref() {
                    return certificate_fault(error);
                }
            }
            _ => {}
        }
        // The source of an I/O error is the source of the inner error.
        let inner = error.downcast_ref().and_then(io::Error::get_ref);
        source = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

impl From<&CertificateError> for CertificateFault {
    fn from(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Self::Time,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::Name
            }
            _ => Self::Other,
        }
    }
}
