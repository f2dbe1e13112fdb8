//! Files as Unix has them.

use std::ffi::OsString;
use std::fs::{self, Metadata, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

use super::Identity;
use crate::error::{Code, Error, Result};

pub(super) fn identity(path: &Path) -> Option<Identity> {
    let metadata = fs::symlink_metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

pub(super) fn for_the_owner(options: &mut OpenOptions) {
    options.mode(0o600);
}

/// Without symbolic links: SQLite refuses a path that contains one.
pub(super) fn resolved(directory: &Path) -> io::Result<PathBuf> {
    directory.canonicalize()
}

pub(super) fn decoded(path: &str) -> Option<OsString> {
    let octets: Vec<u8> = percent_decode_str(path).collect();
    (!octets.contains(&0)).then(|| OsString::from_vec(octets))
}

/// Whoever may write the file could log in as anybody, and who may write in its directory could put
/// another one in its place.
pub(super) fn check_writers(metadata: &Metadata, what: &str) -> Result<()> {
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o022 == 0 {
        return Ok(());
    }
    Err(Error::new(
        Code::InvalidOption,
        format_args!(
            "{what} can be written by others; take that from them with chmod go-w mode={mode:04o}"
        ),
    ))
}
