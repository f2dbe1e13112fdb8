//! Locks that a fork does not interrupt.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Busy, busy};

/// The guard of a mutex that is not locked during a fork.
pub(crate) struct Locked<'a, T> {
    guard: MutexGuard<'a, T>,
    /// Dropped after the guard.
    _busy: Busy,
}

/// Locks a mutex. Its holders must only do short work, and must not panic during a change.
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
