//! The Tokio runtime: one for the process, from the first operation until the last environment ends.
//!
//! The runtime of napi-rs is not used. It starts while the addon is loaded, and panics if the system refuses
//! threads. This one is tried again at the next operation.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use napi::Env;
use portier_client::{Code, Error, Result};
use tokio::runtime::{Builder, Handle, Runtime};

/// The worker never blocks. With more workers, each call would wake two of them, one to no purpose.
const WORKERS: usize = 1;

/// How long the last environment waits for the threads when it ends.
const SHUTDOWN_LIMIT: Duration = Duration::from_millis(100);

const NO_THREADS: &str = "the system gives the process no threads or file descriptors";

static STATE: Mutex<State> = Mutex::new(State {
    environments: 0,
    runtime: None,
});

struct State {
    environments: usize,
    runtime: Option<Runtime>,
}

/// Keeps the runtime until this environment ends.
pub(crate) fn keep_until_end_of(env: Env) -> napi::Result<()> {
    env.add_env_cleanup_hook((), |()| leave())?;
    locked().environments += 1;
    Ok(())
}

/// The runtime. Starts it if necessary.
///
/// # Errors
/// [`Code::Internal`] if the system gives the process no threads or file descriptors.
pub(crate) fn handle() -> Result<Handle> {
    let mut state = locked();
    let runtime = match state.runtime.take() {
        Some(runtime) => runtime,
        None => start()?,
    };
    let handle = runtime.handle().clone();
    state.runtime = Some(runtime);
    Ok(handle)
}

fn start() -> Result<Runtime> {
    let failed = |cause| Error::new(Code::Internal, NO_THREADS).with_source(cause);
    // Tested first: without threads the runtime would panic, and the panic would be printed.
    std::thread::Builder::new().spawn(|| {}).map_err(failed)?;
    let build = || {
        Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("portier-client")
            .enable_all()
            .build()
    };
    match catch_unwind(AssertUnwindSafe(build)) {
        Ok(runtime) => runtime.map_err(failed),
        Err(_) => Err(Error::new(Code::Internal, NO_THREADS)),
    }
}

fn leave() {
    let mut state = locked();
    state.environments = state.environments.saturating_sub(1);
    let unused = if state.environments == 0 {
        state.runtime.take()
    } else {
        None
    };
    drop(state);
    if let Some(runtime) = unused {
        runtime.shutdown_timeout(SHUTDOWN_LIMIT);
    }
}

fn locked() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}
