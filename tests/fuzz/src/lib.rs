//! The fuzz targets, and a slow second verifier to compare the client with.
//!
//! Every module of a target has a function `run` that accepts any bytes and panics if a promise is
//! broken. The programs in `bin` call it with the inputs of libFuzzer. `seeds` makes the first
//! inputs from the vectors; the tests use the same inputs.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a broken promise is a panic here"
)]

pub mod cache_headers;
pub mod callback;
pub mod discovery;
pub mod email;
pub mod key_set;
pub mod next;
mod quiet;
mod reference;
mod seal;
pub mod sealed_login;
pub mod seeds;
pub mod session_cookie;
mod setting;
pub mod token;
pub mod token_answer;
pub mod verify;
pub mod web_request;

/// A target: its name and its function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 12] = [
    ("cache_headers", cache_headers::run),
    ("callback", callback::run),
    ("discovery", discovery::run),
    ("email", email::run),
    ("key_set", key_set::run),
    ("next", next::run),
    ("sealed_login", sealed_login::run),
    ("session_cookie", session_cookie::run),
    ("token", token::run),
    ("token_answer", token_answer::run),
    ("verify", verify::run),
    ("web_request", web_request::run),
];

/// Makes the program of a target.
#[cfg(feature = "libfuzzer")]
#[macro_export]
macro_rules! program {
    ($target:path) => {
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $target(bytes));
    };
}

/// Makes the program of a target that runs files.
#[cfg(not(feature = "libfuzzer"))]
#[macro_export]
macro_rules! program {
    ($target:path) => {
        fn main() -> std::io::Result<()> {
            for path in std::env::args_os().skip(1) {
                $target(&std::fs::read(path)?);
            }
            Ok(())
        }
    };
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn no_vector_breaks_a_promise() {
        let mut broken = Vec::new();
        for (target, run) in TARGETS {
            let seeds = seeds::of(target);
            assert!(seeds.len() > 30, "{target}");
            for seed in seeds {
                if catch_unwind(|| run(&seed)).is_err() {
                    broken.push(format!("{target}: {:?}", String::from_utf8_lossy(&seed)));
                }
            }
        }
        assert!(broken.is_empty(), "{} {broken:#?}", broken.len());
    }
}
