//! Work before and after a fork, by Python or by C code.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;

/// How many forks lie between this process and the one that loaded the module.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// Threads of this process that are about to fork.
static FORKING: AtomicU32 = AtomicU32::new(0);

/// Threads of this module that are attached to the interpreter, or wait for it.
static ATTACHED: AtomicU32 = AtomicU32::new(0);

const PAUSE: Duration = Duration::from_millis(1);

pub(crate) fn count() -> u32 {
    FORKS.load(SeqCst)
}

/// Attaches a thread that this module has started, unless the interpreter is gone.
///
/// It does not wait for the interpreter while the process forks. Python counts the threads that wait. In a
/// child that was forked by C code, it would wait for ever for such a thread to take its turn.
pub(crate) fn attach<T>(work: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    ATTACHED.fetch_add(1, SeqCst);
    while FORKING.load(SeqCst) > 0 {
        ATTACHED.fetch_sub(1, SeqCst);
        thread::sleep(PAUSE);
        ATTACHED.fetch_add(1, SeqCst);
    }
    let _attached = AttachedCount;
    Python::try_attach(work)
}

struct AttachedCount;

impl Drop for AttachedCount {
    fn drop(&mut self) {
        ATTACHED.fetch_sub(1, SeqCst);
    }
}

#[cfg(unix)]
pub(crate) use self::unix::install;

#[cfg(unix)]
#[expect(unsafe_code, reason = "registers functions with the C library")]
mod unix {
    use std::cell::Cell;
    use std::ffi::c_int;
    use std::mem::{self, ManuallyDrop};
    use std::sync::OnceLock;
    use std::thread;
    use std::time::Duration;

    use portier_client::{ForkGuard, before_fork};
    use pyo3::exceptions::PyImportError;
    use pyo3::types::PyDict;

    use pyo3::prelude::*;

    use super::{ATTACHED, FORKING, FORKS, PAUSE, SeqCst};

    /// How long a fork waits for threads of this module that are attached: a logging handler may be slow.
    const LIMIT: Duration = Duration::from_secs(1);

    thread_local! {
        /// That of the fork that this thread is in. It is not dropped when the thread ends.
        static GUARD: Cell<Option<ManuallyDrop<ForkGuard>>> = const { Cell::new(None) };
        /// Whether Python itself forks: then it prepares its own state.
        static BY_PYTHON: Cell<bool> = const { Cell::new(false) };
    }

    /// Whether the thread is attached. It is not part of Python's stable interface.
    static IS_ATTACHED: OnceLock<Option<unsafe extern "C" fn() -> c_int>> = OnceLock::new();

    /// Makes the C library call this module around each fork. It need not be undone: Python never
    /// unloads a module.
    pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
        if IS_ATTACHED.set(is_attached_function()).is_err() {
            return Ok(());
        }
        let hooks = PyDict::new(py);
        hooks.set_item("before", wrap_pyfunction!(python_forks, py)?)?;
        hooks.set_item("after_in_parent", wrap_pyfunction!(python_forked, py)?)?;
        hooks.set_item("after_in_child", wrap_pyfunction!(python_forked, py)?)?;
        py.import("os")?
            .call_method("register_at_fork", (), Some(&hooks))?;
        // SAFETY: the three functions live as long as the process, and do not unwind.
        let failure = unsafe {
            libc::pthread_atfork(Some(prepare), Some(after_in_parent), Some(after_in_child))
        };
        match failure {
            0 => Ok(()),
            _ => Err(PyImportError::new_err("the system has no memory left")),
        }
    }

    fn is_attached_function() -> Option<unsafe extern "C" fn() -> c_int> {
        // SAFETY: the name ends with a null byte.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"PyGILState_Check".as_ptr()) };
        // SAFETY: this is the function's type wherever there is one, and a null pointer becomes `None`.
        unsafe { mem::transmute(found) }
    }

    fn is_attached() -> bool {
        match IS_ATTACHED.get() {
            // SAFETY: it may be called by any thread.
            Some(Some(function)) => unsafe { function() == 1 },
            _ => false,
        }
    }

    #[pyfunction]
    fn python_forks() {
        BY_PYTHON.set(true);
    }

    #[pyfunction]
    fn python_forked() {
        BY_PYTHON.set(false);
    }

    extern "C" fn prepare() {
        FORKING.fetch_add(1, SeqCst);
        if !BY_PYTHON.get() && ATTACHED.load(SeqCst) > 0 {
            if is_attached() {
                Python::try_attach(|py| py.detach(wait_for_attached));
            } else {
                wait_for_attached();
            }
        }
        GUARD.set(Some(ManuallyDrop::new(before_fork())));
    }

    fn wait_for_attached() {
        let mut waited = Duration::ZERO;
        while ATTACHED.load(SeqCst) > 0 && waited < LIMIT {
            thread::sleep(PAUSE);
            waited += PAUSE;
        }
    }

    extern "C" fn after_in_parent() {
        FORKING.fetch_sub(1, SeqCst);
        end();
    }

    extern "C" fn after_in_child() {
        // The threads that were counted are the parent's.
        FORKING.store(0, SeqCst);
        ATTACHED.store(0, SeqCst);
        FORKS.fetch_add(1, SeqCst);
        end();
    }

    fn end() {
        drop(GUARD.take().map(ManuallyDrop::into_inner));
    }
}
