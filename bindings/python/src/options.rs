//! The options of a client, from their Python types.

use std::path::PathBuf;
use std::time::Duration;

use portier_client::{Algorithm, Builder, Code, Error, ResponseMode};
use pyo3::prelude::*;

use crate::errors;

/// The keyword arguments of the constructor. The Python class fills in the defaults.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Options {
    redirect_uri: String,
    broker: String,
    store: Option<String>,
    response_mode: String,
    leeway: f64,
    session_ttl: f64,
    timeout: f64,
    algorithms: Vec<String>,
    idp: bool,
    danger_allow_http: bool,
    ca_file: Option<PathBuf>,
    user_agent: Option<String>,
}

impl Options {
    pub(crate) fn into_builder(self, py: Python<'_>) -> PyResult<Builder> {
        self.build().map_err(|error| errors::to_python(py, &error))
    }

    fn build(self) -> Result<Builder, Error> {
        let algorithms = self
            .algorithms
            .iter()
            .map(|name| name.parse())
            .collect::<Result<Vec<Algorithm>, Error>>()?;
        let mut builder = portier_client::Client::builder(self.redirect_uri)
            .broker(self.broker)
            .response_mode(self.response_mode.parse::<ResponseMode>()?)
            .leeway(duration("leeway", self.leeway)?)
            .session_ttl(duration("session_ttl", self.session_ttl)?)
            .timeout(duration("timeout", self.timeout)?)
            .algorithms(algorithms)
            .idp(self.idp)
            .danger_allow_http(self.danger_allow_http);
        if let Some(url) = self.store {
            builder = builder.store_url(url);
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

fn duration(name: &str, seconds: f64) -> Result<Duration, Error> {
    Duration::try_from_secs_f64(seconds).map_err(|cause| {
        Error::new(
            Code::InvalidOption,
            format_args!("{name} is not a length of time given={seconds}"),
        )
        .with_source(cause)
    })
}
