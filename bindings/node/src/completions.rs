//! How the outcomes of operations that had to wait come to JavaScript: all that are there, at once.
//!
//! A promise of napi's own brings a thread-safe function, a clean-up hook and a second task with it.
//! Here JavaScript makes the promises, under numbers, and one function wakes it for all of them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
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

/// How many are handed over in one turn of the event loop, which has others to serve.
const BATCH: usize = 256;

/// Weak, unless JavaScript says that it waits.
type Wake = ThreadsafeFunction<(), UnknownReturnValue, (), Status, true, true>;

/// Puts an outcome into a place of an array.
type Resolver = Box<dyn FnOnce(&mut Array<'_>, u32) -> napi::Result<()> + Send>;

/// The outcomes for one copy of the package in one environment.
#[napi]
pub struct CompletionQueue {
    shared: Arc<Completions>,
}

/// Receives outcomes. `wake` is called when there are some to take; it must not throw.
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
        shared: Arc::new(Completions {
            ready: Mutex::default(),
            wake: Mutex::new(wake),
        }),
    })
}

impl CompletionQueue {
    pub(crate) fn shared(&self) -> Arc<Completions> {
        Arc::clone(&self.shared)
    }
}

#[napi]
impl CompletionQueue {
    /// Takes what is there, or a good part of it: the id of a call, its outcome, the next id, and so on.
    #[napi(catch_unwind)]
    pub fn take<'env>(&self, env: &'env Env) -> napi::Result<Array<'env>> {
        let mut ready = locked(&self.shared.ready);
        let count = ready.len().min(BATCH);
        let batch: Vec<_> = ready.drain(..count).collect();
        let is_all = ready.is_empty();
        drop(ready);
        if !is_all {
            self.shared.wake();
        }
        let mut array = env.create_array(0)?;
        for (call_id, resolver) in batch {
            array.insert(call_id)?;
            let place = array.len();
            // The others are waiting as well.
            resolver(&mut array, place).or_else(|_| array.set(place, lost()))?;
        }
        Ok(array)
    }

    /// Says whether the program is to run on until there is something to take.
    #[napi(catch_unwind)]
    #[allow(
        deprecated,
        reason = "nothing else does this for a function that stays"
    )]
    pub fn keep_running(&self, env: Env, keep: bool) -> napi::Result<()> {
        let mut wake = locked(&self.shared.wake);
        if keep {
            wake.refer(&env)
        } else {
            wake.unref(&env)
        }
    }
}

/// Outcomes on their way to JavaScript. It holds nothing of JavaScript but the function, which does
/// nothing once its environment is gone.
pub(crate) struct Completions {
    ready: Mutex<VecDeque<(f64, Resolver)>>,
    wake: Mutex<Wake>,
}

impl Completions {
    /// Sends an outcome, from any thread.
    pub(crate) fn send(&self, call_id: f64, outcome: impl ToNapiValue + Send + 'static) {
        let resolver: Resolver = Box::new(move |array, place| array.set(place, outcome));
        let mut ready = locked(&self.ready);
        let is_first = ready.is_empty();
        ready.push_back((call_id, resolver));
        drop(ready);
        if is_first {
            self.wake();
        }
    }

    fn wake(&self) {
        locked(&self.wake).call(Ok(()), ThreadsafeFunctionCallMode::NonBlocking);
    }
}

/// A number for a call and its outcome; no other call of the process has it.
pub(crate) fn new_call_id() -> u64 {
    static LAST_CALL_ID: AtomicU64 = AtomicU64::new(0);

    LAST_CALL_ID.fetch_add(1, Ordering::Relaxed) + 1
}

/// Exact for the first 2^53 ids of a process.
#[expect(clippy::cast_precision_loss, reason = "see above")]
pub(crate) fn id_to_js(id: u64) -> f64 {
    id as f64
}

/// What stands for an outcome that JavaScript cannot be given.
fn lost() -> Failure {
    let error = Error::new(Code::Internal, "the outcome could not be handed over");
    Failure::from(&error)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
