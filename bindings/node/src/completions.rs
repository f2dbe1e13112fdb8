//! The completion queue: how the outcomes of calls that had to wait reach JavaScript.
//!
//! A promise of napi-rs needs a thread-safe function, a clean-up hook and a second task. Here
//! JavaScript creates the promises, each under the id of its call, and one function wakes it for all of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::{Array, Function, ToNapiValue};
use napi::threadsafe_function::{
    ThreadsafeFunction, ThreadsafeFunctionCallMode, UnknownReturnValue,
};
use napi::{Env, Status};
use napi_derive::napi;
use portier_client::{Code, Error};

use crate::failure::Failure;
use crate::runtime;
use crate::turn::Turn;

/// How many outcomes are delivered in one turn of the event loop. Other work of the loop waits meanwhile.
const BATCH: usize = 256;

/// Weak, unless a promise is pending.
type Wake = ThreadsafeFunction<(), UnknownReturnValue, (), Status, true, true>;

/// Converts an outcome, and puts it into an array at an index.
type Resolver = Box<dyn FnOnce(&mut Array<'_>, u32) -> napi::Result<()> + Send>;

/// The outcomes for one copy of the package in one environment. A clone is the same queue.
#[napi]
#[derive(Clone)]
pub struct CompletionQueue {
    inner: Arc<Inner>,
}

/// The function is the only reference to JavaScript in here. It does nothing after its environment
/// has ended.
struct Inner {
    ready: Mutex<VecDeque<(f64, Resolver)>>,
    turn: Turn,
    wake: Mutex<Wake>,
}

/// Creates a queue. `wake` is called when there are outcomes to take; it must not throw.
#[napi(catch_unwind)]
pub fn create_completion_queue(
    env: Env,
    wake: Function<'_, (), UnknownReturnValue>,
) -> napi::Result<CompletionQueue> {
    runtime::keep_until_end_of(env)?;
    let wake = wake
        .build_threadsafe_function::<()>()
        .callee_handled::<true>()
        .weak::<true>()
        .build()?;
    Ok(CompletionQueue {
        inner: Arc::new(Inner {
            ready: Mutex::default(),
            turn: Turn::default(),
            wake: Mutex::new(wake),
        }),
    })
}

#[napi]
impl CompletionQueue {
    /// Takes the first outcomes: the id of a call, its outcome, the next id, and so on.
    #[napi(catch_unwind)]
    pub fn take<'env>(&self, env: &'env Env) -> napi::Result<Array<'env>> {
        let mut ready = locked(&self.inner.ready);
        let count = ready.len().min(BATCH);
        let batch: Vec<_> = ready.drain(..count).collect();
        let is_all = ready.is_empty();
        drop(ready);
        if !is_all {
            self.wake();
        }
        let mut array = env.create_array(0)?;
        for (call_id, resolve) in batch {
            array.insert(call_id)?;
            let index = array.len();
            // An outcome that cannot be converted must not hold up the others.
            resolve(&mut array, index).or_else(|_| array.set(index, lost()))?;
        }
        Ok(array)
    }

    /// Starts the calls that wait for the end of the turn in which they were made.
    #[napi(catch_unwind)]
    pub fn end_turn(&self) {
        // Without a runtime, no call waits.
        if let Ok(runtime) = runtime::handle() {
            self.inner.turn.end(&runtime);
        }
    }

    /// Sets whether the queue keeps the process alive.
    #[napi(catch_unwind)]
    #[allow(
        deprecated,
        reason = "nothing else does this for a function that stays"
    )]
    pub fn keep_running(&self, env: Env, keep: bool) -> napi::Result<()> {
        let mut wake = locked(&self.inner.wake);
        if keep {
            wake.refer(&env)
        } else {
            wake.unref(&env)
        }
    }
}

impl CompletionQueue {
    /// The current turn of the event loop.
    pub(crate) fn turn(&self) -> &Turn {
        &self.inner.turn
    }

    /// Adds an outcome, from any thread.
    pub(crate) fn send(&self, call_id: f64, outcome: impl ToNapiValue + Send + 'static) {
        let resolve: Resolver = Box::new(move |array, index| array.set(index, outcome));
        let mut ready = locked(&self.inner.ready);
        let is_first = ready.is_empty();
        ready.push_back((call_id, resolve));
        drop(ready);
        if is_first {
            self.wake();
        }
    }

    fn wake(&self) {
        locked(&self.inner.wake).call(Ok(()), ThreadsafeFunctionCallMode::NonBlocking);
    }
}

/// Replaces an outcome that cannot be converted.
fn lost() -> Failure {
    let error = Error::new(Code::Internal, "the outcome could not be handed over");
    Failure::from(&error)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
