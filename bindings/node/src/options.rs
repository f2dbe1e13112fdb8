//! The options of a client, from their JavaScript types.

use std::time::Duration;

use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use portier_client::{Algorithm, Builder, Code, Error, Flow, ResponseMode, Result};

/// The options of a client; the package has checked their types. What is absent has the default
/// of the core.
#[napi(object, object_to_js = false)]
pub struct Options {
    /// Where the broker sends browsers back to.
    pub redirect_uri: String,
    /// The broker's origin.
    pub broker: Option<String>,
    /// `implicit` or `code`.
    pub flow: Option<String>,
    /// `form_post` or `fragment`.
    pub response_mode: Option<String>,
    /// Milliseconds.
    pub leeway: Option<f64>,
    /// Milliseconds.
    pub session_ttl: Option<f64>,
    /// Milliseconds.
    pub timeout: Option<f64>,
    /// Milliseconds.
    pub store_timeout: Option<f64>,
    /// Seals pending logins. The first one seals, all of them open.
    pub secrets: Option<Vec<Uint8Array>>,
    /// Whether the site has chosen the store.
    pub has_store: bool,
    /// The names of the algorithms to accept.
    pub algorithms: Option<Vec<String>>,
    /// Whether an address may not differ from the one asked for.
    pub idp: Option<bool>,
    /// Whether the broker may be reached over plain `http`.
    pub danger_allow_http: Option<bool>,
    /// A file of certificates.
    pub ca_file: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
}

impl Options {
    pub(crate) fn into_builder(self) -> Result<Builder> {
        let mut builder = portier_client::Client::builder(self.redirect_uri);
        if let Some(broker) = self.broker {
            builder = builder.broker(broker);
        }
        if let Some(flow) = self.flow {
            builder = builder.flow(flow.parse::<Flow>()?);
        }
        if let Some(mode) = self.response_mode {
            builder = builder.response_mode(mode.parse::<ResponseMode>()?);
        }
        if let Some(leeway) = self.leeway {
            builder = builder.leeway(duration("leewayMs", leeway)?);
        }
        if let Some(session_ttl) = self.session_ttl {
            builder = builder.session_ttl(duration("sessionTtlMs", session_ttl)?);
        }
        if let Some(timeout) = self.timeout {
            builder = builder.timeout(duration("timeoutMs", timeout)?);
        }
        if let Some(timeout) = self.store_timeout {
            builder = builder.store_timeout(duration("storeTimeoutMs", timeout)?);
        }
        if let Some(secrets) = self.secrets {
            builder = builder.secrets(secrets.iter().map(|secret| secret.to_vec()));
        }
        if let Some(names) = self.algorithms {
            let algorithms: Result<Vec<Algorithm>> =
                names.iter().map(|name| name.parse()).collect();
            builder = builder.algorithms(algorithms?);
        }
        if let Some(idp) = self.idp {
            builder = builder.idp(idp);
        }
        if let Some(allow) = self.danger_allow_http {
            builder = builder.danger_allow_http(allow);
        }
        if let Some(path) = self.ca_file {
            builder = builder.ca_file(path);
        }
        if let Some(user_agent) = self.user_agent {
            builder = builder.user_agent(user_agent);
        }
        Ok(builder)
    }
}

/// Reads a length of time that JavaScript gave in milliseconds.
pub(crate) fn duration(name: &str, milliseconds: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(milliseconds / 1000.0).map_err(|cause| {
        Error::new(
            Code::InvalidOption,
            format_args!("{name} is not a duration given={milliseconds}"),
        )
        .with_source(cause)
    })
}
