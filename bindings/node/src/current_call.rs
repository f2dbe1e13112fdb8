//! The call that is being polled. Events and calls of stores carry its id, so that JavaScript handles them
//! in the asynchronous context of the call.
//!
//! A task that the core starts inherits the id as it inherits a span of `tracing`.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_core::Kind;
use tracing_core::callsite::DefaultCallsite;
use tracing_core::span::Current;

thread_local! {
    static CURRENT_CALLS: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// The id of the call that is being polled on this thread.
pub(crate) fn id() -> Option<u64> {
    CURRENT_CALLS
        .try_with(|calls| calls.borrow().last().copied())
        .ok()
        .flatten()
}

/// The operation of a call. The call is the current one while it is polled.
pub(crate) struct CallFuture<F> {
    call_id: u64,
    operation: F,
}

impl<F> CallFuture<F> {
    pub(crate) fn new(call_id: u64, operation: F) -> Self {
        Self { call_id, operation }
    }
}

impl<F: Future + Unpin> Future for CallFuture<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        enter(self.call_id);
        // It does not panic: the operation catches its panics.
        let polled = Pin::new(&mut self.operation).poll(context);
        exit();
        polled
    }
}

/// Makes the call that is being polled the current span of a subscriber.
pub(crate) struct CallSpans<S>(pub(crate) S);

static CALL: Metadata<'static> = tracing_core::metadata! {
    name: "call",
    target: "portier_client_node",
    level: Level::INFO,
    fields: &[],
    callsite: &CALLSITE,
    kind: Kind::SPAN
};
static CALLSITE: DefaultCallsite = DefaultCallsite::new(&CALL);

impl<S: Subscriber> Subscriber for CallSpans<S> {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.0.register_callsite(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.0.max_level_hint()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn event(&self, event: &Event<'_>) {
        self.0.event(event);
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.0.new_span(span)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, call: &Id) {
        enter(call.into_u64());
    }

    fn exit(&self, _: &Id) {
        exit();
    }

    fn current_span(&self) -> Current {
        id().map_or_else(Current::none, |call_id| {
            Current::new(Id::from_u64(call_id), &CALL)
        })
    }
}

fn enter(call_id: u64) {
    let _ = CURRENT_CALLS.try_with(|calls| calls.borrow_mut().push(call_id));
}

fn exit() {
    let _ = CURRENT_CALLS.try_with(|calls| calls.borrow_mut().pop());
}
