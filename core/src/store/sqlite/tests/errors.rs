//! Translation of SQLite's errors.

use rusqlite::ffi;

use super::super::errors::Purpose::{Adding, Opening, Other};
use super::super::errors::{self, is_busy, is_full};
use super::super::place::Place;
use super::Scene;
use crate::error::Code::{self, InvalidOption, StoreFailed, StoreFull, StoreUnavailable};
use crate::error::Error;

fn error(extended_code: i32) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(extended_code), Some("/a/path".to_owned()))
}

/// The error for a file that nothing prevents from being used.
fn translate(error: &rusqlite::Error, purpose: errors::Purpose) -> Error {
    let scene = Scene::new();
    let place = Place::parse(&scene.url()).unwrap();
    errors::translate(error, purpose, &place)
}

fn without_path(error: &Error) -> String {
    let text = error.to_string();
    let (text, path) = text.split_once(" path=").expect("a path");
    assert!(path.ends_with("/logins.db"), "{path}");
    text.to_owned()
}

#[test]
fn each_failure_has_its_code_and_the_path() {
    // While opening, while adding, and otherwise.
    let cases: [(i32, [Code; 3], &str); 9] = [
        (
            ffi::SQLITE_BUSY,
            [StoreUnavailable; 3],
            "the store is locked by another process",
        ),
        (
            ffi::SQLITE_LOCKED,
            [StoreUnavailable; 3],
            "the store is locked by another process",
        ),
        (
            ffi::SQLITE_CANTOPEN,
            [InvalidOption, StoreUnavailable, StoreUnavailable],
            "the store's file and those beside it cannot be opened",
        ),
        (
            ffi::SQLITE_PERM,
            [InvalidOption, StoreUnavailable, StoreUnavailable],
            "the store's file and those beside it cannot be opened",
        ),
        (
            ffi::SQLITE_READONLY_DIRECTORY,
            [InvalidOption, StoreUnavailable, StoreUnavailable],
            "the store cannot be written",
        ),
        (
            ffi::SQLITE_IOERR_WRITE,
            [StoreUnavailable; 3],
            "the store's disk reports an error",
        ),
        (
            ffi::SQLITE_NOTADB,
            [InvalidOption, StoreFailed, StoreFailed],
            "the store's file is not an SQLite database",
        ),
        (
            ffi::SQLITE_CORRUPT,
            [StoreFailed; 3],
            "the store's file is damaged",
        ),
        (ffi::SQLITE_CONSTRAINT, [StoreFailed; 3], "the store failed"),
    ];
    for (number, codes, fact) in cases {
        for (purpose, code) in [Opening, Adding, Other].into_iter().zip(codes) {
            let translated = translate(&error(number), purpose);
            assert_eq!(translated.code(), code, "{number} {purpose:?}");
            assert_eq!(without_path(&translated), format!("{fact} sqlite={number}"));
        }
    }
}

#[test]
fn a_file_system_without_shared_memory_is_a_configuration_error() {
    for number in [ffi::SQLITE_IOERR_SHMMAP, ffi::SQLITE_IOERR_LOCK] {
        let translated = translate(&error(number), Opening);
        assert_eq!(translated.code(), InvalidOption);
        assert_eq!(
            without_path(&translated),
            format!(
                "the store's file system has no locks or memory that processes share; \
                 use a directory on a disk of this machine sqlite={number}"
            )
        );
        assert_eq!(translate(&error(number), Other).code(), StoreUnavailable);
    }
}

#[test]
fn a_full_store_is_reported_only_for_insertions() {
    let codes = [Opening, Adding, Other].map(|purpose| {
        let translated = translate(&error(ffi::SQLITE_FULL), purpose);
        translated.code()
    });
    assert_eq!(codes, [StoreUnavailable, StoreFull, StoreUnavailable]);
}

#[test]
fn errors_after_which_a_retry_may_help_are_known() {
    let numbers = [
        ffi::SQLITE_BUSY,
        ffi::SQLITE_LOCKED,
        ffi::SQLITE_FULL,
        ffi::SQLITE_IOERR,
    ];
    assert_eq!(
        numbers.map(|number| is_busy(&error(number))),
        [true, true, false, false]
    );
    assert_eq!(
        numbers.map(|number| is_full(&error(number))),
        [false, false, true, false]
    );
}
