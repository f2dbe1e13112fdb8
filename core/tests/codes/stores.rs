//! Stores with fewer methods.

use std::sync::Arc;
use std::time::Duration;

use portier_client::testing::DevBrokerOptions;
use portier_client::{
    BoxFuture, Client, Code, Flow, MemoryStore, NonceStore, Result, SessionKey, Store, Taken,
};

use crate::{HERE, Site, THERE};

#[tokio::test]
async fn a_store_without_peek_gets_the_login_back_after_another_browser() {
    let site = Site::with(DevBrokerOptions::default(), |builder| builder);
    let store = Arc::new(Silent(MemoryStore::new(site.clock.clone())));
    let client = Client::builder("https://example.com/verify")
        .broker(site.broker.origin())
        .flow(Flow::Code)
        .clock(site.clock.clone())
        .store(store)
        .build()
        .unwrap();
    let site = Site { client, ..site };
    let params = site.answer(Some(HERE)).await;
    let error = site.refused(&params, Some(THERE)).await;
    let mismatch = error.browser_mismatch().unwrap();
    assert_eq!(
        mismatch.confirmation, None,
        "nobody knows whose login it is"
    );
    site.complete(&params, Some(HERE)).await.unwrap();
    let error = site.refused(&params, Some(HERE)).await;
    assert_eq!(error.code(), Code::SessionUsed);
    assert_eq!(site.token_requests(), 1);
}

#[test]
fn a_store_of_nonces_cannot_do_the_code_flow() {
    struct Nonces;
    impl NonceStore for Nonces {
        fn create<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<String>> {
            Box::pin(async { Ok("nonce".to_owned()) })
        }
        fn consume<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<()>> {
            Box::pin(async { Ok(()) })
        }
    }
    struct Holder(Nonces);
    impl Store for Holder {
        fn put<'a>(
            &'a self,
            _: &'a SessionKey,
            _: String,
            _: Duration,
        ) -> BoxFuture<'a, Result<()>> {
            Box::pin(async { Ok(()) })
        }
        fn take<'a>(&'a self, _: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
            Box::pin(async { Ok(Taken::Unknown) })
        }
        fn nonces(&self) -> Option<&dyn NonceStore> {
            Some(&self.0)
        }
    }
    let builder = Client::builder("https://example.com/verify")
        .flow(Flow::Code)
        .store(Arc::new(Holder(Nonces)));
    assert_eq!(builder.build().unwrap_err().code(), Code::InvalidOption);
}

/// A store that cannot tell whether it has a record without removing it.
struct Silent(MemoryStore);

impl Store for Silent {
    fn put<'a>(
        &'a self,
        key: &'a SessionKey,
        record: String,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<()>> {
        self.0.put(key, record, ttl)
    }

    fn take<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
        self.0.take(key)
    }
}
