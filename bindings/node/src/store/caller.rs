//! How the methods of a store in JavaScript are called.

use napi::bindgen_prelude::{FnArgs, Function, FunctionRef, Null};
use napi::threadsafe_function::{
    ThreadsafeFunction, ThreadsafeFunctionCallMode, UnknownReturnValue,
};
use napi::{Env, Status};

use super::pending_calls::StoreCall;
use crate::ids::id_to_js;

/// The arguments of the function that calls the methods: null (for no error), the id of the call, the name
/// of the method, its arguments, and the id of the client's call in whose context it runs.
pub(super) type Arguments = FnArgs<(
    Null,
    f64,
    &'static str,
    String,
    Option<String>,
    Option<f64>,
    Option<f64>,
)>;

/// The same without the null, which a thread-safe function adds.
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
    /// Weak: it does not keep the process alive; the pending promise of the client's call does.
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

    /// Identifies the environment of the store.
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
            // The context of the client's call is the current one.
            None,
        ));
        // It throws only if the environment is ending. Then nobody waits for a value.
        let _ = self
            .now
            .borrow_back(&env)
            .and_then(|function| function.call(arguments));
    }

    /// Calls from any thread. Returns whether the call will be made.
    pub(super) fn call_later(&self, call: StoreCall) -> bool {
        // An exception of the function is dropped here; otherwise it would end the process.
        let status = self.later.call_with_return_value(
            Ok(call),
            ThreadsafeFunctionCallMode::NonBlocking,
            |_, _| Ok(()),
        );
        status == Status::Ok
    }
}
