//! Files on other systems, mainly Windows.

use std::ffi::OsString;
use std::fs::{self, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

use super::{Identity, unusable};
use crate::error::Result;

/// An open file cannot be replaced.
pub(super) fn identity(_: &Path) -> Option<Identity> {
    Some((0, 0))
}

pub(super) fn new_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).open(path).map(drop)
}

pub(super) fn new_directory(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to)
}

/// SQLite does not support the form of canonical paths of Windows.
pub(super) fn resolved(directory: &Path) -> io::Result<PathBuf> {
    directory.metadata()?;
    std::path::absolute(directory)
}

pub(super) fn decoded(path: &str) -> Result<OsString, &'static str> {
    let text = percent_decode_str(path).decode_utf8();
    let text = text.map_err(|_| "the path is not UTF-8")?;
    if text.contains('\0') {
        return Err("the path contains a NUL byte");
    }
    Ok(text.into_owned().into())
}

/// Access control lists are not checked.
pub(super) fn check_directory(directory: &Path) -> Result<bool> {
    fs::metadata(directory).map_err(|cause| unusable(cause, directory))?;
    Ok(false)
}

pub(super) fn check_file(_: &Metadata, _: &str, _: &Path, _: bool) -> Result<()> {
    Ok(())
}

/// Access control lists are not checked.
pub(super) fn file_is_usable(_: &Path) -> io::Result<()> {
    Ok(())
}

pub(super) fn directory_is_usable(_: &Path) -> io::Result<()> {
    Ok(())
}

pub(super) fn is_out_of_files(_: &io::Error) -> bool {
    false
}

pub(super) fn has_space(_: &Path) -> bool {
    true
}
