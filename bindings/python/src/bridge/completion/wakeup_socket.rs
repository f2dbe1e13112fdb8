//! What an event loop watches, to be told from other threads that there is something for it.

#[cfg(unix)]
pub(super) use self::unix::WakeupSocket;
#[cfg(not(unix))]
pub(super) use self::without::WakeupSocket;

#[cfg(unix)]
mod unix {
    use std::io::{self, Read as _, Write as _};
    use std::os::fd::{AsRawFd as _, RawFd};
    use std::os::unix::net::UnixStream;

    /// Two ends of a socket: a loop watches one, anybody may ring at the other.
    pub(in super::super) struct WakeupSocket {
        reader: UnixStream,
        writer: UnixStream,
    }

    impl WakeupSocket {
        pub(in super::super) fn new() -> io::Result<Self> {
            let (reader, writer) = UnixStream::pair()?;
            reader.set_nonblocking(true)?;
            writer.set_nonblocking(true)?;
            Ok(Self { reader, writer })
        }

        /// What the loop watches.
        pub(in super::super) fn descriptor(&self) -> RawFd {
            self.reader.as_raw_fd()
        }

        pub(in super::super) fn wake(&self) {
            // It fails only if it was woken very often already, and nobody has listened yet.
            let _ = (&self.writer).write(&[0]);
        }

        /// Ends the ringing; some of it may be left, which does no harm.
        pub(in super::super) fn drain(&self) {
            let _ = (&self.reader).read(&mut [0; 64]);
        }
    }
}

#[cfg(not(unix))]
mod without {
    use std::io;

    /// There is none: the loops that most programs use there watch no sockets.
    pub(in super::super) enum WakeupSocket {}

    impl WakeupSocket {
        pub(in super::super) fn new() -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(in super::super) fn descriptor(&self) -> i32 {
            match *self {}
        }

        pub(in super::super) fn wake(&self) {
            match *self {}
        }

        pub(in super::super) fn drain(&self) {
            match *self {}
        }
    }
}
