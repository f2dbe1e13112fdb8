//! Operations that have to wait, and the threads that continue them.
//!
//! Waking a sleeping thread takes longer than most of what an operation does. So an operation is polled where
//! it was called until it waits. A thread of a store that wakes it polls it, too; every other thread leaves that to the
//! runtime.

use std::cell::{Cell, RefCell};
use std::thread;

use async_task::Runnable;
use tokio::runtime::Handle;

use crate::future::BoxFuture;

/// After how many operations the runtime's thread offers its processor to other threads, about a millisecond of
/// signatures. More often would be too often: the kernel may count it as a whole time slice that was used.
const IN_A_ROW: u32 = 64;

thread_local! {
    /// How many operations this thread of the runtime has continued.
    static CONTINUED: Cell<u32> = const { Cell::new(0) };
    /// The operations that this thread has woken and is going to continue.
    static WOKEN: RefCell<Option<Vec<Runnable>>> = const { RefCell::new(None) };
}

/// Polls an operation in this thread until it waits, in the context of the runtime. Then it is polled each time
/// that it is woken.
///
/// For bindings of other languages; not part of the stable interface.
#[doc(hidden)]
pub fn start_here(runtime: &Handle, operation: BoxFuture<'static, ()>) {
    let operation = waiting(runtime, operation);
    let _entered = runtime.enter();
    operation.run();
}

/// Starts operations in the runtime, which is woken once for all of them.
///
/// For bindings of other languages; not part of the stable interface.
#[doc(hidden)]
pub fn start_all(runtime: &Handle, operations: Vec<BoxFuture<'static, ()>>) {
    if operations.is_empty() {
        return;
    }
    let handle = runtime.clone();
    let start: BoxFuture<'static, ()> = Box::pin(async move {
        for operation in operations {
            waiting(&handle, operation).schedule();
        }
    });
    runtime.spawn(start);
}

/// Runs `wake`. Then continues in this thread the operations that it woke; they may not block.
#[cfg(feature = "sqlite")]
pub(crate) fn continue_here(wake: impl FnOnce()) {
    WOKEN.set(Some(Vec::new()));
    let _kept = Kept;
    wake();
    for operation in WOKEN.take().unwrap_or_default() {
        operation.run();
    }
}

/// Leaves the operations that this thread does not continue, because it panics, to the runtime.
#[cfg(feature = "sqlite")]
struct Kept;

#[cfg(feature = "sqlite")]
impl Drop for Kept {
    fn drop(&mut self) {
        for operation in WOKEN.take().unwrap_or_default() {
            operation.schedule();
        }
    }
}

fn waiting(runtime: &Handle, operation: BoxFuture<'static, ()>) -> Runnable {
    let runtime = runtime.clone();
    let (operation, task) = async_task::spawn(operation, move |woken| {
        if let Some(woken) = keep(woken) {
            runtime.spawn(async move {
                woken.run();
                give_way();
            });
        }
    });
    task.detach();
    operation
}

/// Keeps an operation for this thread. Returns it if this thread continues none.
fn keep(woken: Runnable) -> Option<Runnable> {
    let mut woken = Some(woken);
    // A thread that ends may wake operations, and has no list any more.
    let _ = WOKEN.try_with(|kept| {
        if let Some(kept) = &mut *kept.borrow_mut() {
            kept.extend(woken.take());
        }
    });
    woken
}

/// Lets threads that wait for a processor run once in a while: one of them may be the caller's event loop.
fn give_way() {
    let continued = CONTINUED.get().wrapping_add(1);
    CONTINUED.set(continued);
    if continued.is_multiple_of(IN_A_ROW) {
        thread::yield_now();
    }
}

#[cfg(all(test, feature = "sqlite"))]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::sync::mpsc;
    use std::thread::ThreadId;

    use tokio::runtime::{Builder, Runtime};
    use tokio::sync::oneshot;

    use super::*;

    fn runtime() -> Runtime {
        Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
    }

    /// An operation that sends the thread that polls it: before it waits for the answer, and afterwards.
    fn operation() -> (
        BoxFuture<'static, ()>,
        oneshot::Sender<()>,
        mpsc::Receiver<ThreadId>,
    ) {
        let (answer, answered) = oneshot::channel();
        let (sender, threads) = mpsc::channel();
        let operation = Box::pin(async move {
            sender.send(thread::current().id()).unwrap();
            let _ = answered.await;
            sender.send(thread::current().id()).unwrap();
        });
        (operation, answer, threads)
    }

    #[test]
    fn an_operation_runs_where_it_is_started_until_it_waits_and_then_in_the_runtime() {
        let runtime = runtime();
        let here = thread::current().id();
        let (operation, answer, threads) = operation();
        start_here(runtime.handle(), operation);
        assert_eq!(threads.try_recv().unwrap(), here);
        answer.send(()).unwrap();
        assert_ne!(threads.recv().unwrap(), here);
    }

    #[test]
    fn a_thread_of_a_store_continues_the_operations_that_it_wakes() {
        let runtime = runtime();
        let here = thread::current().id();
        let (first, first_answer, first_threads) = operation();
        let (second, second_answer, second_threads) = operation();
        start_here(runtime.handle(), first);
        start_here(runtime.handle(), second);
        continue_here(|| {
            first_answer.send(()).unwrap();
            // It has only been left to this thread.
            assert_eq!(first_threads.try_iter().count(), 1);
        });
        assert_eq!(first_threads.try_recv().unwrap(), here);
        second_answer.send(()).unwrap();
        assert_eq!(second_threads.recv().unwrap(), here);
        assert_ne!(second_threads.recv().unwrap(), here);
    }

    #[test]
    fn a_thread_that_panics_leaves_what_it_woke_to_the_runtime() {
        let runtime = runtime();
        let (operation, answer, threads) = operation();
        start_here(runtime.handle(), operation);
        let panicked = thread::spawn(|| {
            continue_here(|| {
                answer.send(()).unwrap();
                panic!("by intention");
            });
        });
        let id = panicked.thread().id();
        assert!(panicked.join().is_err());
        assert_eq!(threads.recv().unwrap(), thread::current().id());
        assert_ne!(threads.recv().unwrap(), id);
    }

    #[test]
    fn operations_that_start_together_run_in_the_runtime() {
        let runtime = runtime();
        let (operations, threads): (Vec<_>, Vec<_>) = (0..200)
            .map(|_| {
                let (operation, answer, threads) = operation();
                answer.send(()).unwrap();
                (operation, threads)
            })
            .unzip();
        start_all(runtime.handle(), operations);
        for threads in threads {
            assert_ne!(threads.recv().unwrap(), thread::current().id());
            assert_ne!(threads.recv().unwrap(), thread::current().id());
        }
    }

    #[test]
    fn an_operation_ends_with_the_runtime() {
        let runtime = runtime();
        let (operation, answer, threads) = operation();
        start_here(runtime.handle(), operation);
        threads.recv().unwrap();
        runtime.shutdown_background();
        drop(answer);
        assert!(threads.recv().is_err());
    }
}
