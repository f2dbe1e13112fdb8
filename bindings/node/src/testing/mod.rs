//! What `portier-client/testing` is made of.

mod broker;
mod mock;
mod store;

use napi::Env;
use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;

use crate::call::{self, Outcome};
use crate::completions::CompletionQueue;

/// Panics where a defect in the core would: at the first poll, or at a later one.
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

/// Panics where a defect in an export would that runs no operation.
#[napi(catch_unwind)]
pub fn panic_in_export() {
    let _ = defect();
}

#[expect(clippy::panic, reason = "this is what it is for")]
fn defect() -> portier_client::Result<()> {
    panic!("this panic was asked for")
}
