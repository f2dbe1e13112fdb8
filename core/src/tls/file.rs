//! Reading files of certificates and keys.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::Path;
use std::thread;
use std::time::Duration;

use self::kind::{is_pipe, open};
use super::problem::Problem;

/// The largest file that is read, in bytes. The authorities of a system have 200 kB.
const LONGEST: u64 = 16 << 20;

/// How long a pipe may take to end, in pauses: five seconds.
const PAUSES: u32 = 500;
const PAUSE: Duration = Duration::from_millis(10);

/// Reads a file of certificates or keys. It may be a pipe, such as `<(command)` of a shell, or a device. Those do not
/// tell their size, and may never end.
pub(crate) fn contents(path: &Path) -> Result<Vec<u8>, Problem> {
    contents_within(path, PAUSES)
}

pub(super) fn contents_within(path: &Path, pauses: u32) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let has_ended = read(path, pauses, &mut bytes).map_err(Problem::unreadable)?;
    if bytes.len() as u64 > LONGEST {
        return Err(Problem::new("is larger than 16 MiB"));
    }
    if !has_ended {
        return Err(Problem::new(
            "is a pipe or a device that did not end within 5 s; name a file",
        ));
    }
    Ok(bytes)
}

/// Whether a path leads to a pipe. This does not open it.
pub(super) fn leads_to_pipe(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| is_pipe(&metadata))
}

/// Reads until the file ends or is too large. Returns `false` if neither happens in time.
fn read(path: &Path, pauses: u32, bytes: &mut Vec<u8>) -> io::Result<bool> {
    let file = open(path)?;
    let is_pipe = is_pipe(&file.metadata()?);
    for _ in 0..=pauses {
        let room = (LONGEST + 1).saturating_sub(bytes.len() as u64);
        match (&file).take(room).read_to_end(bytes) {
            // A pipe ends when it has no writer. The first one may still come.
            Ok(_) if is_pipe && bytes.is_empty() => {}
            Ok(_) => return Ok(true),
            Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {}
            Err(cause) => return Err(cause),
        }
        thread::sleep(PAUSE);
    }
    Ok(false)
}

#[cfg(unix)]
mod kind {
    use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};

    use rustix::fs::OFlags;

    use super::{File, Metadata, Path, io};

    /// Opens a file. This does not wait for the writer of a pipe, and reading does not wait for more.
    pub(super) fn open(path: &Path) -> io::Result<File> {
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        File::options().read(true).custom_flags(flags).open(path)
    }

    pub(super) fn is_pipe(metadata: &Metadata) -> bool {
        metadata.file_type().is_fifo()
    }
}

#[cfg(not(unix))]
mod kind {
    use super::{File, Metadata, Path, io};

    pub(super) fn open(path: &Path) -> io::Result<File> {
        File::open(path)
    }

    /// A path does not lead to a pipe.
    pub(super) fn is_pipe(_: &Metadata) -> bool {
        false
    }
}
