//! Which call is being polled. Events and questions to stores carry its ticket, so that JavaScript handles
//! them in the asynchronous context of the call.
//!
//! A task that the core starts inherits the ticket as it inherits a span of `tracing`.

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
    static POLLED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// The ticket of the call that is being polled on this thread.
pub(crate) fn ticket() -> Option<u64> {
    POLLED
        .try_with(|polled| polled.borrow().last().copied())
        .ok()
        .flatten()
}

/// An operation of a call.
pub(crate) struct OfCall<F> {
    ticket: u64,
    operation: Pin<Box<F>>,
}

impl<F> OfCall<F> {
    pub(crate) fn new(ticket: u64, operation: F) -> Self {
        let operation = Box::pin(operation);
        Self { ticket, operation }
    }
}

impl<F: Future> Future for OfCall<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        enter(self.ticket);
        // The operation contains its panics.
        let polled = self.operation.as_mut().poll(context);
        exit();
        polled
    }
}

/// Makes the call that is being polled the current span of a subscriber.
pub(crate) struct Calls<S>(pub(crate) S);

static CALL: Metadata<'static> = tracing_core::metadata! {
    name: "call",
    target: "portier_client_node",
    level: Level::INFO,
    fields: &[],
    callsite: &CALLSITE,
    kind: Kind::SPAN
};
static CALLSITE: DefaultCallsite = DefaultCallsite::new(&CALL);

impl<S: Subscriber> Subscriber for Calls<S> {
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
        ticket().map_or_else(Current::none, |ticket| {
            Current::new(Id::from_u64(ticket), &CALL)
        })
    }
}

fn enter(ticket: u64) {
    let _ = POLLED.try_with(|polled| polled.borrow_mut().push(ticket));
}

fn exit() {
    let _ = POLLED.try_with(|polled| polled.borrow_mut().pop());
}
