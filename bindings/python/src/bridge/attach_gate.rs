//! How threads that waited without the interpreter attach to it again, or stay away.
//!
//! Before `CPython` 3.14, a thread that attaches while the interpreter is being finalized is ended
//! by unwinding its stack. Rust code on that stack then aborts the process. So such a thread waits
//! for ever, and finalization waits for threads that are attaching.

use std::convert::Infallible;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::process::{PerProcess, Process};

static GATE: PerProcess<AttachGate> = PerProcess::new();

/// Does slow work that does not use Python, while other threads may run.
pub(crate) fn without_gil<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> T {
    let gate = AttachGate::of(py, Process::current());
    if gate.is_closed() {
        // The thread that ends the interpreter need not let other threads run.
        return work();
    }
    py.detach(move || (work(), gate.enter())).0
}

/// The exception for a call that comes too late.
pub(super) fn shutting_down() -> PyErr {
    PyRuntimeError::new_err("the interpreter is shutting down")
}

/// Which threads of a process are attaching.
#[derive(Default)]
pub(super) struct AttachGate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The threads that attach, or have attached and have not left this module yet.
    attaching: usize,
    closed: bool,
}

/// The right of a thread to attach, and to be attached.
pub(super) struct AttachPermit(&'static AttachGate);

impl AttachGate {
    pub(super) fn of(py: Python<'_>, process: Process) -> &'static Self {
        let made = GATE.get_or_try_init(py, process, || Ok::<_, Infallible>(Self::default()));
        let Ok(gate) = made;
        gate
    }

    /// Whether the interpreter is about to end.
    pub(super) fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// Asks for permission to attach, in a thread that is not attached. Once the interpreter is
    /// about to end, this never returns: the thread ends with the process.
    pub(super) fn enter(&'static self) -> AttachPermit {
        let mut state = self.state();
        if state.closed {
            drop(state);
            loop {
                thread::park();
            }
        }
        state.attaching += 1;
        AttachPermit(self)
    }

    /// Closes the gate, and waits for the threads that are attaching. The caller must not be
    /// attached, so that they can.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        while state.attaching > 0 {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AttachPermit {
    fn drop(&mut self) {
        self.0.state().attaching -= 1;
        self.0.changed.notify_all();
    }
}
