//! What the fuzzers try, and the slow second verifier they hold the client against.
//!
//! Every module of a target has a function `run` that takes any bytes and panics where a promise is
//! broken. The programs in `bin` give it what libFuzzer makes up; `seeds` starts that off with the
//! vectors, with which the tests run it too.
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
pub mod seeds;
mod setting;
pub mod token;
pub mod verify;

/// A target: what it is called, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 8] = [
    ("cache_headers", cache_headers::run),
    ("callback", callback::run),
    ("discovery", discovery::run),
    ("email", email::run),
    ("key_set", key_set::run),
    ("next", next::run),
    ("token", token::run),
    ("verify", verify::run),
];

/// Makes a program of a target.
#[cfg(feature = "libfuzzer")]
#[macro_export]
macro_rules! program {
    ($target:path) => {
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $target(bytes));
    };
}

/// Makes a program of a target that tries the files it is given.
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
