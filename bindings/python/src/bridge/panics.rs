//! Panics of the core as errors.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use portier_client::{Code, Error, Result};
use tracing::Dispatch;
use tracing::dispatcher::set_default;

/// An operation whose panic is an error like any other.
pub(super) struct CatchPanic<T> {
    operation: Pin<Box<dyn Future<Output = Result<T>> + Send>>,
    subscriber: Option<Dispatch>,
}

impl<T> CatchPanic<T> {
    /// The operation, which has the subscriber while it is polled.
    pub(super) fn new(
        operation: impl Future<Output = Result<T>> + Send + 'static,
        subscriber: Option<Dispatch>,
    ) -> Self {
        Self {
            operation: Box::pin(operation),
            subscriber,
        }
    }

    pub(super) fn poll_once(&mut self, context: &mut Context<'_>) -> Poll<Result<T>> {
        let operation = self.operation.as_mut();
        let _subscribed = self.subscriber.as_ref().map(set_default);
        // After a panic the future is never polled again, so its broken state is never seen.
        catch_panic(|| Ok(operation.poll(context)))
            .unwrap_or_else(|panicked| Poll::Ready(Err(panicked)))
    }
}

impl<T> Future for CatchPanic<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_once(context)
    }
}

/// Turns a panic of `work` into an error. After a panic, values that `work` changes must not be used.
pub(crate) fn catch_panic<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Error::new(
            Code::Internal,
            "an operation panicked; please report this",
        ))
    })
}
