//! The options of a client, from their Python types.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use portier_client::{Algorithm, Builder, Code, Error, Flow, ResponseMode};
use pyo3::prelude::*;

use crate::errors;
use crate::store::PythonStore;

/// The keyword arguments of the constructor. The Python class fills in the defaults.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Options {
    redirect_uri: String,
    broker: String,
    store: Option<StoreOption>,
    flow: String,
    response_mode: String,
    leeway: f64,
    session_ttl: f64,
    timeout: f64,
    store_timeout: f64,
    secrets: Option<Vec<Vec<u8>>>,
    algorithms: Vec<String>,
    idp: bool,
    danger_allow_http: bool,
    ca_file: Option<PathBuf>,
    user_agent: Option<String>,
}

/// The option `store`: a URL, or an object with the methods of a store.
#[derive(FromPyObject)]
enum StoreOption {
    Url(String),
    Object(Py<PyAny>),
}

/// The parts of a client.
pub(crate) struct Setup {
    pub(crate) builder: Builder,
    /// The store in the builder, if it is a Python object.
    pub(crate) store: Option<PythonStore>,
}

impl Options {
    pub(crate) fn into_setup(mut self, py: Python<'_>) -> PyResult<Setup> {
        let store = self.store.take();
        let mut builder = self
            .into_builder()
            .map_err(|error| errors::to_python(py, &error))?;
        let mut python_store = None;
        match store {
            None => {}
            Some(StoreOption::Url(url)) => builder = builder.store_url(url),
            Some(StoreOption::Object(object)) => {
                let store = PythonStore::new(object.bind(py))?;
                builder = builder.store(Arc::new(store.clone()));
                python_store = Some(store);
            }
        }
        Ok(Setup {
            builder,
            store: python_store,
        })
    }

    fn into_builder(self) -> Result<Builder, Error> {
        let algorithms = self
            .algorithms
            .iter()
            .map(|name| name.parse())
            .collect::<Result<Vec<Algorithm>, Error>>()?;
        let mut builder = portier_client::Client::builder(self.redirect_uri)
            .broker(self.broker)
            .flow(self.flow.parse::<Flow>()?)
            .response_mode(self.response_mode.parse::<ResponseMode>()?)
            .leeway(duration("leeway", self.leeway)?)
            .session_ttl(duration("session_ttl", self.session_ttl)?)
            .timeout(duration("timeout", self.timeout)?)
            .store_timeout(duration("store_timeout", self.store_timeout)?)
            .algorithms(algorithms)
            .idp(self.idp)
            .danger_allow_http(self.danger_allow_http);
        if let Some(secrets) = self.secrets {
            builder = builder.secrets(secrets);
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

pub(crate) fn duration(name: &str, seconds: f64) -> Result<Duration, Error> {
    Duration::try_from_secs_f64(seconds).map_err(|cause| {
        Error::new(
            Code::InvalidOption,
            format_args!("{name} is not a duration given={seconds}"),
        )
        .with_source(cause)
    })
}
