//! How every operation runs: it is polled in place, and threads of the runtime continue it if it has to wait.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_util::FutureExt as _;
use futures_util::future::{Either as First, select};
use napi::Env;
use napi::bindgen_prelude::{Either3, Null, ToNapiValue};
use napi_derive::napi;
use portier_client::{Code, Error, Result};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;

use crate::completions::CompletionQueue;
use crate::current_call::CallFuture;
use crate::failure::{self, Failure};
use crate::ids::{id_to_js, new_call_id};
use crate::{events, runtime, store};

/// What an operation returns: its value, a failure, or the id of a call whose outcome follows.
pub(crate) type Outcome<T> = Either3<T, Failure, f64>;

/// A future of a type that the code which polls it does not know. So that code is compiled once for each
/// type of outcome, and not once for each operation.
type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Runs an operation. It owns all that it needs, because JavaScript may end before it does.
///
/// An operation that does not have to wait has ended when this returns, without a task, a thread or a
/// wake-up. Otherwise the same future continues in other threads, and its outcome is sent with the id of the
/// call. The outcome is null if the operation was cancelled.
pub(crate) fn run<T>(
    env: Env,
    completions: &CompletionQueue,
    cancellation: Option<&Cancellation>,
    operation: impl Future<Output = Result<T>> + Send + 'static,
) -> Outcome<T>
where
    T: ToNapiValue + Send + 'static,
{
    run_boxed(env, completions, cancellation, Box::pin(operation))
}

fn run_boxed<T>(
    env: Env,
    completions: &CompletionQueue,
    cancellation: Option<&Cancellation>,
    operation: Boxed<Result<T>>,
) -> Outcome<T>
where
    T: ToNapiValue + Send + 'static,
{
    let runtime = match runtime::handle() {
        Ok(runtime) => runtime,
        Err(error) => return Either3::B(Failure::from(&error)),
    };
    let call_id = new_call_id();
    let mut operation = CallFuture::new(call_id, catch_panics(operation));
    let subscriber = events::subscriber(env);
    let turn = completions.turn();
    let polled = if turn.is_crowded() {
        Poll::Pending
    } else {
        poll_now(env, call_id, subscriber.as_ref(), &runtime, &mut operation)
    };
    events::set_started_call(call_id);
    match polled {
        Poll::Ready(Ok(value)) => Either3::A(value),
        Poll::Ready(Err(error)) => Either3::B(Failure::from(&error)),
        Poll::Pending => {
            let cancelled = cancellation.map(Cancellation::requested);
            let call_id = id_to_js(call_id);
            let queue = completions.clone();
            let settled: Boxed<()> = Box::pin(async move {
                match until(operation, cancelled).await {
                    Some(outcome) => queue.send(call_id, failure::either(outcome)),
                    None => queue.send(call_id, Null),
                }
            });
            let settled = match subscriber {
                Some(subscriber) => Box::pin(settled.with_subscriber(subscriber)),
                None => settled,
            };
            turn.start(&runtime, settled);
            Either3::C(call_id)
        }
    }
}

/// Cancels an operation that waits, for an `AbortSignal`.
#[napi]
#[derive(Default)]
pub struct Cancellation {
    request: Arc<Notify>,
}

#[napi]
impl Cancellation {
    /// Creates one for a single operation.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels the operation, unless it has ended.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.request.notify_one();
    }

    fn requested(&self) -> impl Future<Output = ()> + Send + 'static {
        let request = Arc::clone(&self.request);
        async move { request.notified().await }
    }
}

/// Makes a panic of an operation an error. A panic must neither cross into JavaScript nor be lost in the runtime.
fn catch_panics<T>(
    operation: impl Future<Output = Result<T>> + Send + Unpin + 'static,
) -> impl Future<Output = Result<T>> + Send + Unpin + 'static {
    AssertUnwindSafe(operation)
        .catch_unwind()
        .map(|outcome| match outcome {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::new(Code::Internal, "a defect in portier-client")),
        })
}

/// Polls, and polls again as long as stores in JavaScript return at once.
fn poll_now<F: Future + Unpin>(
    env: Env,
    call_id: u64,
    subscriber: Option<&Dispatch>,
    runtime: &Handle,
    operation: &mut F,
) -> Poll<F::Output> {
    loop {
        // A store may have made calls of its own meanwhile.
        events::set_started_call(call_id);
        let (polled, has_called) = store::poll_then_call(env, || {
            events::with_subscriber(subscriber, || poll_once(runtime, operation))
        });
        if polled.is_ready() || !has_called {
            return polled;
        }
    }
}

fn poll_once<F: Future + Unpin>(runtime: &Handle, operation: &mut F) -> Poll<F::Output> {
    let _entered = runtime.enter();
    // No waker is needed: a pending operation is polled again in any case.
    let mut context = Context::from_waker(Waker::noop());
    Pin::new(operation).poll(&mut context)
}

/// Waits for the operation. Returns `None` if it is cancelled first.
async fn until<F: Future + Unpin>(
    operation: F,
    cancelled: Option<impl Future<Output = ()>>,
) -> Option<F::Output> {
    let Some(cancelled) = cancelled else {
        return Some(operation.await);
    };
    match select(operation, std::pin::pin!(cancelled)).await {
        First::Left((outcome, _)) => Some(outcome),
        First::Right(((), _)) => None,
    }
}
