//! What an event loop watches, to be told from other threads that there is something for it.

#[cfg(unix)]
pub(super) use self::unix::Bell;
#[cfg(not(unix))]
pub(super) use self::without::Bell;

#[cfg(unix)]
mod unix {
    use std::io::{self, Read as _, Write as _};
    use std::os::fd::{AsRawFd as _, RawFd};
    use std::os::unix::net::UnixStream;

    /// Two ends of a socket: a loop watches one, anybody may ring at the other.
    pub(in super::super) struct Bell {
        watched: UnixStream,
        rung: UnixStream,
    }

    impl Bell {
        pub(in super::super) fn new() -> io::Result<Self> {
            let (watched, rung) = UnixStream::pair()?;
            watched.set_nonblocking(true)?;
            rung.set_nonblocking(true)?;
            Ok(Self { watched, rung })
        }

        /// What the loop watches.
        pub(in super::super) fn descriptor(&self) -> RawFd {
            self.watched.as_raw_fd()
        }

        pub(in super::super) fn ring(&self) {
            // It fails only if it has rung very often already, and nobody has listened yet.
            let _ = (&self.rung).write(&[0]);
        }

        /// Ends the ringing; some of it may be left, which does no harm.
        pub(in super::super) fn quieten(&self) {
            let _ = (&self.watched).read(&mut [0; 64]);
        }
    }
}

#[cfg(not(unix))]
mod without {
    use std::io;

    /// There is none: the loops that most programs use there watch no sockets.
    pub(in super::super) enum Bell {}

    impl Bell {
        pub(in super::super) fn new() -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(in super::super) fn descriptor(&self) -> i32 {
            match *self {}
        }

        pub(in super::super) fn ring(&self) {
            match *self {}
        }

        pub(in super::super) fn quieten(&self) {
            match *self {}
        }
    }
}
