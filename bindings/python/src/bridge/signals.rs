//! Which threads handle the signals of the process.

/// Leaves signals to the threads of the host: the system may give a signal to any thread that does not
/// block it. uWSGI ends the interpreter in its handler, which on a thread of ours would wait for ever
/// for that thread to end.
#[cfg(unix)]
#[expect(unsafe_code, reason = "only the C library has these calls")]
pub(super) fn block() {
    /// A thread that causes one of these gets it itself; blocked, it would end the process unseen by
    /// whoever reports crashes.
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
