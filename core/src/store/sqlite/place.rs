//! The path of a store, and whether it can be trusted.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process;

#[cfg(not(unix))]
use self::other as system;
use self::reason::{reason, too_long};
use self::system::{
    check_directory, check_file, decoded, identity, new_directory, new_file, rename, resolved,
};
#[cfg(unix)]
use self::unix as system;
use crate::error::{Code, Error, Result, shown_path};

#[cfg(target_os = "linux")]
mod network;
#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod owners;
mod reason;
#[cfg(unix)]
mod unix;

/// The beginning of the URL of a store.
const PREFIX: &str = "sqlite:///";

/// An absolute path without symbolic links. The file may not exist.
pub(super) struct Place {
    directory: PathBuf,
    path: PathBuf,
}

impl Place {
    /// Parses a URL: the text after `sqlite:///` is the path, percent-encoded, as in SQLAlchemy.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] if the URL is invalid, or if the directory does not exist.
    pub(super) fn parse(url: &str) -> Result<Self> {
        let path = url
            .strip_prefix(PREFIX)
            .ok_or_else(|| invalid("sqlite:/// and a path are expected"))?;
        if path.contains(['?', '#']) {
            return Err(invalid("it has unknown parameters"));
        }
        if path.is_empty() || path == ":memory:" {
            return Err(invalid("it has no path; memory: is the store in memory"));
        }
        let path = decoded(path).map_err(invalid)?;
        Self::new(Path::new(&path))
    }

