//! Stores of pending logins, which clients may share.

mod caller;
mod custom;
mod deferred_calls;
mod pending_calls;

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, LazyLock};

use napi::bindgen_prelude::{ClassInstance, Either, Either3, Function, Null};
use napi::threadsafe_function::UnknownReturnValue;
use napi::{Env, Error, Status};
use napi_derive::napi;
use portier_client::{Code, SystemClock};

use self::caller::{Arguments, Caller};
use self::custom::{CustomStore, Methods};
pub(crate) use self::deferred_calls::poll_then_call;
use self::pending_calls::{PendingCalls, ReturnValue};
use crate::failure::{self, Failure};
use crate::ids::id_from_js;
use crate::runtime;

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

/// Identifies this copy of the addon. Another copy in the same process has its own runtime, may be another
/// build, and cannot catch panics of this one.
#[napi(catch_unwind)]
pub fn image_id() -> &'static str {
    static ID: LazyLock<String> =
        LazyLock::new(|| format!("{:016x}", RandomState::new().hash_one("portier-client")));
    &ID
}

/// The longest string that a store may return. A longer one is refused before it is copied.
#[napi(catch_unwind)]
pub fn max_record_length() -> u32 {
    u32::try_from(portier_client::MAX_RECORD_BYTES).unwrap_or(u32::MAX)
}

/// Creates an empty store for `capacity` pending logins.
#[napi(catch_unwind)]
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
#[napi(catch_unwind)]
pub fn open_store(url: String) -> Either<Store, Failure> {
    let open = || {
        let runtime = runtime::handle()?;
        let _entered = runtime.enter();
        portier_client::open_store(&url)
    };
    failure::either(open().map(|store| Store { store }))
}

/// Creates a store that calls the methods of an object through `call`. That function must not throw, and
/// passes the return values to `calls`. It must not reference the store, which would then never be freed.
#[napi(catch_unwind)]
pub fn custom_store(
    env: Env,
    methods: String,
    calls: ClassInstance<'_, StoreCalls>,
    call: Function<'_, Arguments, UnknownReturnValue>,
) -> napi::Result<Store> {
    let methods = match methods.as_str() {
        "records" => Methods::Records,
        "recordsAndContains" => Methods::RecordsAndContains,
        "nonces" => Methods::Nonces,
        _ => return Err(Error::from_status(Status::InvalidArg)),
    };
    Ok(Store {
        store: Arc::new(CustomStore {
            caller: Arc::new(Caller::new(env, &call)?),
            calls: Arc::clone(&calls.calls),
            methods,
        }),
    })
}

/// The calls of the methods of one object.
#[napi]
#[derive(Default)]
pub struct StoreCalls {
    calls: Arc<PendingCalls>,
}

#[napi]
impl StoreCalls {
    /// Creates one for a single store.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends a call with the value that the method returned.
    #[napi(catch_unwind)]
    pub fn resolve(&self, id: f64, value: Either3<String, bool, Null>) {
        let value = match value {
            Either3::A(text) => ReturnValue::Text(text),
            Either3::B(flag) => ReturnValue::Boolean(flag),
            Either3::C(_) => ReturnValue::Null,
        };
        self.calls.resolve(id_from_js(id), value);
    }

    /// Ends a call with an error. `thrown` says that JavaScript keeps a thrown value under the id. Returns the
    /// ids whose values it need not keep any longer.
    #[napi(catch_unwind)]
    pub fn reject(&self, id: f64, code: String, message: String, thrown: bool) -> Vec<f64> {
        let code = Code::ALL.iter().find(|known| known.as_str() == code);
        let code = code.copied().unwrap_or(Code::StoreFailed);
        self.calls.reject(id_from_js(id), code, &message, thrown);
        self.calls.unclaimed()
    }
}
