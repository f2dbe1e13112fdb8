//! The web side of a login.

use std::collections::BTreeMap;

use portier_client::web::{self, Body, FlowOptions, MAX_FORM_BYTES, WebRequest};
use portier_client::{Code, Error, Flow};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};

use crate::bridge::{Call, catch_panic};
use crate::client::Client;
use crate::process::{PerProcess, Process};
use crate::session::{self, Session};
use crate::step::{ProblemTuple, StepTuple, problem};
use crate::{errors, form, text};

/// The keyword arguments of the constructor. The Python class fills in the defaults.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Options {
    flow: String,
    browser_binding: String,
    login_url: Option<String>,
    default_next: Option<String>,
    allowed_hosts: Vec<String>,
    identity_providers: Vec<String>,
    callback_path: Option<String>,
    form_token_checked: bool,
    languages: Vec<String>,
    texts: BTreeMap<String, BTreeMap<String, String>>,
    session: Option<session::Options>,
}

impl Options {
    fn into_core(self) -> portier_client::Result<FlowOptions> {
        let mut options = FlowOptions::default();
        options.flow = flow(&self.flow)?;
        options.browser_binding = self.browser_binding.parse()?;
        options.login_url = self.login_url;
        options.default_next = self.default_next;
        options.allowed_hosts = self.allowed_hosts;
        options.identity_providers = self.identity_providers;
        options.callback_path = self.callback_path;
        options.form_token_checked = self.form_token_checked;
        options.languages = self.languages;
        options.texts = self.texts;
        options.session = self.session.map(session::Options::into_core).transpose()?;
        Ok(options)
    }
}

/// `None` for the code flow where it is possible.
fn flow(name: &str) -> portier_client::Result<Option<Flow>> {
    if name == "auto" {
        return Ok(None);
    }
    name.parse().map(Some).map_err(|_| {
        let problem = "flow is none of auto, implicit, code";
        Error::new(Code::InvalidOption, problem)
    })
}

/// The web side of a client's logins. Its methods return their result if it is ready at once. Otherwise they
/// return an `asyncio` future, or block if `blocking` is true.
#[pyclass(frozen, module = "portier_client._native")]
pub(crate) struct LoginFlow {
    client: Py<Client>,
    options: FlowOptions,
    made: PerProcess<web::LoginFlow>,
}

impl LoginFlow {
    /// The flow of the current process, over the client of that process.
    fn of(&self, py: Python<'_>, process: Process) -> PyResult<&web::LoginFlow> {
        if let Some(flow) = self.made.get(process) {
            return Ok(flow);
        }
        self.client.get().for_flow(py, process, |client| {
            let make = || catch_panic(|| web::LoginFlow::new(client, self.options.clone()));
            let flow = self.made.get_or_try_init(py, process, make);
            let flow = flow.map_err(|error| errors::to_python(py, &error))?;
            Ok((flow, flow.client()))
        })
    }

    fn current(&self, py: Python<'_>) -> PyResult<&web::LoginFlow> {
        self.of(py, Process::current())
    }

    fn refuse<'py>(
        &self,
        py: Python<'py>,
        method: &Bound<'py, PyString>,
        headers: &Bound<'py, PyList>,
        step: impl FnOnce(&web::LoginFlow, &WebRequest) -> web::Step + Send + 'static,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(py, true);
        let flow = self.of(py, call.process)?.clone();
        let request = request(method, headers, false, Body::Empty)?;
        call.run(async move { Ok(StepTuple(step(&flow, &request))) })
    }
}

#[pymethods]
impl LoginFlow {
    #[new]
    fn new(py: Python<'_>, client: Py<Client>, options: Options) -> PyResult<Self> {
        let options = options.into_core();
        let flow = Self {
            client,
            options: options.map_err(|error| errors::to_python(py, &error))?,
            made: PerProcess::new(),
        };
        // Wrong options are an error of the constructor.
        flow.current(py)?;
        Ok(flow)
    }

