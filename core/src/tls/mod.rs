//! The trust of TLS connections to the broker and to Redis.

mod ca_file;
mod file;
mod problem;
mod system;
mod verifier;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::WantsClientCert;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};

pub(crate) use self::file::contents;
pub(crate) use self::problem::Problem;
pub(crate) use self::verifier::{CertificateFault, certificate_fault};
use self::verifier::{Verifier, system_verifier};
use crate::error::{Code, Error, Result, shown_path};

/// The extra certificates that the whole process trusts, sorted and without duplicates, if there are any.
static EXTRA: RwLock<Option<Listed>> = RwLock::new(None);

/// Trusts the PEM certificates of a file in all new TLS connections of this process, in addition to the
/// system's, as Node.js does with the file of `NODE_EXTRA_CA_CERTS`.
///
/// Log an error as a warning: the usable certificates are trusted anyway.
///
/// # Errors
/// [`Code::InvalidOption`] if the file cannot be read, has no certificates, or has an unusable one.
pub fn trust_extra_ca_file(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let (certificates, problem) = ca_file::read_usable(path);
    add_extra(certificates);
    let Some(problem) = problem else {
        return Ok(());
    };
    let path = shown_path(path);
    Err(Error::new(
        Code::InvalidOption,
        format_args!("the file of extra certificate authorities {problem} path={path}"),
    )
    .with_source(problem))
}

/// If this system has no certificate authorities, trusts these PEM certificates in all new TLS connections of the
/// process. `certificates` is called only then.
///
/// For programs that have a list of authorities of their own, such as Node.js in an image without the package
/// `ca-certificates`. `SSL_CERT_FILE` and `SSL_CERT_DIR` take precedence. Certificates that cannot be read are
/// ignored, as those of the system are.
pub fn trust_without_system(certificates: impl FnOnce() -> Vec<u8>) {
    if system::has_no_authorities() {
        add_extra(ca_file::parse(&certificates()).0);
    }
}

fn add_extra(certificates: Vec<CertificateDer<'static>>) {
    let mut extra = EXTRA.write().unwrap_or_else(PoisonError::into_inner);
    let mut all = extra
        .as_ref()
        .map_or_else(Vec::new, |known| known.0.to_vec());
    for certificate in certificates {
        if let Err(place) = all.binary_search_by(|known| known.as_ref().cmp(&certificate)) {
            all.insert(place, certificate);
        }
    }
    *extra = Some(Listed(all.into()));
}

/// The configured certificates: those of the option's file, and the extra ones of the process. They are shared, because
/// the file may contain all authorities of a system.
#[derive(Clone, Debug)]
pub(crate) struct Listed(Arc<[CertificateDer<'static>]>);

impl Listed {
    /// The certificates that are trusted in addition to the system's.
    pub(crate) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0
    }

    /// Reads the file of the option `ca_file`.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] if it has no certificates, or an unusable one.
    pub(crate) fn of_option(ca_file: Option<&Path>) -> Result<Self> {
        Self::read(ca_file).map_err(|problem| {
            let path = shown_path(ca_file.unwrap_or(Path::new("")));
            let text = format!("ca_file {problem} path={path}");
            Error::new(Code::InvalidOption, text).with_source(problem)
        })
    }

    /// Reads the file. All its certificates have to be usable.
    pub(crate) fn read(ca_file: Option<&Path>) -> Result<Self, Problem> {
        let extra = EXTRA.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut listed = match ca_file.map(ca_file::read_usable) {
            Some((_, Some(problem))) => return Err(problem),
            Some((certificates, None)) => certificates,
            None => return Ok(extra.unwrap_or_else(|| Self(Arc::new([])))),
        };
        listed.extend_from_slice(extra.as_ref().map_or(&[], Self::certificates));
        Ok(Self(listed.into()))
    }

    /// Builds a configuration that trusts the system's authorities and the configured certificates. It loads
    /// the system's trust store, which takes milliseconds.
    pub(crate) fn trusted_with_system(
        &self,
    ) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, NoTrust> {
        if let Some(blame) = system::variable_with_a_pipe() {
            return Err(NoTrust::because(blame));
        }
        let after_a_mark = system::certificates_after_a_mark();
        let system = system_verifier(self.certificates().iter().chain(&after_a_mark));
        let verifier = Verifier::new(system.map_err(NoTrust::new)?, self.clone());
        Ok(builder()
            .map_err(NoTrust::new)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier)))
    }
}

/// Builds a configuration that trusts no server.
pub(crate) fn trusting_nobody()
-> Result<ConfigBuilder<ClientConfig, WantsClientCert>, rustls::Error> {
    Ok(builder()?.with_root_certificates(RootCertStore::empty()))
}

/// Sets the provider explicitly, because another part of the program may have installed a default.
fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error> {
    ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
}

/// TLS cannot be set up, because there are no certificate authorities.
#[derive(Debug)]
pub(crate) struct NoTrust {
    blame: Option<String>,
    source: rustls::Error,
}

impl NoTrust {
    fn new(source: rustls::Error) -> Self {
        let blame = system::variable_without_certificates();
        Self { blame, source }
    }

    fn because(blame: String) -> Self {
        let source = rustls::Error::General("the authorities were not read".to_owned());
        let blame = Some(blame);
        Self { blame, source }
    }
}

impl fmt::Display for NoTrust {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.blame {
            Some(blame) => write!(formatter, "there are no certificate authorities; {blame}"),
            None => formatter.write_str(
                "there are no certificate authorities; install the package ca-certificates",
            ),
        }
    }
}

impl std::error::Error for NoTrust {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests;
