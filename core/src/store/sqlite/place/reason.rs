//! Why a file cannot be used, in words. SQLite's own errors do not say it.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::system::{directory_is_usable, file_is_usable, has_space, is_out_of_files};
use super::{BESIDE, Place};
use crate::error::{Code, Error, Result, shown_path};

/// The longest path that SQLite opens on Unix, in bytes: it adds 8 bytes for other files, up to 512.
const LONGEST_PATH: usize = 504;

/// A file that every process can open, if it may open another one.
const ANY_FILE: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

/// Why SQLite cannot use a file.
pub(in super::super) struct Fault {
    pub(in super::super) reason: String,
    /// The file or the directory that is the reason.
    pub(in super::super) path: PathBuf,
    /// Whether the process has no free descriptor, or the disk no space.
    pub(in super::super) may_pass: bool,
}

impl Place {
    /// Finds out why SQLite cannot use the file. This opens no file of the store.
    pub(in super::super) fn fault(&self) -> Option<Fault> {
        let fault = |cause: &io::Error, denied: &str, path: &Path| Fault {
            reason: reason(cause, denied),
            path: path.to_owned(),
            may_pass: is_out_of_files(cause) || cause.kind() == ErrorKind::StorageFull,
        };
        if let Err(cause) = File::open(ANY_FILE)
            && is_out_of_files(&cause)
        {
            return Some(fault(&cause, "", &self.path));
        }
        let beside = BESIDE.iter().map(|(suffix, _)| self.beside(suffix));
        for path in [self.path.clone()].into_iter().chain(beside) {
            match file_is_usable(&path) {
                Err(cause) if cause.kind() != ErrorKind::NotFound => {
                    let denied = "this process may not read and write it";
                    return Some(fault(&cause, denied, &path));
                }
                _ => {}
            }
        }
        if let Err(cause) = directory_is_usable(&self.directory) {
            let denied = "this process may not create files in the directory";
            return Some(fault(&cause, denied, &self.directory));
        }
        (!has_space(&self.directory))
            .then(|| fault(&ErrorKind::StorageFull.into(), "", &self.directory))
    }
}

/// The reason of an error in plain words, or in those of the operating system.
pub(super) fn reason(cause: &io::Error, denied: &str) -> String {
    let plain = match cause.kind() {
        ErrorKind::StorageFull => "the disk is full",
        ErrorKind::QuotaExceeded => "the quota of this user on the disk is used up",
        ErrorKind::ReadOnlyFilesystem => "its file system is read-only",
        ErrorKind::PermissionDenied => denied,
        ErrorKind::InvalidFilename => "the name is too long",
        _ if is_out_of_files(cause) => "this process or system has too many open files",
        _ => return cause.to_string(),
    };
    plain.to_owned()
}

/// Checks the length of a path.
///
/// # Errors
/// [`Code::InvalidOption`].
pub(super) fn too_long(path: &Path) -> Result<()> {
    let length = path.as_os_str().len();
    if cfg!(windows) || length <= LONGEST_PATH {
        return Ok(());
    }
    let path = shown_path(path);
    Err(Error::new(
        Code::InvalidOption,
        format_args!(
            "the store's file cannot be used: SQLite opens paths of at most {LONGEST_PATH} bytes \
             length={length} path={path}"
        ),
    ))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::store::sqlite::place::unusable;

    #[test]
    fn a_shortage_of_the_system_is_no_error_of_configuration() {
        use rustix::io::Errno;

        let path = Path::new("/data/logins.db");
        for (errno, code, reason) in [
            (Errno::MFILE, Code::StoreUnavailable, "too many open files"),
            (Errno::NFILE, Code::StoreUnavailable, "too many open files"),
            (Errno::NOSPC, Code::StoreUnavailable, "the disk is full"),
            (Errno::DQUOT, Code::StoreUnavailable, "the quota of this"),
            (Errno::ROFS, Code::InvalidOption, "is read-only"),
            (Errno::ACCESS, Code::InvalidOption, "may not create files"),
            (Errno::NAMETOOLONG, Code::InvalidOption, "name is too long"),
            (Errno::LOOP, Code::InvalidOption, "(os error "),
        ] {
            let error = unusable(errno.into(), path);
            assert_eq!(error.code(), code, "{reason}");
            let text = error.to_string();
            assert!(text.contains(reason), "{text}");
            assert!(text.ends_with(" path=/data/logins.db"), "{text}");
        }
    }
}
