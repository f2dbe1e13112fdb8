//! The results of a flow, as tuples.

use std::borrow::Cow;

use portier_client::Error;
use portier_client::web::{Page, Problem, Reply, Step};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyTuple};

use crate::session::Session;
use crate::{cells, client, errors};

/// A problem as the arguments of the class `Problem`.
pub(crate) type ProblemTuple = (
    &'static str,
    u16,
    String,
    String,
    Option<u32>,
    String,
    Option<String>,
    Option<String>,
);

pub(crate) fn problem(problem: Problem) -> ProblemTuple {
    (
        problem.id.as_str(),
        problem.status,
        problem.title,
        problem.text,
        problem.retry_after,
        problem.language,
        problem.typed_email,
        problem.next,
    )
}

/// A step as the tuple that `portier_client.web` takes.
pub(crate) struct StepTuple(pub(crate) Step);

impl<'py> IntoPyObject<'py> for StepTuple {
    type Target = PyTuple;
    type Output = Bound<'py, PyTuple>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        let Step {
            reply,
            login,
            login_cookies,
            session,
            page,
            error,
            ..
        } = self.0;
        let (problem, confirmation) = match page {
            Some(Page::Problem(shown)) => (Some(problem(shown)), None),
            Some(Page::Confirmation(asked)) => {
                (None, Some((asked.email, asked.fields, asked.language)))
            }
            _ => (None, None),
        };
        (
            reply.status,
            headers(py, &reply.headers)?,
            reply.cookies,
            reply.policy,
            reply.body,
            login.map(client::login),
            login_cookies,
            session.map(|session| Session::new(session, None)),
            problem,
            confirmation,
            error.map(|error| portier_error(py, &error)).transpose()?,
        )
            .into_pyobject(py)
    }
}

/// The headers as pairs. Those of every reply are made once.
fn headers<'py>(
    py: Python<'py>,
    headers: &[(&'static str, Cow<'static, str>)],
) -> PyResult<Bound<'py, PyList>> {
    static COMMON: PyOnceLock<Py<PyTuple>> = PyOnceLock::new();

    let make = || Ok(PyTuple::new(py, Reply::COMMON_HEADERS)?.unbind());
    let common = cells::fill(&COMMON, py, make)?;
    let pairs = headers.iter().map(|(name, value)| {
        let mut known = Reply::COMMON_HEADERS.iter();
        match known.position(|header| *header == (*name, &**value)) {
            Some(place) => common.get_item(place),
            None => Ok((*name, &**value).into_pyobject(py)?.into_any()),
        }
    });
    PyList::new(py, pairs.collect::<PyResult<Vec<_>>>()?)
}

/// The exception for an error of a step. An exception of a store that ends the program is raised.
fn portier_error<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    static PORTIER_ERROR: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

    let raised = errors::to_python(py, error);
    let kind = cells::import(&PORTIER_ERROR, py, "portier_client.errors", "PortierError")?;
    let value = raised.value(py).as_any().clone();
    if value.is_instance(kind)? {
        Ok(value)
    } else {
        Err(raised)
    }
}
