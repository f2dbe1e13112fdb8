//! Stores that are written in JavaScript.

use std::sync::Arc;
use std::time::Duration;

use portier_client::{BoxFuture, Code, Error, NonceStore, Result, SessionKey, Store, Taken};

use super::caller::Caller;
use super::deferred_calls::defer;
use super::pending_calls::{PendingCalls, ReturnValue, StoreCall};
use crate::current_call;

/// A store of the core that calls the methods of an object in JavaScript.
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
    /// `put`, `take` and `contains`.
    RecordsAndContains,
    /// `createNonce` and `consumeNonce`.
    Nonces,
}

impl CustomStore {
    async fn call(
        &self,
        method: &'static str,
        first: String,
        second: Option<String>,
        ttl: Option<Duration>,
    ) -> Result<ReturnValue> {
        let mut pending = self.calls.add();
        let call = StoreCall {
            id: pending.id,
            method,
            first,
            second,
            ttl: ttl.map(|ttl| ttl.as_secs_f64() * 1000.0),
            client_call_id: current_call::id(),
        };
        let is_made = defer(&self.caller, call).is_none_or(|call| self.caller.call_later(call));
        if !is_made {
            return Err(gone(method));
        }
        let result = (&mut pending.receiver).await;
        result.unwrap_or_else(|_| Err(gone(method)))
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
            match self.call("put", key, Some(record), Some(ttl)).await? {
                ReturnValue::Null => Ok(()),
                ReturnValue::Text(_) | ReturnValue::Boolean(_) => Err(unexpected("put")),
            }
        })
    }

    fn take<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
        let key = key.to_string();
        Box::pin(async move {
            match self.call("take", key, None, None).await? {
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
            match self.call("contains", key, None, None).await? {
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
                .call("createNonce", email.to_owned(), None, None)
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
            match self.call("consumeNonce", nonce, Some(email), None).await? {
                ReturnValue::Null => Ok(()),
                ReturnValue::Text(_) | ReturnValue::Boolean(_) => Err(unexpected("consumeNonce")),
            }
        })
    }
}

/// A defect: the package has checked the value that the method returned.
fn unexpected(method: &'static str) -> Error {
    Error::new(
        Code::Internal,
        format_args!("unexpected return value of a store method={method}"),
    )
}

fn gone(method: &'static str) -> Error {
    Error::new(
        Code::StoreUnavailable,
        format_args!("the thread of the store has ended method={method}"),
    )
}
