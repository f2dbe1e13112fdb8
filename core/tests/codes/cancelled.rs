//! Calls that are dropped, and stores that fail, at every point of a login.

use std::future::Future as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use portier_client::testing::{DevBroker, DevBrokerOptions, MintOptions, MockTransport};
use portier_client::{
    BoxFuture, CallbackParams, Client, Code, Error, Flow, Login, MemoryStore, Request, Response,
    Result, SessionKey, Store, SystemClock, Taken, Transport,
};
use serde_json::json;
use tokio::task::yield_now;
use url::Url;

/// A site with a broker that redeems its code as often as it is asked: only the store keeps a login from
/// completing twice.
struct LaxSite {
    client: Client,
    broker: DevBroker,
    network: Arc<MockTransport>,
    faults: Arc<Faults>,
}

/// The operation of the store that fails next.
#[derive(Default)]
struct Faults {
    /// How many operations there are before it; it fails if this is 1.
    left: AtomicUsize,
    /// Whether it has had its effect.
    is_done: AtomicBool,
}

impl LaxSite {
    async fn new(can_peek: bool) -> Self {
        let broker = DevBroker::spawn(DevBrokerOptions::default()).unwrap();
        let network = Arc::new(MockTransport::new());
        let builder = Client::builder("https://example.com/verify").broker(broker.origin());
        let documents = builder.clone().build().unwrap();
        for (path, document) in [
            (
                "/.well-known/openid-configuration",
                documents.discover().await,
            ),
            ("/keys.json", documents.key_set().await),
        ] {
            let url = format!("{}{path}", broker.origin());
            network.respond(&url, 200, &[], document.unwrap()).unwrap();
        }
        let faults = Arc::new(Faults::default());
        let store = Pausing {
            inner: MemoryStore::new(Arc::new(SystemClock::new())),
            can_peek,
            faults: Arc::clone(&faults),
        };
        let client = builder
            .flow(Flow::Code)
            .transport(Arc::new(PausingNetwork(Arc::clone(&network))))
            .store(Arc::new(store))
            .build()
            .unwrap();
        client.warm().await.unwrap();
        Self {
            client,
            broker,
            network,
            faults,
        }
    }

    /// Starts a login, whose code is good from now on.
    async fn answer(&self) -> CallbackParams {
        let url = self.client.authenticate("alice@example.com").await.unwrap();
        let token = self.broker.mint(&MintOptions::for_url(&url).unwrap());
        let body = json!({ "id_token": token.unwrap() }).to_string();
        let endpoint = format!("{}/token", self.broker.origin());
        let headers = [("content-type", "application/json")];
        self.network
            .respond(&endpoint, 200, &headers, body)
            .unwrap();
        let url = Url::parse(&url).unwrap();
        let (_, state) = url.query_pairs().find(|(name, _)| name == "state").unwrap();
        CallbackParams::from_pairs([("code", "a code"), ("state", &state)]).unwrap()
    }

    async fn complete(&self, params: &CallbackParams) -> Result<Login> {
        self.client.complete(params.clone(), None).await
    }
}

/// Once a login was completed, it is used; there is no other way to say so.
async fn completes_at_most_once(
    site: &LaxSite,
    params: &CallbackParams,
    first: Option<Result<Login>>,
) {
    let mut completed = u32::from(matches!(first, Some(Ok(_))));
    for _ in 0..2 {
        match site.complete(params).await {
            Ok(_) => completed += 1,
            Err(error) => assert_eq!(error.code(), Code::SessionUsed),
        }
    }
    assert!(completed <= 1, "completed {completed} times");
}

#[tokio::test]
async fn a_call_that_is_dropped_at_any_point_completes_no_login_twice() {
    for can_peek in [true, false] {
        let site = LaxSite::new(can_peek).await;
        let mut points = 0;
        loop {
            let params = site.answer().await;
            let mut first = None;
            {
                let mut call = pin!(site.complete(&params));
                let mut context = Context::from_waker(Waker::noop());
                for _ in 0..points {
                    if let Poll::Ready(outcome) = call.as_mut().poll(&mut context) {
                        first = Some(outcome);
                        break;
                    }
                }
            }
            let is_last = first.is_some();
            completes_at_most_once(&site, &params, first).await;
            if is_last {
                break;
            }
            points += 1;
        }
        assert!(points >= 4, "there were only {points} points");
    }
}

#[tokio::test]
async fn a_store_that_fails_at_any_operation_completes_no_login_twice() {
    for (can_peek, is_done) in [(true, false), (true, true), (false, false), (false, true)] {
        let site = LaxSite::new(can_peek).await;
        site.faults.is_done.store(is_done, Ordering::Relaxed);
        for operation in 1.. {
            let params = site.answer().await;
            site.faults.left.store(operation, Ordering::Relaxed);
            let first = site.complete(&params).await;
            let was_reached = site.faults.left.swap(0, Ordering::Relaxed) == 0;
            if was_reached {
                let error = first.as_ref().unwrap_err();
                assert_eq!(error.code(), Code::StoreFailed);
            }
            if was_reached && !is_done {
                site.complete(&params).await.unwrap();
            } else {
                completes_at_most_once(&site, &params, Some(first)).await;
            }
            if !was_reached {
                assert!(operation > 1, "no operation has failed");
                break;
            }
        }
    }
}

/// A network on which every request takes a while.
struct PausingNetwork(Arc<MockTransport>);

impl Transport for PausingNetwork {
    fn send(&self, request: Request) -> BoxFuture<'static, Result<Response>> {
        let network = Arc::clone(&self.0);
        Box::pin(async move {
            yield_now().await;
            let response = network.send(request).await;
            yield_now().await;
            response
        })
    }
}

/// A store whose operations take a while, and may fail.
struct Pausing {
    inner: MemoryStore,
    can_peek: bool,
    faults: Arc<Faults>,
}

impl Pausing {
    async fn run<T>(&self, operation: BoxFuture<'_, Result<T>>) -> Result<T> {
        yield_now().await;
        let left = self.faults.left.load(Ordering::Relaxed);
        self.faults
            .left
            .store(left.saturating_sub(1), Ordering::Relaxed);
        let failed = || Error::new(Code::StoreFailed, "the store is down");
        if left == 1 && !self.faults.is_done.load(Ordering::Relaxed) {
            return Err(failed());
        }
        let outcome = operation.await;
        yield_now().await;
        if left == 1 { Err(failed()) } else { outcome }
    }
}

impl Store for Pausing {
    fn put<'a>(
        &'a self,
        key: &'a SessionKey,
        record: String,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.run(self.inner.put(key, record, ttl)))
    }

    fn take<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
        Box::pin(self.run(self.inner.take(key)))
    }

    fn peek<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<Taken>>> {
        if self.can_peek {
            Box::pin(self.run(self.inner.peek(key)))
        } else {
            Box::pin(async { Ok(None) })
        }
    }
}
