//! The client, for one process at a time.

use portier_client::{AuthenticateOptions, Builder, Code, CompleteOptions, Error};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::bridge::{Call, PyNone, catch_panic, without_gil};
use crate::options::{Options, Setup};
use crate::process::{PerProcess, Process};
use crate::store::PythonStore;
use crate::{errors, form, text};

/// A client of the core. Its methods return their result if it is ready at once. Otherwise they return an
/// `asyncio` future, or block if `blocking` is true.
#[pyclass(frozen, module = "portier_client._native")]
pub(crate) struct Client {
    builder: Builder,
    /// The store in the builder, if it is a Python object.
    store: Option<PythonStore>,
    made: PerProcess<portier_client::Client>,
}

impl Client {
    pub(crate) fn from_setup(py: Python<'_>, setup: Setup) -> PyResult<Self> {
        let client = Self {
            builder: setup.builder,
            store: setup.store,
            made: PerProcess::new(),
        };
        // Wrong options are an error of the constructor.
        client.of(py, Process::current())?;
        Ok(client)
    }

    /// The client of the current process. In a child it starts with no pending logins and no
    /// connections.
    pub(crate) fn of(&self, py: Python<'_>, process: Process) -> PyResult<&portier_client::Client> {
        if let Some(client) = self.made.get(process) {
            return Ok(client);
        }
        let client = self.make(py, process)?;
        self.warn_of_fork(py, client, process)?;
        Ok(client)
    }

    /// Makes a flow over the client of the current process. The flow has a client of its own, which may seal logins
    /// that this one would keep in its memory.
    pub(crate) fn for_flow<'a, F>(
        &self,
        py: Python<'_>,
        process: Process,
        make: impl FnOnce(portier_client::Client) -> PyResult<(F, &'a portier_client::Client)>,
    ) -> PyResult<F> {
        let is_first = self.made.get(process).is_none();
        let (flow, client) = make(self.make(py, process)?.clone())?;
        if is_first {
            self.warn_of_fork(py, client, process)?;
        }
        Ok(flow)
    }

    #[cold]
    fn make(&self, py: Python<'_>, process: Process) -> PyResult<&portier_client::Client> {
        self.made
            .get_or_try_init(py, process, || {
                let builder = self.builder.clone();
                // Reading the system's certificates takes milliseconds.
                without_gil(py, || catch_panic(|| builder.build()))
            })
            .map_err(|error| errors::to_python(py, &error))
    }

    /// Warns in a child that logins started in its parent cannot be completed here, nor the reverse.
    fn warn_of_fork(
        &self,
        py: Python<'_>,
        client: &portier_client::Client,
        process: Process,
    ) -> PyResult<()> {
        if client.has_local_store() && self.made.is_inherited(process) {
            py.import("portier_client._processes")?
                .getattr("warn_of_forked_memory_store")?
                .call0()?;
        }
        Ok(())
    }
}

/// A login, as `portier_client._login` takes it.
type LoginTuple = (
    String,
    String,
    Option<String>,
    Option<String>,
    f64,
    Option<f64>,
    bool,
);

pub(crate) fn login(login: portier_client::Login) -> LoginTuple {
    (
        login.email,
        login.email_original,
        login.session,
        login.state,
        login.issued_at,
        login.auth_time,
        login.same_browser,
    )
}

#[pymethods]
impl Client {
    #[new]
    fn new(py: Python<'_>, options: Options) -> PyResult<Self> {
        crate::authorities::trust_certifi(py);
        Self::from_setup(py, options.into_setup(py)?)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.store
            .as_ref()
            .map_or(Ok(()), |store| store.traverse(&visit))
    }

    fn __clear__(&self) {
        if let Some(store) = &self.store {
            store.clear();
        }
    }

    #[getter]
    fn redirect_uri(&self, py: Python<'_>) -> PyResult<&str> {
        Ok(self.of(py, Process::current())?.redirect_uri())
    }

    #[getter]
    fn client_id(&self, py: Python<'_>) -> PyResult<&str> {
        Ok(self.of(py, Process::current())?.client_id())
    }

    #[getter]
    fn broker(&self, py: Python<'_>) -> PyResult<&str> {
        Ok(self.of(py, Process::current())?.broker())
    }

