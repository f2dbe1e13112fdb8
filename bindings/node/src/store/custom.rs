//! Stores that are written in JavaScript.

use std::sync::Arc;
use std::time::Duration;

use napi::bindgen_prelude::{FnArgs, Function, FunctionRef, Null};
use napi::threadsafe_function::{
    ThreadsafeFunction, ThreadsafeFunctionCallMode, UnknownReturnValue,
};
use napi::{Env, Status};
use portier_client::{BoxFuture, Code, Error, NonceStore, Result, SessionKey, Store, Taken};

use super::pending_calls::{PendingCalls, ReturnValue, StoreCall, defer};
use crate::completions::id_to_js;
use crate::current_call;

/// What the function gets that calls the methods: nothing for an error, an id for the answer, the
/// name of the method, its arguments, and the id of the client's call in whose context it is to be called.
pub(super) type Arguments = FnArgs<(
    Null,
    f64,
    &'static str,
    String,
    Option<String>,
    Option<f64>,
    Option<f64>,
)>;

/// The same, without the nothing for an error.
type LaterArguments = FnArgs<(
    f64,
    &'static str,
    String,
    Option<String>,
    Option<f64>,
    Option<f64>,
)>;

type Later = ThreadsafeFunction<StoreCall, UnknownReturnValue, LaterArguments, Status, true, true>;

/// Calls the methods of a store, always on the thread of its JavaScript.
pub(super) struct Caller {
    now: FunctionRef<Arguments, UnknownReturnValue>,
    /// Weak: waiting for a call keeps no program running, waiting for an answer does.
    later: Later,
    environment: usize,
}

impl Caller {
    pub(super) fn new(
        env: Env,
        function: &Function<'_, Arguments, UnknownReturnValue>,
    ) -> napi::Result<Self> {
        let later = function
            .build_threadsafe_function::<StoreCall>()
            .callee_handled::<true>()
            .weak::<true>()
            .build_callback(|context| {
                let call: StoreCall = context.value;
                Ok(FnArgs::from((
                    id_to_js(call.id),
                    call.method,
                    call.first,
                    call.second,
                    call.ttl,
                    Some(call.client_call_id.map_or(0.0, id_to_js)),
                )))
            })?;
        Ok(Self {
            now: function.create_ref()?,
            later,
            environment: env.raw() as usize,
        })
    }

    /// By what environments are told apart.
    pub(super) fn environment(&self) -> usize {
        self.environment
    }

    /// Calls on the thread of JavaScript, outside of every poll.
    pub(super) fn call_now(&self, env: Env, call: StoreCall) {
        let arguments = FnArgs::from((
            Null,
            id_to_js(call.id),
            call.method,
            call.first,
            call.second,
            call.ttl,
            // It is the context here.
            None,
        ));
        // It throws only if JavaScript comes to its end; then nobody is there for an answer.
        let _ = self
            .now
            .borrow_back(&env)
            .and_then(|function| function.call(arguments));
    }

    /// Calls from any thread. Returns whether the call will be made.
    fn call_later(&self, call: StoreCall) -> bool {
        // What the function throws is taken here, or it would end the process.
        let status = self.later.call_with_return_value(
            Ok(call),
            ThreadsafeFunctionCallMode::NonBlocking,
            |_, _| Ok(()),
        );
        status == Status::Ok
    }
}

/// An object of JavaScript as a store of the core.
pub(super) struct CustomStore {
    pub(super) caller: Arc<Caller>,
    pub(super) calls: Arc<PendingCalls>,
    pub(super) methods: Methods,
}

/// Which methods an object has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Methods {
    /// `put` and `take`.
    Records,
    /// These, and `contains`.
    RecordsAndContains,
    /// `createNonce` and `consumeNonce`.
    Nonces,
}

impl CustomStore {
    async fn ask(
        &self,
        method: &'static str,
        first: String,
        second: Option<String>,
        ttl: Option<Duration>,
    ) -> Result<ReturnValue> {
        let mut open = self.calls.open();
        let call = StoreCall {
            id: open.id,
            method,
            first,
            second,
            ttl: ttl.map(|ttl| ttl.as_secs_f64() * 1000.0),
            client_call_id: current_call::id(),
        };
        let asked = defer(&self.caller, call).is_none_or(|call| self.caller.call_later(call));
        if !asked {
            return Err(gone(method));
        }
        let answer = (&mut open.receiver).await;
        answer.unwrap_or_else(|_| Err(gone(method)))
    }
}

impl Store for CustomStore {
    fn put<'a>(
        &'a self,
        key: &'a SessionKey,
        record: String,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<()>> {
        let key = key.to_string();
        Box::pin(async move {
            match self.ask("put", key, Some(record), Some(ttl)).await? {
                ReturnValue::Null => Ok(()),
                ReturnValue::Text(_) | ReturnValue::Boolean(_) => Err(unexpected("put")),
            }
        })
    }

    fn take<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
        let key = key.to_string();
        Box::pin(async move {
            match self.ask("take", key, None, None).await? {
                ReturnValue::Text(mark) if mark.is_empty() => Ok(Taken::Used),
                ReturnValue::Text(record) => Ok(Taken::Record(record)),
                ReturnValue::Null => Ok(Taken::Unknown),
                ReturnValue::Boolean(_) => Err(unexpected("take")),
            }
        })
    }

    fn contains<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<bool>>> {
        if self.methods != Methods::RecordsAndContains {
            return Box::pin(async { Ok(None) });
        }
        let key = key.to_string();
        Box::pin(async move {
            match self.ask("contains", key, None, None).await? {
                ReturnValue::Boolean(known) => Ok(Some(known)),
                ReturnValue::Null | ReturnValue::Text(_) => Err(unexpected("contains")),
            }
        })
    }

    fn nonces(&self) -> Option<&dyn NonceStore> {
        (self.methods == Methods::Nonces).then_some(self)
    }
}

impl NonceStore for CustomStore {
    fn create<'a>(&'a self, email: &'a str) -> BoxFuture<'a, Result<String>> {
        Box::pin(async move {
            match self
                .ask("createNonce", email.to_owned(), None, None)
                .await?
            {
                ReturnValue::Text(nonce) => Ok(nonce),
                ReturnValue::Null | ReturnValue::Boolean(_) => Err(unexpected("createNonce")),
            }
        })
    }

    fn consume<'a>(&'a self, nonce: &'a str, email: &'a str) -> BoxFuture<'a, Result<()>> {
        let (nonce, email) = (nonce.to_owned(), email.to_owned());
        Box::pin(async move {
            match self.ask("consumeNonce", nonce, Some(email), None).await? {
                ReturnValue::Null => Ok(()),
                ReturnValue::Text(_) | ReturnValue::Boolean(_) => Err(unexpected("consumeNonce")),
            }
        })
    }
}

/// The package has checked what the method returned.
fn unexpected(method: &'static str) -> Error {
    Error::new(
        Code::Internal,
        format_args!("the answer of the store is for another call method={method}"),
    )
}

fn gone(method: &'static str) -> Error {
    Error::new(
        Code::StoreUnavailable,
        format_args!("the thread of the store has ended method={method}"),
    )
}
