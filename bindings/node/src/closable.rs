//! The objects that a client closes when it is closed. Otherwise they would keep the client's
//! documents and connections until JavaScript's garbage collector runs.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

/// Empty after the client was closed.
pub(crate) type Closable<T> = RefCell<Option<T>>;

/// Closables of one kind.
pub(crate) struct Closables<T>(RefCell<Vec<Weak<Closable<T>>>>);

impl<T> Closables<T> {
    pub(crate) fn add(&self, value: T) -> Rc<Closable<T>> {
        let value = Rc::new(RefCell::new(Some(value)));
        let mut known = self.0.borrow_mut();
        known.retain(|value| value.strong_count() > 0);
        known.push(Rc::downgrade(&value));
        value
    }

    pub(crate) fn close(&self) {
        for value in self.0.take() {
            drop(value.upgrade().and_then(|value| value.take()));
        }
    }
}

impl<T> Default for Closables<T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}