    #[getter]
    fn has_local_store(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.of(py, Process::current())?.has_local_store())
    }

    #[pyo3(signature = (email, state, session, browser, blocking = false, /))]
    fn authenticate<'py>(
        &self,
        py: Python<'py>,
        email: Option<&Bound<'py, PyString>>,
        state: Option<&Bound<'py, PyString>>,
        session: Option<&Bound<'py, PyString>>,
        browser: Option<&Bound<'py, PyString>>,
        blocking: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(py, blocking);
        let client = self.of(py, call.process)?.clone();
        let mut options = AuthenticateOptions::default();
        options.email = text::optional(email, "email", Code::InvalidEmail)?;
        options.state = text::optional(state, "state", Code::InvalidOption)?;
        options.session = text::optional(session, "session", Code::InvalidOption)?;
        options.browser = text::optional(browser, "browser", Code::InvalidOption)?;
        call.run(async move { client.authenticate_with(options).await })
    }

    #[pyo3(signature = (id_token, blocking = false, /))]
    fn verify<'py>(
        &self,
        py: Python<'py>,
        id_token: &Bound<'py, PyString>,
        blocking: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(py, blocking);
        let client = self.of(py, call.process)?.clone();
        let token = text::owned(id_token, "id_token", Code::TokenMalformed)?;
        call.run(async move { client.verify(&token).await })
    }

    #[pyo3(signature = (form, browser, confirmation, blocking = false, /))]
    fn complete<'py>(
        &self,
        py: Python<'py>,
        form: &Bound<'py, PyAny>,
        browser: Option<&Bound<'py, PyString>>,
        confirmation: Option<&Bound<'py, PyString>>,
        blocking: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(py, blocking);
        let client = self.of(py, call.process)?.clone();
        let params = form::callback_params(form)?;
        let browser = text::optional(browser, "browser", Code::InvalidOption)?;
        let confirmation = text::optional(confirmation, "confirmation", Code::InvalidOption)?;
        call.run(async move {
            let mut options = CompleteOptions::default();
            options.browser = browser.as_deref();
            options.confirmation = confirmation.as_deref();
            Ok(login(client.complete_with(params, options).await?))
        })
    }

    #[pyo3(signature = (blocking = false, /))]
    fn discover<'py>(&self, py: Python<'py>, blocking: bool) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(py, blocking);
        let client = self.of(py, call.process)?.clone();
        call.run(async move { client.discover().await })
    }

    #[pyo3(signature = (blocking = false, /))]
    fn keys<'py>(&self, py: Python<'py>, blocking: bool) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(py, blocking);
        let client = self.of(py, call.process)?.clone();
        call.run(async move {
            let keys = client.keys().await?;
            Ok(keys
                .into_iter()
                .map(|key| (key.id, key.algorithm.as_str(), key.bits))
                .collect::<Vec<_>>())
        })
    }

    /// The key set, as the text of a JSON object.
    #[pyo3(signature = (blocking = false, /))]
    fn key_set<'py>(&self, py: Python<'py>, blocking: bool) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(py, blocking);
        let client = self.of(py, call.process)?.clone();
        call.run(async move { client.key_set().await })
    }

    #[pyo3(signature = (blocking = false, /))]
    fn warm<'py>(&self, py: Python<'py>, blocking: bool) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(py, blocking);
        let client = self.of(py, call.process)?.clone();
        call.run(async move {
            client.warm().await?;
            Ok(PyNone(None))
        })
    }

    /// The counters, as the text of a JSON object.
    fn stats(&self, py: Python<'_>) -> PyResult<String> {
        serde_json::to_string(&self.of(py, Process::current())?.stats())
            .map_err(|cause| errors::new(py, Code::Internal, cause))
    }

    /// Takes the requests to the broker that have ended, as the text of a JSON array.
    fn take_requests(&self, py: Python<'_>) -> PyResult<String> {
        serde_json::to_string(&self.of(py, Process::current())?.take_requests())
            .map_err(|cause| errors::new(py, Code::Internal, cause))
    }

    /// The health, as the text of a JSON object.
    fn health<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(py, true);
        let client = self.of(py, call.process)?.clone();
        call.run(async move {
            serde_json::to_string(&client.health())
                .map_err(|cause| Error::new(Code::Internal, cause))
        })
    }
}
