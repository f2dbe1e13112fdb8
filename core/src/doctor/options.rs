//! What the doctor is told about a site.

use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use crate::builder::Builder;
use crate::client::Client;
use crate::error::Result;
use crate::http::{HttpOptions, HttpTransport};
use crate::origin::Origin;
use crate::tls::Listed;

/// How long each request of the doctor may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the doctor is told about a site; the same values as for its [`Client`].
#[derive(Clone)]
#[non_exhaustive]
pub struct DoctorOptions {
    /// The redirect URI of the site.
    pub redirect_uri: String,
    /// The broker's origin; by default the public broker.
    pub broker: Option<String>,
    /// The URL of the store; by default the memory of the process.
    pub store: Option<String>,
    /// Whether the site gives its clients a secret, so that pending logins need no store.
    pub has_secret: bool,
    /// The secret itself, to check that it is good enough; it is not shown.
    pub secret: Option<String>,
    /// The URL of the site's page with the login form. The site has to run.
    pub login_page: Option<String>,
    /// A file of certificate authorities, as for the client.
    pub ca_file: Option<PathBuf>,
    /// Whether a broker with plain `http` is allowed, as for the client.
    pub danger_allow_http: bool,
    /// How many processes serve the site, if known.
    pub processes: Option<u32>,
    /// Whether to send nothing over the network, except to the store.
    pub offline: bool,
    /// Names and versions to show beside the version of this library.
    pub versions: Vec<(String, String)>,
    /// The certificates of `ca_file`. A pipe can be read only once.
    pub(super) listed: OnceLock<Listed>,
}

impl DoctorOptions {
    /// The options with their defaults.
    pub fn new(redirect_uri: impl Into<String>) -> Self {
        Self {
            redirect_uri: redirect_uri.into(),
            broker: None,
            store: None,
            has_secret: false,
            secret: None,
            login_page: None,
            ca_file: None,
            danger_allow_http: false,
            processes: None,
            offline: false,
            versions: Vec::new(),
            listed: OnceLock::new(),
        }
    }

    /// A client of the site that keeps its logins in memory.
    pub(super) fn client(&self) -> Result<Client> {
        self.builder()?.build()
    }

    /// Whether the site may use its secret.
    pub(super) fn check_secret(&self) -> Result<()> {
        let Some(secret) = &self.secret else {
            return Ok(());
        };
        self.builder()?.secret(secret.as_str()).build().map(drop)
    }

    /// The certificates to trust in addition to the system's.
    pub(super) fn listed(&self) -> Result<Listed> {
        if let Some(listed) = self.listed.get() {
            return Ok(listed.clone());
        }
        let listed = Listed::of_option(self.ca_file.as_deref())?;
        Ok(self.listed.get_or_init(|| listed).clone())
    }

    fn builder(&self) -> Result<Builder> {
        let mut builder = Client::builder(&self.redirect_uri)
            .danger_allow_http(self.danger_allow_http)
            .timeout(PATIENCE)
            .listed(self.listed()?);
        if let Some(broker) = &self.broker {
            builder = builder.broker(broker);
        }
        Ok(builder)
    }

    /// A transport to the site.
    pub(super) fn transport(&self, server: Origin) -> Result<HttpTransport> {
        HttpTransport::new(HttpOptions {
            timeout: PATIENCE,
            broker: server,
            danger_allow_http: true,
            listed: self.listed()?,
            user_agent: None,
        })
    }
}

impl fmt::Debug for DoctorOptions {
    /// Omits the secret, and the URL of the store, which may contain a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DoctorOptions")
            .field("redirect_uri", &self.redirect_uri)
            .field("broker", &self.broker)
            .finish_non_exhaustive()
    }
}
