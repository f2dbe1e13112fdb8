//! How other threads wake an event loop.

#[cfg(unix)]
pub(super) use self::unix::WakeupSocket;
#[cfg(not(unix))]
pub(super) use self::without::WakeupSocket;

#[cfg(unix)]
mod unix {
    use std::io::{self, Read as _, Write as _};
    use std::os::fd::{AsRawFd as _, RawFd};
    use std::os::unix::net::UnixStream;

    /// Two ends of a socket: the loop watches one, any thread writes to the other.
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

        /// For `add_reader` of the loop.
        pub(in super::super) fn descriptor(&self) -> RawFd {
            self.reader.as_raw_fd()
        }

        pub(in super::super) fn wake(&self) {
            // It fails only if the socket's buffer is full, and then the loop has a reason to wake.
            let _ = (&self.writer).write(&[0]);
        }

        /// Reads wake-ups. If some are left, the loop wakes once more without work.
        pub(in super::super) fn drain(&self) {
            let _ = (&self.reader).read(&mut [0; 64]);
        }
    }
}

#[cfg(not(unix))]
mod without {
    use std::io;

    /// Does not exist: the default event loop of Windows cannot watch sockets.
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
