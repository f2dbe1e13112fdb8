//! A call whose caller blocks.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use futures_util::future::abortable;
use pyo3::prelude::*;

use super::output::{Output, to_python};
use crate::bridge::attach_gate::{AttachGate, shutting_down};
use crate::bridge::host_callback::{Caller, WaitingOperation, copy_context};
use crate::bridge::messages::{BlockingMessage, CallSite};
use crate::bridge::panics::CatchPanic;
use crate::bridge::runtime::Bridge;
use crate::process::Process;

/// How often a blocking call lets Python check for signals.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// Starts an operation that has to wait, and waits for its result.
pub(super) fn block<'py, T: Output>(
    py: Python<'py>,
    bridge: &'static Bridge,
    operation: CatchPanic<T>,
) -> PyResult<Bound<'py, PyAny>> {
    let gate = AttachGate::of(py, Process::current());
    if gate.is_closed() {
        return Err(shutting_down());
    }
    let (sender, mut messages) = mpsc::channel();
    let operation = WaitingOperation::new(
        operation,
        Caller::Thread(sender.clone()),
        &copy_context(py)?,
    );
    let (operation, abort) = abortable(operation);
    bridge.start_here(Box::pin(async move {
        let Ok((outcome, context)) = operation.await else {
            return;
        };
        // There is no receiver any more if a signal has ended the call.
        let _ = sender.send(BlockingMessage::Completed(Box::new(move |py| {
            drop(context);
            to_python(py, outcome)
        })));
    }));
    loop {
        let (message, permit);
        (message, permit, messages) = py.detach(move || {
            let message = messages.recv_timeout(SIGNAL_INTERVAL);
            (message, gate.enter(), messages)
        });
        match message {
            Ok(BlockingMessage::Completed(convert)) => return convert(py),
            Ok(BlockingMessage::HostCallback(callback)) => {
                // The end of the interpreter does not wait for a site's code, which may be slow.
                drop(permit);
                callback(py, CallSite::Thread).inspect_err(|_| abort.abort())?;
            }
            Err(RecvTimeoutError::Timeout) => {
                drop(permit);
                py.check_signals().inspect_err(|_| abort.abort())?;
            }
            Err(RecvTimeoutError::Disconnected) => return Err(shutting_down()),
        }
    }
}
