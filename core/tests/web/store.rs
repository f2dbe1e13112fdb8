//! A store that can be unavailable.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use portier_client::{BoxFuture, Code, Error, MemoryStore, Result, SessionKey, Store, Taken};

pub(crate) struct Switched {
    inner: MemoryStore,
    is_down: Arc<AtomicBool>,
}

impl Switched {
    pub(crate) fn new(inner: MemoryStore, is_down: Arc<AtomicBool>) -> Self {
        Self { inner, is_down }
    }

    fn check(&self) -> Result<()> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(Error::new(Code::StoreFailed, "the store is down"));
        }
        Ok(())
    }
}

impl Store for Switched {
    fn put<'a>(
        &'a self,
        key: &'a SessionKey,
        record: String,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.check()?;
            self.inner.put(key, record, ttl).await
        })
    }

    fn take<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
        Box::pin(async move {
            self.check()?;
            self.inner.take(key).await
        })
    }

    fn contains<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<bool>>> {
        Box::pin(async move {
            self.check()?;
            self.inner.contains(key).await
        })
    }

    fn peek<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<Taken>>> {
        Box::pin(async move {
            self.check()?;
            self.inner.peek(key).await
        })
    }
}
