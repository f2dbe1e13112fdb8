//! Which threads handle the signals of the process.

/// Leaves signals to the threads of the host: the system may deliver a signal to any thread that does not
/// block it. uWSGI ends the interpreter in its handler. In a thread of this module, the handler would wait
/// for ever for its own thread to end.
#[cfg(unix)]
#[expect(unsafe_code, reason = "only the C library has these calls")]
pub(super) fn block() {
    /// Signals of faults of the thread itself. If they were blocked, the process would end without a call
    /// of the handlers that report crashes.
    const CAUSED: [libc::c_int; 7] = [
        libc::SIGABRT,
        libc::SIGBUS,
        libc::SIGFPE,
        libc::SIGILL,
        libc::SIGSEGV,
        libc::SIGSYS,
        libc::SIGTRAP,
    ];

    let mut signals = std::mem::MaybeUninit::uninit();
    // SAFETY: `sigfillset` initializes the set before anything else uses it. The calls change the mask
    // of this thread and nothing else; they cannot fail with these arguments.
    unsafe {
        libc::sigfillset(signals.as_mut_ptr());
        for signal in CAUSED {
            libc::sigdelset(signals.as_mut_ptr(), signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, signals.as_ptr(), std::ptr::null_mut());
    }
}

#[cfg(not(unix))]
pub(super) fn block() {}
