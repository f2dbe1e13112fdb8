//! A time limit for stores that have none.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Handle;

use super::contract::{SharedDocuments, Store, Taken};
use super::nonces::NonceStore;
use crate::error::{Code, Error, Result};
use crate::future::BoxFuture;
use crate::session_key::SessionKey;

/// The longest record that a store may return: more than the longest that a client stores.
pub const MAX_RECORD_BYTES: usize = 64 * 1024;

/// A store with a time limit for each call.
pub(crate) struct Timed {
    store: Arc<dyn Store>,
    limit: Duration,
}

impl Timed {
    /// Adds a time limit to a store, unless it has its own.
    pub(crate) fn wrap(store: Arc<dyn Store>, limit: Duration) -> Arc<dyn Store> {
        if store.limits_waiting() {
            store
        } else {
            Arc::new(Self { store, limit })
        }
    }

    async fn within<T>(
        &self,
        method: &str,
        answer: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let mut answer = pin!(answer);
        // If the store answers at once, neither a timer nor a runtime is needed.
        let first = std::future::poll_fn(|context| Poll::Ready(answer.as_mut().poll(context)));
        if let Poll::Ready(answer) = first.await {
            return answer;
        }
        if Handle::try_current().is_err() {
            return answer.await;
        }
        tokio::time::timeout(self.limit, answer)
            .await
            .unwrap_or_else(|_| {
                let limit = self.limit.as_secs_f64();
                Err(Error::new(
                    Code::StoreUnavailable,
                    format_args!("the store did not answer in time method={method} limit={limit}s"),
                ))
            })
    }
}

impl Store for Timed {
    fn put<'a>(
        &'a self,
        key: &'a SessionKey,
        record: String,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.within("put", self.store.put(key, record, ttl)))
    }

    fn take<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
        Box::pin(self.within("take", self.store.take(key)))
    }

    fn contains<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<bool>>> {
        Box::pin(self.within("contains", self.store.contains(key)))
    }

    fn peek<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<Taken>>> {
        Box::pin(self.within("peek", self.store.peek(key)))
    }

    fn pending(&self) -> Option<usize> {
        self.store.pending()
    }

    fn is_local(&self) -> bool {
        self.store.is_local()
    }

    fn documents(&self) -> Option<&dyn SharedDocuments> {
        self.store.documents()
    }

    fn nonces(&self) -> Option<&dyn NonceStore> {
        self.store.nonces().is_some().then_some(self)
    }
}

impl NonceStore for Timed {
    fn create<'a>(&'a self, email: &'a str) -> BoxFuture<'a, Result<String>> {
        Box::pin(self.within("create", async move {
            match self.store.nonces() {
                Some(nonces) => nonces.create(email).await,
                None => Err(changed()),
            }
        }))
    }

    fn consume<'a>(&'a self, nonce: &'a str, email: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.within("consume", async move {
            match self.store.nonces() {
                Some(nonces) => nonces.consume(nonce, email).await,
                None => Err(changed()),
            }
        }))
    }
}

fn changed() -> Error {
    Error::new(Code::StoreFailed, "the store no longer makes nonces")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    /// A store that answers late, or never.
    struct Slow(Option<Duration>);

    impl Slow {
        async fn answer<T>(&self, value: T) -> Result<T> {
            match self.0 {
                Some(delay) => tokio::time::sleep(delay).await,
                None => std::future::pending().await,
            }
            Ok(value)
        }
    }

    impl Store for Slow {
        fn put<'a>(
            &'a self,
            _: &'a SessionKey,
            _: String,
            _: Duration,
        ) -> BoxFuture<'a, Result<()>> {
            Box::pin(self.answer(()))
        }

        fn take<'a>(&'a self, _: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
            Box::pin(self.answer(Taken::Unknown))
        }

        fn contains<'a>(&'a self, _: &'a SessionKey) -> BoxFuture<'a, Result<Option<bool>>> {
            Box::pin(self.answer(Some(true)))
        }

        fn peek<'a>(&'a self, _: &'a SessionKey) -> BoxFuture<'a, Result<Option<Taken>>> {
            Box::pin(self.answer(Some(Taken::Used)))
        }

        fn nonces(&self) -> Option<&dyn NonceStore> {
            Some(self)
        }
    }

    impl NonceStore for Slow {
        fn create<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<String>> {
            Box::pin(self.answer("nonce".to_owned()))
        }

        fn consume<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<()>> {
            Box::pin(self.answer(()))
        }
    }

    fn slow(delay: Option<u64>) -> Arc<dyn Store> {
        let store = Slow(delay.map(Duration::from_secs));
        Timed::wrap(Arc::new(store), Duration::from_secs(7))
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_may_take_as_long_as_it_was_given() {
        let key = SessionKey::new("issuer", "client", "nonce");
        let ttl = Duration::from_secs(60);
        let store = slow(Some(6));
        store.put(&key, "record".into(), ttl).await.unwrap();
        assert_eq!(store.take(&key).await.unwrap(), Taken::Unknown);
        assert_eq!(store.contains(&key).await.unwrap(), Some(true));
        assert_eq!(store.peek(&key).await.unwrap(), Some(Taken::Used));
        let nonces = store.nonces().unwrap();
        assert_eq!(nonces.create("a@example.com").await.unwrap(), "nonce");
        nonces.consume("nonce", "a@example.com").await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_takes_longer_is_unavailable() {
        let key = SessionKey::new("issuer", "client", "nonce");
        let ttl = Duration::from_secs(60);
        for delay in [Some(8), None] {
            let store = slow(delay);
            let nonces = store.nonces().unwrap();
            for (method, error) in [
                (
                    "put",
                    store.put(&key, "record".into(), ttl).await.unwrap_err(),
                ),
                ("take", store.take(&key).await.unwrap_err()),
                ("contains", store.contains(&key).await.unwrap_err()),
                ("peek", store.peek(&key).await.unwrap_err()),
                ("create", nonces.create("a@example.com").await.unwrap_err()),
                ("consume", nonces.consume("a", "b").await.unwrap_err()),
            ] {
                assert_eq!(error.code(), Code::StoreUnavailable);
                let expected = format!("the store did not answer in time method={method} limit=7s");
                assert_eq!(error.to_string(), expected);
            }
        }
    }

    #[test]
    fn a_store_that_answers_at_once_needs_no_runtime() {
        let store = crate::store::open_store("memory:").unwrap();
        // This store has its own limit and would not be wrapped; the test wraps it.
        let store = Timed {
            store,
            limit: Duration::from_secs(1),
        };
        let key = SessionKey::new("issuer", "client", "nonce");
        let taken = store.take(&key).now_or_never().unwrap();
        assert_eq!(taken.unwrap(), Taken::Unknown);
        assert!(store.is_local() && store.nonces().is_none());
    }
}
