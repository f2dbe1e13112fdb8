//! A fetch in its own task. Any number of callers can wait for its result.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tracing::Instrument as _;
use tracing::instrument::WithSubscriber as _;

use super::fetched::Failure;
use crate::error::{Code, Error, Result};

pub(super) struct InFlight<T> {
    result: watch::Receiver<Option<Result<Arc<T>>>>,
    task: AbortHandle,
}

impl<T: Send + Sync + 'static> InFlight<T> {
    /// Runs `fetch` in a task of the caller's runtime, with the caller's span and subscriber.
    ///
    /// # Errors
    /// [`Code::Internal`] outside of a Tokio runtime.
    pub(super) fn start(
        fetch: impl Future<Output = Result<Arc<T>>> + Send + 'static,
    ) -> Result<Self> {
        let runtime = Handle::try_current().map_err(|cause| {
            Error::new(Code::Internal, "fetching needs a Tokio runtime").with_source(cause)
        })?;
        let (sender, result) = watch::channel(None);
        // In a box, so that Tokio's code for tasks is compiled once.
        let task: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            let fetched = fetch.await;
            sender.send_replace(Some(fetched));
        });
        let task = runtime.spawn(task.in_current_span().with_current_subscriber());
        Ok(Self {
            result,
            task: task.abort_handle(),
        })
    }

    /// Waits for the result.
    ///
    /// # Errors
    /// Those of the fetch, or [`Code::Internal`] if its runtime was shut down.
    pub(super) async fn result(mut self) -> Result<Arc<T>> {
        let abandoned = || Error::new(Code::Internal, "the fetch was abandoned with its runtime");
        match self.result.wait_for(Option::is_some).await {
            Ok(result) => result.clone().unwrap_or_else(|| Err(abandoned())),
            Err(_) => Err(abandoned()),
        }
    }
}

impl<T> InFlight<T> {
    /// Whether the task has ended, also because its runtime was shut down.
    pub(super) fn is_over(&self) -> bool {
        self.task.is_finished()
    }

    pub(super) fn abort(&self) {
        self.task.abort();
    }
}

impl<T> Clone for InFlight<T> {
    fn clone(&self) -> Self {
        Self {
            result: self.result.clone(),
            task: self.task.clone(),
        }
    }
}

/// Turns a panic of the fetch, which can only come from a transport, into a failure.
pub(super) async fn caught<T>(
    fetch: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    AssertUnwindSafe(fetch)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| {
            let error = Error::new(Code::Internal, "the fetch of a document panicked");
            Err(Failure::new(error))
        })
}
