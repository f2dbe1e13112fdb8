//! Translates errors of SQLite, which do not say why the operating system refused a file.

use rusqlite::{ErrorCode, ffi};

use super::place::Place;
use crate::error::{Code, Error, shown_path};

/// The purpose of an operation, which determines the code of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To open the store when a client is built: a failure is an error of configuration.
    Opening,
    /// To add data.
    Adding,
    /// Everything else, in particular to take a login.
    Other,
}

/// The errors of file systems without the features that SQLite needs to share a file.
const NOT_SHARED: [i32; 4] = [
    ffi::SQLITE_IOERR_LOCK,
    ffi::SQLITE_IOERR_SHMLOCK,
    ffi::SQLITE_IOERR_SHMMAP,
    ffi::SQLITE_IOERR_SHMOPEN,
];

/// Translates a failure of a store's file. It looks at the file to find out why it cannot be used.
pub(super) fn translate(error: &rusqlite::Error, purpose: Purpose, place: &Place) -> Error {
    let number = error
        .sqlite_error()
        .map_or(0, |failure| failure.extended_code);
    let (code, fact) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            Code::StoreUnavailable,
            "the store is locked by another process",
        ),
        Some(ErrorCode::DiskFull) => match purpose {
            Purpose::Adding => (Code::StoreFull, "the store or its disk is full"),
            _ => (
                Code::StoreUnavailable,
                "the store or its disk has no space to write",
            ),
        },
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => (
            unusable(purpose),
            "the store's file and those beside it cannot be opened",
        ),
        Some(ErrorCode::ReadOnly) => (unusable(purpose), "the store cannot be written"),
        Some(ErrorCode::SystemIoFailure)
            if purpose == Purpose::Opening && NOT_SHARED.contains(&number) =>
        {
            (
                Code::InvalidOption,
                "the store's file system has no locks or memory that processes share; \
                 use a directory on a disk of this machine",
            )
        }
        Some(ErrorCode::SystemIoFailure) => {
            (Code::StoreUnavailable, "the store's disk reports an error")
        }
        Some(ErrorCode::NotADatabase) => (
            match purpose {
                Purpose::Opening => Code::InvalidOption,
                _ => Code::StoreFailed,
            },
            "the store's file is not an SQLite database",
        ),
        Some(ErrorCode::DatabaseCorrupt) => (Code::StoreFailed, "the store's file is damaged"),
        _ => (Code::StoreFailed, "the store failed"),
    };
    let is_of_system = matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
        )
    );
    let Some(fault) = is_of_system.then(|| place.fault()).flatten() else {
        let path = shown_path(place.path());
        return Error::new(code, format_args!("{fact} sqlite={number} path={path}"));
    };
    let code = if fault.may_pass {
        Code::StoreUnavailable
    } else {
        code
    };
    let (reason, path) = (fault.reason, shown_path(&fault.path));
    Error::new(
        code,
        format_args!("{fact}: {reason} sqlite={number} path={path}"),
    )
}

fn unusable(purpose: Purpose) -> Code {
    match purpose {
        Purpose::Opening => Code::InvalidOption,
        _ => Code::StoreUnavailable,
    }
}

pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

pub(super) fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}
