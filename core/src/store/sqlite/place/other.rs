//! Files as other systems have them, Windows above all.

use std::ffi::OsString;
use std::fs::{Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

use super::Identity;
use crate::error::Result;

/// A file that is open stays where it is.
pub(super) fn identity(_: &Path) -> Option<Identity> {
    Some((0, 0))
}

pub(super) fn for_the_owner(_: &mut OpenOptions) {}

/// SQLite does not read the form in which Windows returns canonical paths.
pub(super) fn resolved(directory: &Path) -> io::Result<PathBuf> {
    directory.metadata()?;
    std::path::absolute(directory)
}

pub(super) fn decoded(path: &str) -> Option<OsString> {
    let text = percent_decode_str(path).decode_utf8().ok()?;
    (!text.contains('\0')).then(|| text.into_owned().into())
}

/// Who may do what is told in lists that nobody here reads.
pub(super) fn check_writers(_: &Metadata, _: &str) -> Result<()> {
    Ok(())
}
