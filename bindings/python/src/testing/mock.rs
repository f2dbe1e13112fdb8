//! A client whose time, randomness and network a test controls.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use portier_client::testing::{self, ManualRandom};
use portier_client::{Clock as _, Code, Error};
use pyo3::prelude::*;

use super::duration;
use crate::client::Client;
use crate::errors;
use crate::options::Options;

/// A clock that stands still until a test moves it. Times are in seconds since 1970.
#[pyclass(frozen, module = "portier_client._native")]
pub(crate) struct ManualClock(Arc<testing::ManualClock>);

impl ManualClock {
    pub(super) fn shared(&self) -> Arc<testing::ManualClock> {
        Arc::clone(&self.0)
    }
}

#[pymethods]
impl ManualClock {
    /// Make a clock that shows ``now``.
    #[new]
    #[pyo3(signature = (now, /))]
    fn new(py: Python<'_>, now: f64) -> PyResult<Self> {
        let now = UNIX_EPOCH + duration(py, now)?;
        Ok(Self(Arc::new(testing::ManualClock::new(now))))
    }

    /// What the clock shows.
    #[getter]
    fn now(&self) -> f64 {
        let since = self.0.now().duration_since(UNIX_EPOCH);
        since.unwrap_or_default().as_secs_f64()
    }

    /// Move the clock forward by a number of seconds.
    #[pyo3(signature = (seconds, /))]
    fn advance(&self, py: Python<'_>, seconds: f64) -> PyResult<()> {
        self.0.advance(duration(py, seconds)?);
        Ok(())
    }

    /// Set the clock, like an administrator who corrects the time.
    #[pyo3(signature = (now, /))]
    fn set(&self, py: Python<'_>, now: f64) -> PyResult<()> {
        self.0.set(UNIX_EPOCH + duration(py, now)?);
        Ok(())
    }
}

/// A network that answers from memory; an unknown URL is answered with 404.
#[pyclass(frozen, module = "portier_client._native")]
pub(crate) struct MockTransport(Arc<testing::MockTransport>);

#[pymethods]
impl MockTransport {
    /// Make a network without responses.
    #[new]
    fn new() -> Self {
        Self(Arc::new(testing::MockTransport::new()))
    }

    /// Answer requests for ``url`` with this from now on.
    ///
    /// ``body`` is ``str`` or ``bytes``; headers are pairs of names and values.
    #[pyo3(signature = (url, body, *, status = 200, headers = Vec::new()))]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "this is what pyo3 converts to"
    )]
    fn respond(
        &self,
        py: Python<'_>,
        url: &str,
        body: Body,
        status: u16,
        headers: Vec<(String, String)>,
    ) -> PyResult<()> {
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.0
            .respond(url, status, &headers, body.into_bytes())
            .map_err(|error| errors::to_python(py, &error))
    }

    /// Fail requests for ``url`` as if the broker could not be reached.
    #[pyo3(signature = (url, /))]
    fn fail(&self, url: &str) {
        let error = Error::new(Code::BrokerUnreachable, "the test said so");
        self.0.fail(url, error);
    }

    /// How often ``url`` was requested.
    #[pyo3(signature = (url, /))]
    fn requests(&self, url: &str) -> usize {
        self.0.requests(url)
    }

    /// Let requests wait from now on.
    fn hold(&self) {
        self.0.hold();
    }

    /// Answer the waiting requests.
    fn release(&self) {
        self.0.release();
    }
}

/// The parts of a response.
#[derive(FromPyObject)]
enum Body {
    #[pyo3(annotation = "str")]
    Text(String),
    #[pyo3(annotation = "bytes")]
    Bytes(Vec<u8>),
}

impl Body {
    fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// Make a client with the given time, randomness and network.
#[pyfunction]
#[pyo3(signature = (options, clock, random, transport, /))]
pub(crate) fn mock_client(
    py: Python<'_>,
    options: Options,
    clock: &ManualClock,
    random: Vec<Vec<u8>>,
    transport: &MockTransport,
) -> PyResult<Client> {
    let mut setup = options.into_setup(py)?;
    setup.builder = setup
        .builder
        .clock(clock.shared())
        .random(Arc::new(ManualRandom::new(random)))
        .transport(Arc::clone(&transport.0) as Arc<dyn portier_client::Transport>);
    Client::from_setup(py, setup)
}
