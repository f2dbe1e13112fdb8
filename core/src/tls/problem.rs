//! The problems with files of certificates and keys.

use std::fmt;
use std::io;

/// The problem with a file of certificates, as a phrase that follows its name.
#[derive(Debug)]
pub(crate) struct Problem {
    fact: String,
    source: Option<io::Error>,
}

impl Problem {
    pub(super) fn new(fact: impl Into<String>) -> Self {
        let fact = fact.into();
        Self { fact, source: None }
    }

    pub(super) fn unreadable(cause: io::Error) -> Self {
        Self {
            fact: unreadable(&cause).to_owned(),
            source: Some(cause),
        }
    }
}

/// Why a file or a directory cannot be read, as a phrase that follows its name.
pub(super) fn unreadable(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::NotFound => "does not exist",
        io::ErrorKind::IsADirectory => "is a folder, not a file",
        io::ErrorKind::NotADirectory => "is a file, not a folder",
        io::ErrorKind::PermissionDenied => "may not be read by this process",
        _ => "cannot be read",
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.fact)
    }
}

impl std::error::Error for Problem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}
