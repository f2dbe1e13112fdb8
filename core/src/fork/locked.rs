//! Locks that no fork interrupts.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Busy, busy};

/// A locked mutex that is never found locked after a fork.
pub(crate) struct Locked<'a, T> {
    guard: MutexGuard<'a, T>,
    /// Dropped after the guard.
    _busy: Busy,
}

/// Locks a mutex whose holders do nothing but short work, and never panic in the middle of a change.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> Locked<'_, T> {
    let busy = busy();
    Locked {
        guard: mutex.lock().unwrap_or_else(PoisonError::into_inner),
        _busy: busy,
    }
}

impl<T> Deref for Locked<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for Locked<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}
