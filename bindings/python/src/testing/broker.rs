//! The development broker.

use std::collections::BTreeMap;

use portier_client::testing::{self, DevBrokerOptions, Fault, KeyChoice, MintOptions};
use portier_client::{Algorithm, Code, Error, Result};
use pyo3::prelude::*;

use super::duration;
use super::mock::ManualClock;
use crate::{bridge, errors};

/// The development broker of the core. Signing and generating keys take long, so that other
/// threads run meanwhile.
#[pyclass(frozen, module = "portier_client._native")]
pub(crate) struct DevBroker(testing::DevBroker);

#[pymethods]
impl DevBroker {
    #[new]
    #[pyo3(signature = (host, port, origin, mode, keys_lifetime, clock, /))]
    fn new(
        py: Python<'_>,
        host: &str,
        port: u16,
        origin: Option<String>,
        mode: &str,
        keys_lifetime: f64,
        clock: Option<&ManualClock>,
    ) -> PyResult<Self> {
        let mut options = DevBrokerOptions {
            host: DevBrokerOptions::parse_host(host).map_err(raise(py))?,
            port,
            origin,
            mode: mode.parse().map_err(raise(py))?,
            keys_lifetime: duration(py, keys_lifetime)?,
            ..DevBrokerOptions::default()
        };
        if let Some(clock) = clock {
            options.clock = clock.shared();
        }
        without_gil(py, || testing::DevBroker::spawn(options)).map(Self)
    }

    #[getter]
    fn origin(&self) -> &str {
        self.0.origin()
    }

    #[getter]
    fn port(&self) -> u16 {
        self.0.port()
    }

    #[getter]
    fn banner(&self) -> String {
        self.0.banner()
    }

    #[pyo3(signature = (mode, /))]
    fn set_mode(&self, py: Python<'_>, mode: &str) -> PyResult<()> {
        self.0.set_mode(mode.parse().map_err(raise(py))?);
        Ok(())
    }

    fn requests(&self) -> BTreeMap<String, u64> {
        self.0.requests()
    }

    #[pyo3(signature = (path, requests, status, delay, headers, body, /))]
    #[expect(
        clippy::too_many_arguments,
        reason = "the Python class gives them names"
    )]
    fn fail_next(
        &self,
        py: Python<'_>,
        path: &str,
        requests: u32,
        status: Option<u16>,
        delay: f64,
        headers: Vec<(String, String)>,
        body: Option<String>,
    ) -> PyResult<()> {
        let fault = Fault {
            delay: duration(py, delay)?,
            status,
            headers,
            body,
        };
        self.0.fail_next(path, requests, fault);
        Ok(())
    }

    #[pyo3(signature = (path, /))]
    fn hold(&self, path: &str) {
        self.0.hold(path);
    }

    #[pyo3(signature = (path, /))]
    fn release(&self, path: &str) {
        self.0.release(path);
    }

    fn rotate_keys(&self, py: Python<'_>) -> PyResult<()> {
        without_gil(py, || self.0.rotate_keys())
    }

    fn forget_keys(&self, py: Python<'_>) -> PyResult<()> {
        without_gil(py, || self.0.forget_keys())
    }

    #[pyo3(signature = (key, algorithm, /))]
    fn key_id(&self, py: Python<'_>, key: &str, algorithm: &str) -> PyResult<String> {
        let key = key_choice(key).map_err(raise(py))?;
        let algorithm: Algorithm = algorithm.parse().map_err(raise(py))?;
        without_gil(py, || self.0.key_id(key, algorithm))
    }

    /// Signs a token; the options are the text of a JSON object.
    #[pyo3(signature = (options, /))]
    fn mint(&self, py: Python<'_>, options: &str) -> PyResult<String> {
        without_gil(py, || self.0.mint(&MintOptions::from_json(options)?))
    }

    /// What the browser brings back, as names and values.
    #[pyo3(signature = (url, /))]
    fn sign_in(&self, py: Python<'_>, url: &str) -> PyResult<Vec<(String, String)>> {
        without_gil(py, || self.0.sign_in(url)).map(|(_, fields)| fields)
    }

    /// Seconds; for benchmarks.
    #[pyo3(signature = (tokens, /))]
    fn time_signatures(&self, py: Python<'_>, tokens: Vec<String>) -> PyResult<f64> {
        without_gil(py, move || self.0.time_signatures(&tokens)).map(|time| time.as_secs_f64())
    }

    fn stop(&self, py: Python<'_>) {
        bridge::without_gil(py, || self.0.stop());
    }
}

fn key_choice(name: &str) -> Result<KeyChoice> {
    serde_json::from_value(name.into())
        .map_err(|cause| Error::new(Code::InvalidOption, "no such key").with_source(cause))
}

fn without_gil<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
    bridge::without_gil(py, work).map_err(raise(py))
}

fn raise(py: Python<'_>) -> impl Fn(Error) -> PyErr {
    move |error| errors::to_python(py, &error)
}