    /// The client's store may refer to this flow. To break the circle, the client drops its store.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.client)
    }

    #[pyo3(signature = (method, headers, form_token_checked, body, blocking = false, /))]
    fn login<'py>(
        &self,
        py: Python<'py>,
        method: &Bound<'py, PyString>,
        headers: &Bound<'py, PyList>,
        form_token_checked: bool,
        body: &Bound<'py, PyAny>,
        blocking: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(py, blocking);
        let flow = self.of(py, call.process)?.clone();
        let request = request(method, headers, form_token_checked, body_of(body)?)?;
        call.run(async move { Ok(StepTuple(flow.login(request).await)) })
    }

    #[pyo3(signature = (method, headers, email, next, blocking = false, /))]
    fn start<'py>(
        &self,
        py: Python<'py>,
        method: &Bound<'py, PyString>,
        headers: &Bound<'py, PyList>,
        email: &Bound<'py, PyString>,
        next: &Bound<'py, PyString>,
        blocking: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(py, blocking);
        let flow = self.of(py, call.process)?.clone();
        let request = request(method, headers, false, Body::Empty)?;
        let email = form::utf_8(email).unwrap_or_default();
        let next = form::utf_8(next).unwrap_or_default();
        call.run(async move { Ok(StepTuple(flow.start(request, &email, &next).await)) })
    }

    #[pyo3(signature = (method, headers, form_token_checked, body, query, blocking = false, /))]
    #[expect(
        clippy::too_many_arguments,
        reason = "the facts of a request, each as Python has it"
    )]
    fn callback<'py>(
        &self,
        py: Python<'py>,
        method: &Bound<'py, PyString>,
        headers: &Bound<'py, PyList>,
        form_token_checked: bool,
        body: &Bound<'py, PyAny>,
        query: Option<&Bound<'py, PyString>>,
        blocking: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(py, blocking);
        let flow = self.of(py, call.process)?.clone();
        let mut request = request(method, headers, form_token_checked, body_of(body)?)?;
        if let Some(query) = query {
            request = request.with_query(query.to_string_lossy());
        }
        call.run(async move { Ok(StepTuple(flow.callback(request).await)) })
    }

    /// The session in a header `Cookie`.
    #[pyo3(signature = (cookie, /))]
    fn session(
        &self,
        py: Python<'_>,
        cookie: Option<&Bound<'_, PyString>>,
    ) -> PyResult<Option<Session>> {
        let Some(cookie) = cookie else {
            return Ok(None);
        };
        let flow = self.current(py)?;
        let mut request = WebRequest::new("GET", Body::Empty);
        request.set_header("cookie", &cookie.to_string_lossy());
        let visit = session::checked(py, || Ok(flow.session(&request)))?;
        Ok(visit.map(|visit| Session::new(visit.session, visit.renewal)))
    }

    #[pyo3(signature = (email, /))]
    fn start_session(
        &self,
        py: Python<'_>,
        email: &Bound<'_, PyString>,
    ) -> PyResult<(Session, String)> {
        let flow = self.current(py)?;
        let email = text::owned(email, "email", Code::InvalidEmail)?;
        let (session, cookie) = session::checked(py, || flow.start_session(&email))?;
        Ok((Session::new(session, None), cookie))
    }

    #[pyo3(signature = (method, headers, page, /))]
    fn require_login<'py>(
        &self,
        py: Python<'py>,
        method: &Bound<'py, PyString>,
        headers: &Bound<'py, PyList>,
        page: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(py, true);
        let flow = self.of(py, call.process)?.clone();
        let request = request(method, headers, false, Body::Empty)?;
        let page = form::utf_8(page).unwrap_or_default();
        call.run(async move { Ok(StepTuple(flow.require_login(&request, &page))) })
    }

    #[pyo3(signature = (method, headers, form_token_checked, /))]
    fn logout<'py>(
        &self,
        py: Python<'py>,
        method: &Bound<'py, PyString>,
        headers: &Bound<'py, PyList>,
        form_token_checked: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(py, true);
        let flow = self.of(py, call.process)?.clone();
        let request = request(method, headers, form_token_checked, Body::Empty)?;
        call.run(async move { Ok(StepTuple(flow.logout(request))) })
    }

    #[pyo3(signature = (method, headers, /))]
    fn health<'py>(
        &self,
        py: Python<'py>,
        method: &Bound<'py, PyString>,
        headers: &Bound<'py, PyList>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::new(py, true);
        let flow = self.of(py, call.process)?.clone();
        let request = request(method, headers, false, Body::Empty)?;
        call.run(async move { Ok(StepTuple(flow.health(&request))) })
    }

    /// Answers a request that was refused outside of the flow, with the error of a code.
    #[pyo3(signature = (method, headers, code, message, /))]
    fn refuse_login<'py>(
        &self,
        py: Python<'py>,
        method: &Bound<'py, PyString>,
        headers: &Bound<'py, PyList>,
        code: &str,
        message: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let error = Error::new(code_named(code), message);
        self.refuse(py, method, headers, move |flow, request| {
            flow.refuse_login(request, error)
        })
    }

    /// Answers a completed login whose person the site does not sign in, with the error of a code.
    #[pyo3(signature = (method, headers, code, message, /))]
    fn refuse_account<'py>(
        &self,
        py: Python<'py>,
        method: &Bound<'py, PyString>,
        headers: &Bound<'py, PyList>,
        code: &str,
        message: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let error = Error::new(code_named(code), message);
        self.refuse(py, method, headers, move |flow, request| {
            flow.refuse_account(request, error)
        })
    }

    #[getter]
    fn callback_path(&self, py: Python<'_>) -> PyResult<&str> {
        Ok(self.current(py)?.callback_path())
    }

    #[getter]
    fn form_policy(&self, py: Python<'_>) -> PyResult<&str> {
        Ok(self.current(py)?.form_policy())
    }

    #[getter]
    fn form_targets(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.current(py)?.form_targets().to_vec())
    }

    /// The text for a person about an error with a code, and with an `error` of the broker.
    #[pyo3(signature = (code, broker_error, accept_language, /))]
    fn explain(
        &self,
        py: Python<'_>,
        code: &str,
        broker_error: Option<&str>,
        accept_language: Option<&str>,
    ) -> PyResult<ProblemTuple> {
        let explained = self
            .current(py)?
            .explain(code_named(code), broker_error, accept_language);
        Ok(problem(explained))
    }

    #[getter]
    fn is_secure(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.current(py)?.is_secure())
    }
}

