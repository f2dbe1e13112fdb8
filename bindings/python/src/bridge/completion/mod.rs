//! How results get from the runtime's threads to `asyncio` futures.

mod completer;
mod future;
mod queue;
mod wakeup_socket;

use std::sync::Weak;
use std::sync::mpsc::Sender;

use pyo3::prelude::*;

pub(super) use self::completer::run_completer;
pub(super) use self::queue::CompletionQueue;
use super::messages::{CompleterMessage, Convert};

/// The right to complete one future.
pub(super) struct Completion {
    pub(super) ticket: u64,
    /// That of the future's event loop, if the loop can watch sockets.
    pub(super) queue: Weak<CompletionQueue>,
    pub(super) completer: Sender<CompleterMessage>,
}

impl Completion {
    pub(super) fn send(self, convert: Convert) {
        let ticket = self.ticket;
        match self.queue.upgrade() {
            Some(queue) => queue.push(ticket, convert),
            // The completer ends only just before the interpreter does.
            None => drop(
                self.completer
                    .send(CompleterMessage::Completed { ticket, convert }),
            ),
        }
    }
}

pub(super) fn make_types(py: Python<'_>) {
    completer::make_types(py);
    queue::make_types(py);
}