    fn new(path: &Path) -> Result<Self> {
        let name = path
            .file_name()
            .ok_or_else(|| invalid("the path names no file"))?;
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let directory = resolved(directory).map_err(|cause| {
            let fact = if cause.kind() == ErrorKind::NotFound {
                "the store's directory does not exist; \
                 an absolute path takes four slashes: sqlite:////var/lib/…"
                    .to_owned()
            } else {
                let denied = "this process may not enter it, or a directory above it";
                format!(
                    "the store's directory cannot be used: {}",
                    reason(&cause, denied)
                )
            };
            let path = shown_path(directory);
            let text = format_args!("{fact} directory={path}");
            Error::new(Code::InvalidOption, text).with_source(cause)
        })?;
        Ok(Self {
            path: directory.join(name),
            directory,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The size of the write-ahead log, in bytes.
    pub(super) fn log_length(&self) -> u64 {
        fs::symlink_metadata(self.beside("-wal")).map_or(0, |metadata| metadata.len())
    }

    /// The path of a file that SQLite creates beside the store's.
    fn beside(&self, suffix: &str) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(suffix);
        path.into()
    }

    /// Checks that only the owner can have created the existing files, and creates an empty file if there is
    /// none. If others can create files in the directory, too, it returns a draft: the draft has to be complete
    /// before it gets the name of the store's file.
    ///
    /// This does not open an existing file: closing it would release the locks that SQLite holds on it in this
    /// process ("How To Corrupt An SQLite Database File", section 2.2).
    ///
    /// # Errors
    /// [`Code::InvalidOption`]; [`Code::StoreUnavailable`] if the disk is full.
    pub(super) fn prepare(&self) -> Result<Option<Draft>> {
        too_long(&self.path)?;
        let is_shared = check_directory(&self.directory)?;
        #[cfg(target_os = "linux")]
        network::check(&self.directory)?;
        match fs::symlink_metadata(&self.path) {
            Err(cause) if cause.kind() == ErrorKind::NotFound && is_shared => {
                return Draft::new(self)
                    .map(Some)
                    .map_err(|cause| self.unusable(cause));
            }
            Err(cause) if cause.kind() == ErrorKind::NotFound => {
                self.create().map_err(|cause| self.unusable(cause))?;
            }
            Err(cause) => return Err(self.unusable(cause)),
            Ok(_) => {}
        }
        let metadata = check(&self.path, "the store's file", is_shared)?;
        let length = metadata.map_or(0, |metadata| metadata.len());
        if (1..SMALLEST_DATABASE).contains(&length) {
            // SQLite would treat it as empty.
            return Err(self.refused("the store's file is not an SQLite database"));
        }
        if is_shared && length == 0 {
            // SQLite would remove its journal, and others could create theirs.
            return Err(self.refused(
                "the store's file is empty, and others can make files beside it; remove it, \
                 or use a directory of its own, mode 0700",
            ));
        }
        for (suffix, what) in BESIDE {
            let path = self.beside(suffix);
            if is_shared {
                // So that nobody else can create it before SQLite does.
                existing(new_file(&path)).map_err(|cause| unusable(cause, &path))?;
            }
            check(&path, what, is_shared)?;
        }
        Ok(None)
    }

    /// An error of the configuration.
    pub(super) fn refused(&self, fact: &str) -> Error {
        self.error(Code::InvalidOption, fact)
    }

    /// An error of the content.
    pub(super) fn failed(&self, fact: &str) -> Error {
        self.error(Code::StoreFailed, fact)
    }

    fn error(&self, code: Code, fact: &str) -> Error {
        let path = shown_path(&self.path);
        Error::new(code, format_args!("{fact} path={path}"))
    }

    fn unusable(&self, cause: io::Error) -> Error {
        unusable(cause, &self.path)
    }

    /// Identifies the current file, to notice if it is replaced.
    pub(super) fn identity(&self) -> Option<Identity> {
        identity(&self.path)
    }

    /// Creates an empty file that only the owner can access. It is closed before it gets its name, so that
    /// nobody can have locked it before.
    fn create(&self) -> io::Result<()> {
        let draft = self.draft()?;
        let named = match fs::hard_link(&draft, &self.path) {
            Err(cause) if cause.kind() != ErrorKind::AlreadyExists => {
                // The file system has no hard links.
                new_file(&self.path)
            }
            named => named,
        };
        fs::remove_file(&draft)?;
        existing(named)
    }

    /// Creates an empty file with a name that no other thread or process uses.
    fn draft(&self) -> io::Result<PathBuf> {
        self.under_a_free_name(new_file)
    }

    fn under_a_free_name(&self, make: impl Fn(&Path) -> io::Result<()>) -> io::Result<PathBuf> {
        let mut number = 0_u32;
        loop {
            let mut name = OsString::from(".");
            name.push(self.path.file_name().unwrap_or_default());
            name.push(format!(".{}-{number}", process::id()));
            let draft = self.directory.join(name);
            match make(&draft) {
                Err(cause) if cause.kind() == ErrorKind::AlreadyExists && number < MAX_DRAFTS => {
                    number += 1;
                }
                result => return result.map(|()| draft),
            }
        }
    }
}

/// A new file in a temporary directory, which is removed at the end.
pub(super) struct Draft(Place);

impl Draft {
    fn new(place: &Place) -> io::Result<Self> {
        let directory = place.under_a_free_name(new_directory)?;
        let path = directory.join("draft.db");
        Ok(Self(Place { directory, path }))
    }

    pub(super) fn place(&self) -> &Place {
        &self.0
    }

    /// Gives the closed file its final name, unless another process was faster.
    ///
    /// # Errors
    /// [`Code::InvalidOption`].
    pub(super) fn publish(self, place: &Place) -> Result<()> {
        existing(rename(&self.0.path, &place.path)).map_err(|cause| place.unusable(cause))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0.directory);
    }
}

/// The device and the number of a file.
pub(super) type Identity = (u64, u64);

/// The smallest page size of SQLite, in bytes.
const SMALLEST_DATABASE: u64 = 512;

/// How many names are tried. Another thread may use a name, or a crash may have left it behind.
const MAX_DRAFTS: u32 = 1000;

/// The suffixes of the files that SQLite creates beside a file.
const BESIDE: [(&str, &str); 3] = [
    ("-journal", "the store's journal (-journal)"),
    ("-wal", "the store's write-ahead log (-wal)"),
    ("-shm", "the store's shared memory (-shm)"),
];

/// Checks one of the files of a store, if it exists.
fn check(path: &Path, what: &str, is_shared: bool) -> Result<Option<Metadata>> {
    let metadata = match fs::symlink_metadata(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        metadata => metadata.map_err(|cause| unusable(cause, path))?,
    };
    let fact = if metadata.is_symlink() {
        "is a symbolic link"
    } else if metadata.is_dir() {
        "is a directory"
    } else if metadata.is_file() {
        check_file(&metadata, what, path, is_shared)?;
        return Ok(Some(metadata));
    } else {
        "is not a file"
    };
    let path = shown_path(path);
    Err(Error::new(
        Code::InvalidOption,
        format_args!("{what} {fact} path={path}"),
    ))
}

/// An existing file or directory is as good as a created one.
fn existing(made: io::Result<()>) -> io::Result<()> {
    match made {
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

fn unusable(cause: io::Error, path: &Path) -> Error {
    let is_full = matches!(
        cause.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    );
    let code = if is_full || system::is_out_of_files(&cause) {
        Code::StoreUnavailable
    } else {
        Code::InvalidOption
    };
    let reason = reason(&cause, "this process may not create files in its directory");
    let path = shown_path(path);
    let text = format_args!("the store's file cannot be used: {reason} path={path}");
    Error::new(code, text).with_source(cause)
}

fn invalid(fact: &str) -> Error {
    Error::new(
        Code::InvalidOption,
        format_args!("the store's URL cannot be used: {fact}"),
    )
}

#[cfg(test)]
#[cfg(all(unix, feature = "testing"))]
mod tests;