/// The path in the target of a request line, which may be a path with a query, or an absolute URL.
#[pyfunction]
#[pyo3(signature = (target, /))]
pub(crate) fn target_path(target: &Bound<'_, PyString>) -> String {
    web::target_path(&target.to_string_lossy()).to_owned()
}

/// The code of a name. An unknown name is a defect of the site.
fn code_named(name: &str) -> Code {
    let mut codes = Code::ALL.iter().copied();
    codes
        .find(|code| code.as_str() == name)
        .unwrap_or(Code::Internal)
}

/// A request, whose headers are in the order of [`WebRequest::HEADERS`].
fn request(
    method: &Bound<'_, PyString>,
    headers: &Bound<'_, PyList>,
    form_token_checked: bool,
    body: Body,
) -> PyResult<WebRequest> {
    let mut request =
        WebRequest::new(method.to_string_lossy(), body).with_checked_form_token(form_token_checked);
    for (name, value) in WebRequest::HEADERS.into_iter().zip(headers) {
        if !value.is_none() {
            request.set_header(name, &value.cast::<PyString>()?.to_string_lossy());
        }
    }
    Ok(request)
}

/// A body: bytes, a form that was parsed already, or `None` if it was read by other code.
fn body_of(body: &Bound<'_, PyAny>) -> PyResult<Body> {
    if body.is_none() {
        return Ok(Body::Unreadable);
    }
    let Ok(bytes) = body.cast::<PyBytes>() else {
        return form::fields(body).map(Body::Fields);
    };
    let bytes = bytes.as_bytes();
    Ok(if bytes.len() > MAX_FORM_BYTES {
        Body::TooLarge
    } else {
        Body::Bytes(bytes.to_vec())
    })
}
