//! The broker's two documents, kept as long as they may be and fetched as seldom as they can be.

mod backoff;
mod cache;
mod cached;
mod fetch;
mod fetched;
mod in_flight;
mod leases;
mod shared_cache;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use url::Url;

use self::cache::Cache;
use self::fetch::fetch;
use self::fetched::{Failure, Fetched};
use self::in_flight::InFlight;
use self::leases::Leases;
use self::shared_cache::{Claim, Predicate, SharedDocumentCache};
use crate::clock::{Clock, Random, unix_seconds};
use crate::discovery::{DISCOVERY_PATH, Discovery};
use crate::error::Result;
use crate::events;
use crate::freshness::Freshness;
use crate::http::Transport;
use crate::jwks::KeySet;
use crate::origin::Origin;
use crate::stats::DocumentsStats;
use crate::store::Store;

/// By how many seconds the broker's clock and ours may differ before anybody is told: a third of what
/// is forgiven by default, and more than clocks do that are kept.
const CLOCK_SKEW_WARNING: f64 = 60.0;

/// The discovery document and the keys of one broker, shared by all callers.
///
/// Whoever needs a document that is not there starts a fetch in a task of its own, or waits for the
/// one that runs; so there is one request per document at any time, and who gives up waiting stops
/// nobody else. Dropping the last handle aborts what still runs.
pub(crate) struct Documents {
    fetcher: Arc<Fetcher>,
}

impl Documents {
    pub(crate) fn new(
        broker: Origin,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        store: &Arc<dyn Store>,
    ) -> Arc<Self> {
        // It takes the reading of all authorities, and only shared documents have a name.
        let trust = store.documents().and_then(|_| transport.trust());
        let leases = Arc::new(Leases::default());
        let shared_cache = |document| {
            let name = SharedDocumentCache::name(&broker, trust.as_deref()?, document);
            Some(SharedDocumentCache::new(
                Arc::clone(store),
                name,
                Arc::clone(&leases),
            ))
        };
        Arc::new(Self {
            fetcher: Arc::new(Fetcher {
                shared_discovery: shared_cache("discovery"),
                shared_keys: shared_cache("keys"),
                broker,
                transport,
                clock,
                random,
                discovery: Cache::new("discovery"),
                keys: Cache::new("keys"),
                clock_difference: AtomicU64::new(f64::NAN.to_bits()),
            }),
        })
    }

    /// The discovery document.
    ///
    /// # Errors
    /// Those of the class [`BrokerUnavailable`](crate::Kind::BrokerUnavailable) when there is none
    /// to be had.
    pub(crate) async fn discovery(&self) -> Result<Arc<Discovery>> {
        self.fetcher.discovery().await
    }

    /// The keys.
    ///
    /// # Errors
    /// As [`Documents::discovery`].
    pub(crate) async fn keys(&self) -> Result<Arc<KeySet>> {
        self.fetcher.keys().await
    }

    /// The keys for a token whose key is not in `seen`: a newer set if there is one already, else
    /// one with that key from another process, or what a fetch brings. One such fetch is allowed in
    /// five seconds, and none in the first second of `seen`; in between, what there is.
    ///
    /// # Errors
    /// As [`Documents::discovery`], also when an older set is at hand: it would only prove that the
    /// token's key is not in it.
    pub(crate) async fn refresh_for_key(
        &self,
        seen: &Arc<KeySet>,
        key_id: &str,
    ) -> Result<Arc<KeySet>> {
        self.fetcher.refresh_for_key(seen, key_id).await
    }

    /// Whether the broker may have changed the keys since `seen`: if there is another set already,
    /// or if this one is more than five minutes old.
    pub(crate) fn keys_may_have_changed(&self, seen: &Arc<KeySet>) -> bool {
        let now = self.fetcher.clock.monotonic();
        self.fetcher.keys.may_have_changed(seen, now)
    }

    pub(crate) fn stats(&self) -> DocumentsStats {
        let fetcher = &self.fetcher;
        let now = fetcher.clock.monotonic();
        let difference = f64::from_bits(fetcher.clock_difference.load(Relaxed));
        DocumentsStats {
            discovery: fetcher.discovery.stats(now),
            keys: fetcher.keys.stats(now),
            clock_difference: (!difference.is_nan()).then_some(difference),
        }
    }
}

impl Drop for Documents {
    fn drop(&mut self) {
        self.fetcher.discovery.abandon();
        self.fetcher.keys.abandon();
    }
}

/// What the tasks that fetch hold on to.
struct Fetcher {
    broker: Origin,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    discovery: Cache<Discovery>,
    keys: Cache<KeySet>,
    /// None for documents that this process keeps to itself.
    shared_discovery: Option<SharedDocumentCache>,
    shared_keys: Option<SharedDocumentCache>,
    /// The bits of an `f64`, not a number as long as nothing is known.
    clock_difference: AtomicU64,
}

impl Fetcher {
    async fn discovery(self: &Arc<Self>) -> Result<Arc<Discovery>> {
        let start = || self.start_discovery(None);
        self.discovery.get(&*self.clock, start).await
    }

    async fn discovery_newer_than(
        self: &Arc<Self>,
        seen: &Arc<Discovery>,
    ) -> Result<Arc<Discovery>> {
        let start = || {
            let gone = seen.jwks_uri.clone();
            self.start_discovery(Some(Box::new(move |newer| newer.jwks_uri != gone)))
        };
        self.discovery
            .get_newer_than(seen, &*self.clock, start)
            .await
    }

