//! Stores of pending logins, which clients may share.

use std::sync::Arc;

use napi::bindgen_prelude::{Either, within_runtime_if_available};
use napi_derive::napi;
use portier_client::SystemClock;

use crate::failure::{self, Failure};

/// A store of the core.
#[napi]
pub struct Store {
    store: Arc<dyn portier_client::Store>,
}

impl Store {
    pub(crate) fn shared(&self) -> Arc<dyn portier_client::Store> {
        Arc::clone(&self.store)
    }
}

/// Makes an empty store for so many pending logins.
#[napi]
pub fn memory_store(capacity: Option<u32>) -> Store {
    let clock = Arc::new(SystemClock::new());
    let store = match capacity {
        Some(capacity) => portier_client::MemoryStore::with_capacity(clock, capacity as usize),
        None => portier_client::MemoryStore::new(clock),
    };
    Store {
        store: Arc::new(store),
    }
}

/// Opens the store that a URL names.
#[napi]
pub fn open_store(url: String) -> Either<Store, Failure> {
    let opened = within_runtime_if_available(|| portier_client::open_store(&url));
    failure::either(opened.map(|store| Store { store }))
}
