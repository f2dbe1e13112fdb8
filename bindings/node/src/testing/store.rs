//! The methods of a store of the core, to test a store without a client.

use napi::Env;
use napi::bindgen_prelude::{ClassInstance, Null};
use napi_derive::napi;
use portier_client::testing::session_key;
use portier_client::{Code, Error, Taken};

use crate::call::{self, Outcome};
use crate::completions::CompletionQueue;
use crate::options::duration;
use crate::store::Store;

/// Keeps a record for `ttl` milliseconds.
#[napi(catch_unwind)]
pub fn store_put(
    env: Env,
    completions: ClassInstance<'_, CompletionQueue>,
    store: ClassInstance<'_, Store>,
    nonce: String,
    record: String,
    ttl: f64,
) -> Outcome<()> {
    let store = store.shared();
    call::run(env, &completions, None, async move {
        let ttl = duration("ttlMs", ttl)?;
        store.put(&session_key(&nonce), record, ttl).await
    })
}

/// Removes a record and returns it.
#[napi(catch_unwind)]
pub fn store_take(
    env: Env,
    completions: ClassInstance<'_, CompletionQueue>,
    store: ClassInstance<'_, Store>,
    nonce: String,
) -> Outcome<napi::Either<String, Null>> {
    let store = store.shared();
    call::run(env, &completions, None, async move {
        Ok(match store.take(&session_key(&nonce)).await? {
            Taken::Record(record) => napi::Either::A(record),
            Taken::Used | Taken::Unknown => napi::Either::B(Null),
        })
    })
}

/// Whether the store has a record.
#[napi(catch_unwind)]
pub fn store_contains(
    env: Env,
    completions: ClassInstance<'_, CompletionQueue>,
    store: ClassInstance<'_, Store>,
    nonce: String,
) -> Outcome<bool> {
    let store = store.shared();
    call::run(env, &completions, None, async move {
        let cannot_tell = || Error::new(Code::Internal, "the store cannot tell");
        let known = store.contains(&session_key(&nonce)).await?;
        known.ok_or_else(cannot_tell)
    })
}
