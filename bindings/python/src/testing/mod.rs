//! The compiled part of `portier_client.testing`.

mod broker;
mod mock;
mod store;

use std::time::Duration;

use portier_client::Code;
use pyo3::prelude::*;

pub(crate) use self::broker::{DevBroker, broker_command};
pub(crate) use self::mock::{ManualClock, MockTransport, mock_client};
pub(crate) use self::store::CoreStore;
use crate::bridge::{self, Call, PyNone};
use crate::errors;

/// Panic where a defect in the core would: at the first poll, or at a later one.
#[pyfunction]
#[pyo3(signature = (at_once, /))]
pub(crate) fn panic_in_operation(py: Python<'_>, at_once: bool) -> PyResult<Bound<'_, PyAny>> {
    Call::new(py, false).run(async move {
        if !at_once {
            tokio::task::yield_now().await;
        }
        defect()
    })
}

/// Wait until all background events have been logged; return whether that was in time.
#[pyfunction]
#[pyo3(signature = (timeout, /))]
pub(crate) fn flush_events(py: Python<'_>, timeout: f64) -> PyResult<bool> {
    Ok(bridge::flush_events(py, duration(py, timeout)?))
}

#[expect(clippy::panic, reason = "this is what it is for")]
fn defect() -> portier_client::Result<PyNone> {
    panic!("this panic was asked for")
}

fn duration(py: Python<'_>, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        errors::new(
            py,
            Code::InvalidOption,
            format_args!("not a duration given={seconds}"),
        )
    })
}
