//! The development broker.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portier_client::testing::{
    self, BrokerCommand, DevBrokerOptions, Fault, KeyChoice, MintOptions, SignInOptions,
    run_broker_command,
};
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
            options.clock = Some(clock.shared());
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

    #[getter]
    fn now(&self) -> f64 {
        let now = self.0.now().duration_since(UNIX_EPOCH);
        now.unwrap_or_default().as_secs_f64()
    }

    /// The time is in seconds since 1970.
    #[pyo3(signature = (at, /))]
    fn freeze_time(&self, py: Python<'_>, at: Option<f64>) -> PyResult<()> {
        let at = at.map(|at| unix_time(at).map_err(raise(py))).transpose()?;
        self.0.freeze_time(at).map_err(raise(py))
    }

    #[pyo3(signature = (by, /))]
    fn advance_time(&self, py: Python<'_>, by: f64) -> PyResult<()> {
        self.0.advance_time(duration(py, by)?).map_err(raise(py))
    }

    fn resume_time(&self) {
        self.0.resume_time();
    }

    #[pyo3(signature = (pattern, mode, /))]
    fn set_account(&self, py: Python<'_>, pattern: &str, mode: &str) -> PyResult<()> {
        let mode = mode.parse().map_err(raise(py))?;
        self.0.set_account(pattern, mode).map_err(raise(py))
    }

    #[pyo3(signature = (modes, /))]
    #[expect(clippy::needless_pass_by_value, reason = "it is converted from a list")]
    fn next_logins(&self, py: Python<'_>, modes: Vec<String>) -> PyResult<()> {
        let modes: Result<Vec<_>> = modes.iter().map(|mode| mode.parse()).collect();
        self.0.next_logins(modes.map_err(raise(py))?);
        Ok(())
    }

    #[pyo3(signature = (reachable, /))]
    fn set_reachable(&self, reachable: bool) {
        self.0.set_reachable(reachable);
    }

    /// Each mail's address, site, code, link and time in seconds since 1970.
    fn inbox(&self) -> Vec<(String, String, String, String, f64)> {
        let mails = self.0.inbox().into_iter();
        mails
            .map(|mail| {
                let sent_at = mail.sent_at.duration_since(UNIX_EPOCH).unwrap_or_default();
                (
                    mail.to,
                    mail.site,
                    mail.code,
                    mail.link,
                    sent_at.as_secs_f64(),
                )
            })
            .collect()
    }

    fn clear_inbox(&self) {
        self.0.clear_inbox();
    }

    fn reset(&self) {
        self.0.reset();
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
    #[pyo3(signature = (url, mode, email, /))]
    fn sign_in(
        &self,
        py: Python<'_>,
        url: &str,
        mode: &str,
        email: Option<String>,
    ) -> PyResult<Vec<(String, String)>> {
        let mode = mode.parse().map_err(raise(py))?;
        let options = SignInOptions { mode, email };
        without_gil(py, || self.0.sign_in_with(url, &options)).map(|(_, fields)| fields)
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

/// Starts a broker by a command line; returns it, the exit status, the output and the complaint.
#[pyfunction]
#[pyo3(signature = (arguments, /))]
pub(crate) fn broker_command(
    py: Python<'_>,
    arguments: Vec<OsString>,
) -> (Option<DevBroker>, u8, String, String) {
    let variable = |name: &str| std::env::var(name).ok();
    match bridge::without_gil(py, || run_broker_command(arguments, variable)) {
        BrokerCommand::Started(broker) => {
            (Some(DevBroker(broker)), 0, String::new(), String::new())
        }
        BrokerCommand::Ended {
            status,
            output,
            complaint,
        } => (None, status, output, complaint),
    }
}

fn unix_time(seconds: f64) -> Result<SystemTime> {
    let since = Duration::try_from_secs_f64(seconds).ok();
    let time = since.and_then(|since| UNIX_EPOCH.checked_add(since));
    time.ok_or_else(|| Error::new(Code::InvalidOption, "the time is out of range"))
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
