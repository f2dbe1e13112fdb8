//! The path of a store, and whether it can be trusted.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process;

#[cfg(not(unix))]
use self::other as system;
use self::system::{check_writers, decoded, for_the_owner, identity, resolved};
#[cfg(unix)]
use self::unix as system;
use crate::error::{Code, Error, Result};

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

/// What the URL of a store begins with.
const PREFIX: &str = "sqlite:///";

/// An absolute path without symbolic links; whether there is a file is another question.
pub(super) struct Place {
    directory: PathBuf,
    path: PathBuf,
}

impl Place {
    /// Reads a URL: what follows `sqlite:///` is the path, as in SQLAlchemy, percent-encoded where
    /// it has to be.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] when it is not such a URL, or when there is no such directory.
    pub(super) fn parse(url: &str) -> Result<Self> {
        let path = url
            .strip_prefix(PREFIX)
            .ok_or_else(|| invalid("sqlite:/// and a path are expected"))?;
        if path.contains(['?', '#']) {
            return Err(invalid("it has parameters that are not known"));
        }
        if path.is_empty() || path == ":memory:" {
            return Err(invalid("it has no path; memory: is the store in memory"));
        }
        let path = decoded(path).ok_or_else(|| invalid("the path cannot be decoded"))?;
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
            let fact = match cause.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => {
                    "the store's directory does not exist; \
                     an absolute path takes four slashes: sqlite:////var/lib/…"
                }
                _ => "the store's directory cannot be used",
            };
            Error::new(Code::InvalidOption, fact).with_source(cause)
        })?;
        Ok(Self {
            path: directory.join(name),
            directory,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many octets the write-ahead log has.
    pub(super) fn log_length(&self) -> u64 {
        fs::symlink_metadata(self.beside("-wal")).map_or(0, |metadata| metadata.len())
    }

    /// The path of a file that SQLite keeps beside the store's.
    fn beside(&self, suffix: &str) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(suffix);
        path.into()
    }

    /// Checks that only the owner can have put there what is there, and makes an empty file if
    /// there is none.
    ///
    /// An existing file is not opened here: closing it again would release the locks that SQLite
    /// holds on it in this process ("How To Corrupt An SQLite Database File", section 2.2).
    ///
    /// # Errors
    /// [`Code::InvalidOption`].
    pub(super) fn prepare(&self) -> Result<()> {
        let metadata = fs::metadata(&self.directory).map_err(unusable)?;
        check_writers(&metadata, "the store's directory")?;
        match fs::symlink_metadata(&self.path) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => {
                self.create().map_err(unusable)?;
            }
            Err(cause) => return Err(unusable(cause)),
            Ok(_) => {}
        }
        let metadata = fs::symlink_metadata(&self.path).map_err(unusable)?;
        if metadata.is_symlink() {
            return Err(Error::new(
                Code::InvalidOption,
                "the store's file is a symbolic link",
            ));
        }
        if !metadata.is_file() {
            return Err(Error::new(Code::InvalidOption, "the store is not a file"));
        }
        if (1..SMALLEST_DATABASE).contains(&metadata.len()) {
            // SQLite would take it for an empty one.
            return Err(Error::new(
                Code::InvalidOption,
                "the store's file is not an SQLite database",
            ));
        }
        check_writers(&metadata, "the store's file")
    }

    /// Tells the file that is there now from others that were or will be there.
    pub(super) fn identity(&self) -> Option<Identity> {
        identity(&self.path)
    }

    /// Makes an empty file for the owner alone. It is closed before it gets its name, so that
    /// nobody can have locked it by then.
    fn create(&self) -> io::Result<()> {
        let draft = self.draft()?;
        let named = match fs::hard_link(&draft, &self.path) {
            Err(cause) if cause.kind() != ErrorKind::AlreadyExists => {
                // A file system without hard links.
                new_file(&self.path).map(drop)
            }
            named => named,
        };
        fs::remove_file(&draft)?;
        match named {
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => Ok(()),
            named => named,
        }
    }

    /// Makes an empty file under a name that no other thread or process uses.
    fn draft(&self) -> io::Result<PathBuf> {
        let mut number = 0_u32;
        loop {
            let mut name = OsString::from(".");
            name.push(self.path.file_name().unwrap_or_default());
            name.push(format!(".{}-{number}", process::id()));
            let draft = self.directory.join(name);
            match new_file(&draft) {
                Err(cause) if cause.kind() == ErrorKind::AlreadyExists && number < MOST_DRAFTS => {
                    number += 1;
                }
                made => return made.map(|_| draft),
            }
        }
    }
}

/// The device and the number of a file.
pub(super) type Identity = (u64, u64);

/// One page, in octets, of the smallest size there is.
const SMALLEST_DATABASE: u64 = 512;

/// Threads of one process that make the same file at once, and what crashed ones left behind.
const MOST_DRAFTS: u32 = 1000;

fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    for_the_owner(&mut options);
    options.open(path)
}

fn unusable(cause: io::Error) -> Error {
    Error::new(Code::InvalidOption, "the store's file cannot be used").with_source(cause)
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