    async fn keys(self: &Arc<Self>) -> Result<Arc<KeySet>> {
        self.keys.get(&*self.clock, || self.start_keys(None)).await
    }

    async fn refresh_for_key(
        self: &Arc<Self>,
        seen: &Arc<KeySet>,
        key_id: &str,
    ) -> Result<Arc<KeySet>> {
        let start = || {
            let key_id = key_id.to_owned();
            self.start_keys(Some(Box::new(move |newer| newer.get(&key_id).is_some())))
        };
        self.keys.get_newer_than(seen, &*self.clock, start).await
    }

    fn start_discovery(
        self: &Arc<Self>,
        wanted: Option<Predicate<Discovery>>,
    ) -> Result<InFlight<Discovery>> {
        let fetcher = Arc::clone(self);
        InFlight::start(async move {
            let fetched = in_flight::caught(fetcher.fetch_discovery(wanted)).await;
            fetcher.settle(&fetcher.discovery, fetched)
        })
    }

    fn start_keys(self: &Arc<Self>, wanted: Option<Predicate<KeySet>>) -> Result<InFlight<KeySet>> {
        let fetcher = Arc::clone(self);
        InFlight::start(async move {
            let fetched = in_flight::caught(fetcher.fetch_keys(wanted)).await;
            fetcher.settle(&fetcher.keys, fetched)
        })
    }

    async fn fetch_discovery(
        &self,
        wanted: Option<Predicate<Discovery>>,
    ) -> Result<Fetched<Discovery>, Failure> {
        let url = self.broker.join(DISCOVERY_PATH);
        let (cache, shared) = (&self.discovery, self.shared_discovery.as_ref());
        let parse = |body: &[u8]| Discovery::parse(body, &self.broker);
        self.fetch(cache, shared, &url, wanted.as_ref(), parse)
            .await
    }

    async fn fetch_keys(
        self: &Arc<Self>,
        wanted: Option<Predicate<KeySet>>,
    ) -> Result<Fetched<KeySet>, Failure> {
        let discovery = self.discovery().await.map_err(Failure::inherited)?;
        let fetched = self.fetch_keys_from(&discovery, wanted.as_ref()).await;
        if !fetched.as_ref().is_err_and(Failure::is_gone) {
            return fetched;
        }
        // The keys may have moved since the discovery document was fetched.
        match self.discovery_newer_than(&discovery).await {
            Ok(newer) if newer.jwks_uri != discovery.jwks_uri => {
                self.fetch_keys_from(&newer, wanted.as_ref()).await
            }
            _ => fetched,
        }
    }

    async fn fetch_keys_from(
        &self,
        discovery: &Arc<Discovery>,
        wanted: Option<&Predicate<KeySet>>,
    ) -> Result<Fetched<KeySet>, Failure> {
        let (cache, shared) = (&self.keys, self.shared_keys.as_ref());
        let url = &discovery.jwks_uri;
        // If a store said where the keys are, they are believed no longer than that.
        let expiry = self.discovery.expiry_of(discovery, self.clock.monotonic());
        let fetched = self.fetch(cache, shared, url, wanted, KeySet::parse);
        Ok(Fetched {
            expiry,
            ..fetched.await?
        })
    }

    async fn fetch<T: Send + Sync + 'static>(
        &self,
        cache: &Cache<T>,
        shared: Option<&SharedDocumentCache>,
        url: &Url,
        wanted: Option<&Predicate<T>>,
        parse: impl Fn(&[u8]) -> Result<T> + Copy,
    ) -> Result<Fetched<T>, Failure> {
        let (transport, clock) = (&*self.transport, &*self.clock);
        let (cached, validators) = cache.snapshot(url);
        let mut lease = None;
        if let Some(shared) = shared {
            match shared.claim(clock, url, cached, wanted, parse).await {
                Claim::Copy(copy) => return Ok(copy),
                Claim::PeerFetches => return Err(Failure::deferred_to_peer()),
                Claim::Fetch(granted) => lease = Some(granted),
            }
        }
        cache.count_request();
        let fetched = fetch(transport, clock, cache.name(), url, validators, parse).await;
        if let Some(lease) = lease {
            lease.finish(&fetched).await;
        }
        fetched
    }

    fn settle<T: Send + Sync + 'static>(
        &self,
        cache: &Cache<T>,
        fetched: Result<Fetched<T>, Failure>,
    ) -> Result<Arc<T>> {
        match fetched {
            Ok(fetched) => {
                if !fetched.is_shared {
                    self.compare_clocks(&fetched.freshness);
                }
                cache.adopt(fetched)
            }
            Err(failure) => cache.fail(failure, self.clock.monotonic(), &*self.random),
        }
    }

    fn compare_clocks(&self, freshness: &Freshness) {
        if let Some(theirs) = freshness.server_time() {
            let ours = unix_seconds(self.clock.now()).floor();
            let difference = unix_seconds(theirs) - ours;
            self.clock_difference.store(difference.to_bits(), Relaxed);
            if difference.abs() >= CLOCK_SKEW_WARNING {
                events::clocks_differ(difference);
            }
        }
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
