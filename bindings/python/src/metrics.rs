//! Metrics of clients.

use portier_client::{Code, metrics};
use pyo3::prelude::*;

use crate::client::Client;
use crate::errors;
use crate::process::Process;

/// The metrics of clients, by their names, in the text format of Prometheus.
#[pyfunction]
#[pyo3(signature = (clients, /))]
#[expect(
    clippy::needless_pass_by_value,
    reason = "pyo3 makes a list of its own from that of Python"
)]
pub(crate) fn exposition(py: Python<'_>, clients: Vec<(String, Py<Client>)>) -> PyResult<String> {
    Ok(metrics::exposition(opened(py, &clients)?))
}

/// The same, as the text of a JSON array.
#[pyfunction]
#[pyo3(signature = (clients, /))]
#[expect(
    clippy::needless_pass_by_value,
    reason = "pyo3 makes a list of its own from that of Python"
)]
pub(crate) fn collect_metrics(
    py: Python<'_>,
    clients: Vec<(String, Py<Client>)>,
) -> PyResult<String> {
    serde_json::to_string(&metrics::collect(opened(py, &clients)?))
        .map_err(|cause| errors::new(py, Code::Internal, cause))
}

type Named<'a> = (&'a str, &'a portier_client::Client);

fn opened<'a>(py: Python<'_>, clients: &'a [(String, Py<Client>)]) -> PyResult<Vec<Named<'a>>> {
    let process = Process::current();
    let clients = clients.iter();
    clients
        .map(|(name, client)| Ok((name.as_str(), client.get().of(py, process)?)))
        .collect()
}
