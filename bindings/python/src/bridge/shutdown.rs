//! The end of the interpreter.

use pyo3::prelude::*;

use super::attach_gate::AttachGate;
use super::runtime::Bridge;
use crate::process::Process;

/// Ends all threads of this process; Python calls this when it is about to exit.
///
/// A thread that uses Python while the interpreter is finalized crashes it.
#[pyfunction]
pub(crate) fn shutdown(py: Python<'_>) {
    let bridge = Bridge::current();
    if let Some(bridge) = bridge {
        bridge.close();
    }
    let gate = AttachGate::of(py, Process::current());
    // Detached, because the others may have to attach once more before they can end.
    py.detach(move || {
        if let Some(bridge) = bridge {
            bridge.end();
        }
        gate.close();
    });
}
