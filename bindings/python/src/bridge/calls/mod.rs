//! Calls from Python.

mod awaited;
mod blocking;
mod output;
mod turn;

use std::future::Future;
use std::task::{Context, Poll, Waker};

use portier_client::Result;
use pyo3::prelude::*;
use tracing::Dispatch;

use self::awaited::awaited;
pub(super) use self::awaited::make_types;
pub(crate) use self::awaited::running_loop;
use self::blocking::block;
pub(crate) use self::output::PyNone;
use self::output::{Output, to_python};
use super::messages::CallSite;
use super::panics::CatchPanic;
use super::runtime::Bridge;
use super::{events, host_callback};
use crate::process::Process;

/// One call from Python.
#[derive(Clone, Copy)]
pub(crate) struct Call<'py> {
    py: Python<'py>,
    /// Asked for once, because it is a system call.
    pub(crate) process: Process,
    site: CallSite,
}

impl<'py> Call<'py> {
    /// A call that blocks its thread while its operation is pending, or returns an `asyncio` future.
    pub(crate) fn new(py: Python<'py>, blocking: bool) -> Self {
        Self {
            py,
            process: Process::current(),
            site: if blocking {
                CallSite::Thread
            } else {
                CallSite::EventLoop
            },
        }
    }

    /// Runs an operation: returns its result if it is ready at once, else blocks, or returns a future.
    pub(crate) fn run<T: Output>(
        self,
        operation: impl Future<Output = Result<T>> + Send + 'static,
    ) -> PyResult<Bound<'py, PyAny>> {
        let bridge = Bridge::of(self.py, self.process)?;
        events::update_level(self.py)?;
        let subscriber = events::is_logging().then(Dispatch::none);
        let mut operation = CatchPanic::new(operation, subscriber);
        if self.site == CallSite::EventLoop && turn::is_crowded() {
            return awaited(self.py, bridge, operation);
        }
        loop {
            let polled = events::logged(self.py, || {
                let _entered = bridge.enter();
                operation.poll_once(&mut Context::from_waker(Waker::noop()))
            })?;
            if let Poll::Ready(outcome) = polled {
                return to_python(self.py, outcome);
            }
            match (host_callback::take_requested(), self.site) {
                (Some(callback), site) => callback(self.py, site)?,
                (None, CallSite::Thread) => return block(self.py, bridge, operation),
                (None, CallSite::EventLoop) => return awaited(self.py, bridge, operation),
            }
        }
    }
}
