//! Values that belong to one process; a forked child makes its own.

use std::mem::ManuallyDrop;
use std::sync::OnceLock;

use once_cell::race::OnceBox;
use pyo3::prelude::*;
use pyo3::sync::OnceLockExt as _;

use crate::forks;

/// A value that each process makes when it first asks for it.
///
/// A forked child has a copy of its parent's memory, but none of its threads: a copied runtime never runs,
/// and a copied lock that was held is never released. So a child does not use, lock or drop its parent's
/// value, and makes its own. The list of values is lock-free, because a fork may happen at any moment.
pub(crate) struct PerProcess<T> {
    first: OnceBox<Generation<T>>,
}

impl<T> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self {
            first: OnceBox::new(),
        }
    }

    /// The value of a process, if it has been made.
    pub(crate) fn get(&self, process: Process) -> Option<&T> {
        let mut link = &self.first;
        loop {
            let generation = link.get()?;
            if generation.process == process {
                return generation.value.get().map(|value| &**value);
            }
            link = &generation.next;
        }
    }

    /// Whether a process that this one was forked from has asked for the value.
    pub(crate) fn is_inherited(&self, process: Process) -> bool {
        self.first
            .get()
            .is_some_and(|generation| generation.process != process)
    }

    /// The value of a process, made now if need be. If two threads make it at the same time, one of
    /// the two values is dropped.
    pub(crate) fn get_or_try_init<E>(
        &self,
        py: Python<'_>,
        process: Process,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<&T, E> {
        let mut link = &self.first;
        let cell = loop {
            let generation = link.get_or_init(|| Box::new(Generation::new(process)));
            if generation.process == process {
                break &generation.value;
            }
            link = &generation.next;
        };
        if let Some(value) = cell.get() {
            return Ok(value);
        }
        let value = make()?;
        Ok(cell.get_or_init_py_attached(py, move || ManuallyDrop::new(value)))
    }
}

/// Which process this is. The id detects forks that the C library does not report. The count
/// distinguishes a process from a dead ancestor that had the same id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    id: u32,
    forks: u32,
}

impl Process {
    pub(crate) fn current() -> Self {
        Self {
            id: std::process::id(),
            forks: forks::count(),
        }
    }
}

struct Generation<T> {
    process: Process,
    value: OnceLock<ManuallyDrop<T>>,
    next: OnceBox<Generation<T>>,
}

impl<T> Generation<T> {
    const fn new(process: Process) -> Self {
        Self {
            process,
            value: OnceLock::new(),
            next: OnceBox::new(),
        }
    }
}

impl<T> Drop for Generation<T> {
    fn drop(&mut self) {
        if self.process == Process::current()
            && let Some(value) = self.value.take()
        {
            drop(ManuallyDrop::into_inner(value));
        }
    }
}
