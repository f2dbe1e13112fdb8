//! The session cookie: who is signed in.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use portier_client::web::{self, SessionOptions};
use portier_client::{Code, Result};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::bridge::catch_panic;
use crate::client::Client;
use crate::options::duration;
use crate::process::{PerProcess, Process};
use crate::{errors, text};

/// The options of sessions, as the constructor of a flow or a cookie takes it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Options {
    secrets: Vec<Vec<u8>>,
    max_age: f64,
    absolute_max_age: f64,
}

impl Options {
    pub(crate) fn into_core(self) -> Result<SessionOptions> {
        let mut options = SessionOptions::new(self.secrets);
        options.max_age = duration("max_age", self.max_age)?;
        options.absolute_max_age = duration("absolute_max_age", self.absolute_max_age)?;
        Ok(options)
    }
}

/// A person who is signed in.
///
/// ``repr()`` shows neither the address nor the id, so that they do not get into logs.
#[pyclass(frozen, eq, module = "portier_client.web")]
#[derive(PartialEq)]
pub(crate) struct Session {
    session: web::Session,
    renewal: Option<String>,
}

impl Session {
    pub(crate) fn new(session: web::Session, renewal: Option<String>) -> Self {
        Self { session, renewal }
    }
}

#[pymethods]
impl Session {
    /// The verified address in normalized form. Use it unchanged as the key of the account.
    #[getter]
    fn email(&self) -> &str {
        &self.session.email
    }

    /// The random id of this session, 22 characters. A site can use it to end the session.
    #[getter]
    fn id(&self) -> &str {
        &self.session.id
    }

    /// When the person signed in, in seconds since 1970.
    #[getter]
    fn signed_in_at(&self) -> u64 {
        self.session.signed_in_at
    }

    /// When the session ends unless it is renewed, in seconds since 1970.
    #[getter]
    fn expires_at(&self) -> u64 {
        self.session.expires_at
    }

    /// The ``Set-Cookie`` value that renews the session, to be set on the answer, or ``None``.
    ///
    /// Only :meth:`LoginFlow.session` sets it.
    #[getter]
    fn renewal(&self) -> Option<&str> {
        self.renewal.as_deref()
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.session.id, self.session.expires_at).hash(&mut hasher);
        hasher.finish()
    }

    /// It cannot change, so it needs no copy.
    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (memo, /))]
    fn __deepcopy__(slf: Py<Self>, memo: &Bound<'_, PyAny>) -> Py<Self> {
        let _ = memo;
        slf
    }

    fn __repr__(&self) -> String {
        let web::Session {
            signed_in_at,
            expires_at,
            ..
        } = &self.session;
        format!("<Session signed_in_at={signed_in_at} expires_at={expires_at}>")
    }
}

/// Keeps people signed in with one sealed cookie.
#[pyclass(frozen, module = "portier_client._native")]
pub(crate) struct SessionCookie {
    client: Py<Client>,
    options: SessionOptions,
    made: PerProcess<web::SessionCookie>,
}

impl SessionCookie {
    fn current(&self, py: Python<'_>) -> PyResult<&web::SessionCookie> {
        let process = Process::current();
        match self.made.get(process) {
            Some(cookie) => Ok(cookie),
            None => self.make(py, process),
        }
    }

    #[cold]
    fn make(&self, py: Python<'_>, process: Process) -> PyResult<&web::SessionCookie> {
        let client = self.client.get().of(py, process)?.clone();
        self.made.get_or_try_init(py, process, || {
            checked(py, || web::SessionCookie::new(client, &self.options))
        })
    }
}

#[pymethods]
impl SessionCookie {
    #[new]
    fn new(py: Python<'_>, client: Py<Client>, options: Options) -> PyResult<Self> {
        let cookie = Self {
            client,
            options: checked(py, || options.into_core())?,
            made: PerProcess::new(),
        };
        // Wrong options are an error of the constructor.
        cookie.current(py)?;
        Ok(cookie)
    }

    /// The client's store may refer to this cookie. To break the circle, the client drops its store.
    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        visit.call(&self.client)
    }

    #[pyo3(signature = (email, /))]
    fn start(&self, py: Python<'_>, email: &Bound<'_, PyString>) -> PyResult<(Session, String)> {
        let email = text::borrowed(email, "email", Code::InvalidEmail)?;
        let cookie = self.current(py)?;
        let (session, cookie) = checked(py, || cookie.start(email))?;
        Ok((Session::new(session, None), cookie))
    }

    #[pyo3(signature = (cookie, /))]
    fn read(
        &self,
        py: Python<'_>,
        cookie: Option<&Bound<'_, PyString>>,
    ) -> PyResult<Option<Session>> {
        let Some(cookie) = cookie else {
            return Ok(None);
        };
        let header = cookie.to_string_lossy();
        let cookie = self.current(py)?;
        let session = checked(py, || Ok(cookie.read(Some(&header))))?;
        Ok(session.map(|session| Session::new(session, None)))
    }

    #[pyo3(signature = (session, /))]
    fn renew(&self, py: Python<'_>, session: &Session) -> PyResult<Option<String>> {
        let cookie = self.current(py)?;
        checked(py, || cookie.renew(&session.session))
    }

    fn clear(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.current(py)?.clear())
    }
}

/// Does work of the core; its errors and panics become exceptions.
pub(crate) fn checked<T>(py: Python<'_>, work: impl FnOnce() -> Result<T>) -> PyResult<T> {
    catch_panic(work).map_err(|error| errors::to_python(py, &error))
}
