//! The native part of `portier-client/testing`.

mod broker;
mod mock;
mod store;

use napi::Env;
use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;

use crate::call::{self, Outcome};
use crate::completions::CompletionQueue;

/// Panics as a defect in the core would: at the first poll, or at a later one.
#[napi(catch_unwind)]
pub fn panic_in_operation(
    env: Env,
    completions: ClassInstance<'_, CompletionQueue>,
    at_once: bool,
) -> Outcome<()> {
    call::run(env, &completions, None, async move {
        if !at_once {
            tokio::task::yield_now().await;
        }
        defect()
    })
}

/// Panics as a defect would in an export that runs no operation.
#[napi(catch_unwind)]
pub fn panic_in_export() {
    let _ = defect();
}

#[expect(clippy::panic, reason = "tests need a panic")]
fn defect() -> portier_client::Result<()> {
    panic!("this panic was asked for")
}
