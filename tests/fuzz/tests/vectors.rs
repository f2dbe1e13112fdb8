//! The vectors, through every target.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::panic::catch_unwind;

use portier_client_fuzz::{TARGETS, seeds};

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
