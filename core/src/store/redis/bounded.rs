//! Limits the size of replies.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The longest value that is read: the longest shared document.
pub(super) const MAX_VALUE_BYTES: u64 = 2 * 1024 * 1024;

/// The longest line of a simple string, an error or a number.
const MAX_LINE_BYTES: u64 = 64 * 1024;

/// The longest reply with many values, for example the slots of a cluster with a thousand nodes.
const MAX_REPLY_BYTES: u64 = 8 * 1024 * 1024;

/// The longest line with a length.
const MAX_HEADER_BYTES: usize = 32;

const CHUNK_BYTES: usize = 16 * 1024;

/// The code of the error that replaces a value that is too long.
pub(super) const TOO_LONG: &str = "TOOLONG";

/// A stream that replaces a value that is too long by an error. The value is read and dropped, so that the
/// following replies still reach their callers.
pub(super) struct Bounded<S> {
    stream: S,
    framing: Framing,
    chunk: Box<[u8]>,
    /// The bytes that may be read now.
    ready: Vec<u8>,
    given: usize,
}

impl<S> Bounded<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            framing: Framing::default(),
            chunk: vec![0; CHUNK_BYTES].into_boxed_slice(),
            ready: Vec::new(),
            given: 0,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            let rest = this.ready.get(this.given..).unwrap_or_default();
            if let Some(part) = rest.get(..rest.len().min(buffer.remaining()))
                && !part.is_empty()
            {
                buffer.put_slice(part);
                this.given += part.len();
                return Poll::Ready(Ok(()));
            }
            this.ready.clear();
            this.given = 0;
            let mut chunk = ReadBuf::new(&mut this.chunk);
            ready!(Pin::new(&mut this.stream).poll_read(context, &mut chunk))?;
            if chunk.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.framing.pass(chunk.filled(), &mut this.ready)?;
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// The position in the stream of replies (RESP 2, with the lengths of RESP 3).
#[derive(Default)]
struct Framing {
    at: At,
    /// The number of values that remain in the current reply, including the current one; 0 between replies.
    values: u64,
    /// The bytes of the current reply that were passed on.
    passed: u64,
}

#[derive(Default)]
enum At {
    /// At the start of a value.
    #[default]
    Value,
    /// In a line, with the number of bytes so far.
    Line(u64),
    /// In a line with a length.
    Header(Vec<u8>),
    /// In a value, with the number of remaining bytes.
    Body(u64),
    /// The same, in a value that is dropped.
    Dropped(u64),
    /// After an invalid reply, which the parser refuses.
    Lost,
}

impl Framing {
    /// Passes on the bytes.
    fn pass(&mut self, mut bytes: &[u8], to: &mut Vec<u8>) -> io::Result<()> {
        let mut counted = to.len();
        while let Some(&first) = bytes.first() {
            let count = match &mut self.at {
                At::Value => {
                    self.begin(first, to);
                    1
                }
                At::Line(seen) => {
                    let (line, is_whole) = line(bytes);
                    *seen += length(line);
                    if *seen > MAX_LINE_BYTES {
                        return Err(too_much());
                    }
                    to.extend_from_slice(line);
                    if is_whole {
                        self.end();
                    }
                    line.len()
                }
                At::Header(header) => {
                    let (line, is_whole) = line(bytes);
                    header.extend_from_slice(line);
                    if header.len() > MAX_HEADER_BYTES {
                        return Err(too_much());
                    }
                    if is_whole {
                        let header = std::mem::take(header);
                        self.follow(&header, to);
                    }
                    line.len()
                }
                At::Body(left) => {
                    let body = prefix(bytes, *left);
                    to.extend_from_slice(body);
                    *left -= length(body);
                    if *left == 0 {
                        self.end();
                    }
                    body.len()
                }
                At::Dropped(left) => {
                    let body = prefix(bytes, *left);
                    *left -= length(body);
                    if *left == 0 {
                        self.end();
                    }
                    body.len()
                }
                At::Lost => {
                    to.extend_from_slice(bytes);
                    bytes.len()
                }
            };
            bytes = bytes.get(count..).unwrap_or_default();
            self.passed += (to.len() - counted) as u64;
            counted = to.len();
            if self.passed > MAX_REPLY_BYTES {
                return Err(too_much());
            }
            if self.values == 0 {
                self.passed = 0;
            }
        }
        Ok(())
    }

    fn begin(&mut self, first: u8, to: &mut Vec<u8>) {
        self.values = self.values.max(1);
        self.at = match first {
            b'$' | b'=' | b'!' | b'*' | b'~' | b'>' | b'%' | b'|' => At::Header(vec![first]),
            b'+' | b'-' | b':' | b'_' | b',' | b'#' | b'(' => {
                to.push(first);
                At::Line(0)
            }
            _ => {
                to.push(first);
                At::Lost
            }
        };
    }

