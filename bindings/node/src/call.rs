//! One way to run an operation: poll it here and now; only what has to wait goes to the runtime.

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

use crate::completions::{Completions, id_to_js};
use crate::current_call::CallFuture;
use crate::failure::{self, Failure};
use crate::{completions, events, runtime, store};

/// What an operation returns: its value, why there is none, or the id of a call whose outcome follows.
pub(crate) type Outcome<T> = Either3<T, Failure, f64>;

/// Runs an operation, which owns all it needs: JavaScript may be gone before it ends.
///
/// An operation that does not have to wait is over when this returns, without a task, a thread or
/// a wake-up. There is no other code path for one that does: the same future goes on, and its
/// outcome is sent with the id of the call. It is null if the operation was cancelled.
pub(crate) fn run<T, F>(
    env: Env,
    completions: &Arc<Completions>,
    cancellation: Option<&Cancellation>,
    operation: F,
) -> Outcome<T>
where
    T: ToNapiValue + Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let runtime = match runtime::handle() {
        Ok(runtime) => runtime,
        Err(error) => return Either3::B(Failure::from(&error)),
    };
    let call_id = completions::new_call_id();
    let mut operation = CallFuture::new(call_id, contained(operation));
    let subscriber = events::subscriber(env);
    let polled = poll_now(env, call_id, subscriber.as_ref(), &runtime, &mut operation);
    events::set_started_call(call_id);
    match polled {
        Poll::Ready(Ok(value)) => Either3::A(value),
        Poll::Ready(Err(error)) => Either3::B(Failure::from(&error)),
        Poll::Pending => {
            let cancelled = cancellation.map(Cancellation::requested);
            let call_id = id_to_js(call_id);
            let completions = Arc::clone(completions);
            let settled = async move {
                match until(operation, cancelled).await {
                    Some(outcome) => completions.send(call_id, failure::either(outcome)),
                    None => completions.send(call_id, Null),
                }
            };
            match subscriber {
                Some(subscriber) => drop(runtime.spawn(settled.with_subscriber(subscriber))),
                None => drop(runtime.spawn(settled)),
            }
            Either3::C(call_id)
        }
    }
}

/// Ends operations that wait, for an `AbortSignal`.
#[napi]
#[derive(Default)]
pub struct Cancellation {
    request: Arc<Notify>,
}

#[napi]
impl Cancellation {
    /// Makes one for a single operation.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the operation, unless it is over.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.request.notify_one();
    }

    fn requested(&self) -> impl Future<Output = ()> + Send + 'static {
        let request = Arc::clone(&self.request);
        async move { request.notified().await }
    }
}

/// No panic may cross into JavaScript, nor be lost in the runtime.
fn contained<T>(
    operation: impl Future<Output = Result<T>> + Send + 'static,
) -> impl Future<Output = Result<T>> + Send + 'static {
    AssertUnwindSafe(operation)
        .catch_unwind()
        .map(|outcome| match outcome {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::new(Code::Internal, "a defect in portier-client")),
        })
}

/// Polls for as long as stores in JavaScript answer at once.
fn poll_now<F: Future + Unpin>(
    env: Env,
    call_id: u64,
    subscriber: Option<&Dispatch>,
    runtime: &Handle,
    operation: &mut F,
) -> Poll<F::Output> {
    loop {
        // A store may have made calls of its own.
        events::set_started_call(call_id);
        let (polled, asked) = store::polled(env, || {
            events::with_subscriber(subscriber, || poll_once(runtime, operation))
        });
        if polled.is_ready() || !asked {
            return polled;
        }
    }
}

fn poll_once<F: Future + Unpin>(runtime: &Handle, operation: &mut F) -> Poll<F::Output> {
    let _entered = runtime.enter();
    // Nobody is woken by this poll, and the runtime polls again in any case.
    let mut context = Context::from_waker(Waker::noop());
    Pin::new(operation).poll(&mut context)
}

/// Waits for the operation, or returns nothing if it is cancelled first.
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
