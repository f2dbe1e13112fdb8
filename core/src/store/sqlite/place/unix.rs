//! Files on Unix.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use rustix::fs::{Access, AtFlags, CWD, accessat, statvfs};
use rustix::io::Errno;

use super::owners::{is_ours, is_sticky, others_may_write, user};
use super::{Identity, unusable};
use crate::error::{Code, Error, Result, shown_path};

/// Advice that is safe in every case.
const ADVICE: &str = "use a directory of its own, mode 0700";

pub(super) fn identity(path: &Path) -> Option<Identity> {
    let metadata = fs::symlink_metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// Creates a file that only the owner can access, whatever the umask is.
pub(super) fn new_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let file: File = options.open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))
}

/// Creates a directory that only the owner can access, whatever the umask is.
pub(super) fn new_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o700))
}

/// Renames a file, unless the new name exists.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{RenameFlags, renameat_with};

    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(super) fn rename(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether the effective user may read and write a file, without opening it.
pub(super) fn file_is_usable(path: &Path) -> io::Result<()> {
    is_accessible(path, Access::READ_OK | Access::WRITE_OK)
}

/// Whether the effective user may create files in a directory.
pub(super) fn directory_is_usable(path: &Path) -> io::Result<()> {
    is_accessible(path, Access::WRITE_OK | Access::EXEC_OK)
}

fn is_accessible(path: &Path, access: Access) -> io::Result<()> {
    match accessat(CWD, path, access, AtFlags::EACCESS) {
        // Not every system can answer for the effective user.
        Err(Errno::NOSYS | Errno::OPNOTSUPP) => Ok(()),
        result => Ok(result?),
    }
}

/// Whether the process or the system has no descriptor left.
pub(super) fn is_out_of_files(cause: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(cause),
        Some(Errno::MFILE | Errno::NFILE)
    )
}

/// Whether users have space on the disk of a directory.
pub(super) fn has_space(directory: &Path) -> bool {
    statvfs(directory).is_ok_and(|disk| disk.f_bavail > 0)
}

/// Without symbolic links: SQLite refuses a path that contains one.
pub(super) fn resolved(directory: &Path) -> io::Result<PathBuf> {
    directory.canonicalize()
}

pub(super) fn decoded(path: &str) -> Result<OsString, &'static str> {
    let bytes: Vec<u8> = percent_decode_str(path).collect();
    if bytes.contains(&0) {
        return Err("the path contains a NUL byte");
    }
    Ok(OsString::from_vec(bytes))
}

/// Checks that other users cannot remove or replace our files in a directory, nor the directory itself.
/// Returns whether others can create files in it.
///
/// # Errors
/// [`Code::InvalidOption`], with what is wrong.
pub(super) fn check_directory(directory: &Path) -> Result<bool> {
    let root = fs::symlink_metadata("/")
        .map_err(|cause| unusable(cause, Path::new("/")))?
        .uid();
    for above in directory.ancestors().skip(1) {
        let metadata = fs::symlink_metadata(above).map_err(|cause| unusable(cause, above))?;
        let fact = if !metadata.is_dir() {
            "is not a directory"
        } else if !is_ours(&metadata) && metadata.uid() != root {
            // The owner of the root directory can do everything, even if it is not root.
            "belongs to another user, who could replace it"
        } else if others_may_write(above, &metadata) && !is_sticky(&metadata) {
            "can be written by others, who could replace it"
        } else {
            continue;
        };
        let what = format!("a directory above the store's {fact}; {ADVICE}, elsewhere");
        return Err(refused(&what, "directory", above, &metadata));
    }
    let metadata = fs::symlink_metadata(directory).map_err(|cause| unusable(cause, directory))?;
    let others_may_write = others_may_write(directory, &metadata);
    let fact = if !metadata.is_dir() {
        "is not a directory"
    } else if !is_ours(&metadata) {
        "belongs to another user, who could replace its files"
    } else if others_may_write && !is_sticky(&metadata) {
        "can be written by others, who could replace its files"
    } else {
        return Ok(others_may_write);
    };
    let what = format!("the store's directory {fact}; {ADVICE}");
    Err(refused(&what, "directory", directory, &metadata))
}

/// Checks one of the files of a store: a user who can write it could log in as anyone.
///
/// # Errors
/// [`Code::InvalidOption`], with what is wrong.
pub(super) fn check_file(
    metadata: &Metadata,
    what: &str,
    path: &Path,
    is_shared: bool,
) -> Result<()> {
    if !is_ours(metadata) {
        let what = format!("{what} belongs to another user; {ADVICE}");
        return Err(refused(&what, "file", path, metadata));
    }
    if is_shared && metadata.nlink() != 1 {
        // Others could create a link to any of our files.
        let what = format!("{what} has another name as well; {ADVICE}");
        return Err(refused(&what, "file", path, metadata));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o022 != 0 {
        let path = shown_path(path);
        return Err(Error::new(
            Code::InvalidOption,
            format_args!(
                "{what} can be written by others; take that from them with chmod go-w mode={mode:04o} path={path}"
            ),
        ));
    }
    Ok(())
}

fn refused(what: &str, kind: &str, path: &Path, metadata: &Metadata) -> Error {
    let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
    let (user, path) = (user(), path.to_string_lossy());
    Error::new(
        Code::InvalidOption,
        format_args!("{what} {kind}={path:?} owner={owner} user={user} mode={mode:04o}"),
    )
}