    fn follow(&mut self, header: &[u8], to: &mut Vec<u8>) {
        let (kind, count) = match header {
            [kind, count @ ..] => (*kind, std::str::from_utf8(count).unwrap_or_default()),
            [] => (0, ""),
        };
        let Ok(count) = count.trim().parse::<i64>() else {
            to.extend_from_slice(header);
            self.at = At::Lost;
            return;
        };
        let count = u64::try_from(count).ok();
        let is_whole = matches!(kind, b'$' | b'=' | b'!');
        match count {
            Some(count) if is_whole && count > MAX_VALUE_BYTES => {
                to.extend_from_slice(format!("-{TOO_LONG} value\r\n").as_bytes());
                self.at = At::Dropped(count.saturating_add(2));
                return;
            }
            Some(count) if is_whole => self.at = At::Body(count + 2),
            Some(count) => {
                let values = match kind {
                    b'%' => count.saturating_mul(2),
                    // The value follows its attributes.
                    b'|' => count.saturating_mul(2).saturating_add(1),
                    _ => count,
                };
                self.values = self.values.saturating_add(values);
                self.end();
            }
            None => self.end(),
        }
        to.extend_from_slice(header);
    }

    fn end(&mut self) {
        self.values -= 1;
        self.at = At::Value;
    }
}

/// The bytes up to the end of the line, and whether it is there.
fn line(bytes: &[u8]) -> (&[u8], bool) {
    match memchr::memchr(b'\n', bytes) {
        Some(end) => (bytes.get(..=end).unwrap_or(bytes), true),
        None => (bytes, false),
    }
}

fn prefix(bytes: &[u8], count: u64) -> &[u8] {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    bytes.get(..count).unwrap_or(bytes)
}

fn length(bytes: &[u8]) -> u64 {
    bytes.len() as u64
}

fn too_much() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a reply of redis is too long")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    /// The output if the bytes arrive in pieces of this size.
    fn passed(bytes: &[u8], at_a_time: usize) -> io::Result<Vec<u8>> {
        let mut framing = Framing::default();
        let mut to = Vec::new();
        for part in bytes.chunks(at_a_time) {
            framing.pass(part, &mut to)?;
        }
        Ok(to)
    }

    fn bulk(length: usize) -> Vec<u8> {
        let mut bytes = format!("${length}\r\n").into_bytes();
        bytes.resize(bytes.len() + length, b'\n');
        bytes.extend_from_slice(b"\r\n");
        bytes
    }

    #[test]
    fn replies_come_through_as_they_are() {
        let replies = b"+OK\r\n-ERR a\r\n:-5\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n$5\r\na\r\n$9\r\n\
            *3\r\n:1\r\n*2\r\n$1\r\nx\r\n+y\r\n$-1\r\n%1\r\n+a\r\n:1\r\n|1\r\n+a\r\n:1\r\n+b\r\n+c\r\n";
        for at_a_time in [1, 2, 3, 7, replies.len()] {
            assert_eq!(passed(replies, at_a_time).unwrap(), replies, "{at_a_time}");
        }
    }

    #[test]
    fn a_value_that_is_too_long_comes_as_an_error() {
        let most = usize::try_from(MAX_VALUE_BYTES).unwrap();
        let longest = bulk(most);
        let replies = [
            &bulk(most + 1)[..],
            b"*2\r\n",
            &bulk(most + 1),
            b":1\r\n",
            &longest,
        ]
        .concat();
        for at_a_time in [1000, 4096, replies.len()] {
            let expected = [
                b"-TOOLONG value\r\n*2\r\n-TOOLONG value\r\n:1\r\n",
                &longest[..],
            ];
            assert!(passed(&replies, at_a_time).unwrap() == expected.concat());
        }
    }

    #[test]
    fn a_reply_without_end_ends_the_connection() {
        let line = [b"+".as_slice(), &vec![b'a'; 65 * 1024]].concat();
        let many = [b"*1000000000\r\n".as_slice(), &b":1\r\n".repeat(2 << 20)].concat();
        let header = [b"$".as_slice(), &[b'0'; 40]].concat();
        for bytes in [line, many, header] {
            assert!(passed(&bytes, 1000).is_err());
        }
        // Many short replies are not one long reply.
        assert!(passed(&b"+OK\r\n".repeat(2 << 20), 1000).is_ok());
    }

    #[test]
    fn an_invalid_reply_is_left_to_the_parser() {
        for bytes in [
            &b"HTTP/1.1 400 Bad Request\r\n"[..],
            b"$x\r\n+OK\r\n",
            b"\0$5",
        ] {
            assert_eq!(passed(bytes, 3).unwrap(), bytes);
        }
    }
}
