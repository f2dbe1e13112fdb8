//! The broker's two documents: its discovery document and its keys.
//!
//! A caller looks a document up in a [`Cache`]. If it has to be fetched, one task for all callers first
//! looks for a copy in the store ([`SharedDocumentCache`]), then asks the broker ([`fetch()`]), saves the
//! result in the store, and puts it into the cache.

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

use tracing::Instrument as _;
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
use crate::events::{self, spans};
use crate::freshness::Freshness;
use crate::health::HealthCheck;
use crate::http::Transport;
use crate::jwks::KeySet;
use crate::origin::Origin;
use crate::stats::DocumentsStats;
use crate::store::Store;

/// The difference of the clocks, in seconds, from which a warning is logged: a third of the default
/// leeway, and more than synchronized clocks differ.
const CLOCK_SKEW_WARNING: f64 = 60.0;

/// The discovery document and the keys of one broker, shared by all callers.
///
/// A fetch runs in its own task, and all callers wait for the same one. So there is at most one request
/// per document at any time, and a caller that is cancelled does not affect the others. Dropping the last
/// handle aborts running fetches.
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
        // Reads all certificate authorities, so it is only done if documents are shared.
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
    /// Those of the class [`BrokerUnavailable`](crate::Kind::BrokerUnavailable) if there is no usable
    /// document and it cannot be fetched.
    pub(crate) fn discovery(&self) -> impl Future<Output = Result<Arc<Discovery>>> {
        self.fetcher.discovery()
    }

    /// The keys.
    ///
    /// # Errors
    /// As [`Documents::discovery`].
    pub(crate) fn keys(&self) -> impl Future<Output = Result<Arc<KeySet>>> {
        self.fetcher.keys()
    }

    /// The keys for a token whose key is not in `seen`: the cached set if it is another one, else a copy in
    /// the store that has the key, else a fetched set. There is at most one such fetch in five seconds, and
    /// none in the first second after `seen` was fetched; the cached set is returned then.
    ///
    /// # Errors
    /// As [`Documents::discovery`], even if an older set is cached: it does not contain the key.
    pub(crate) async fn refresh_for_key(
        &self,
        seen: &Arc<KeySet>,
        key_id: &str,
    ) -> Result<Arc<KeySet>> {
        self.fetcher.refresh_for_key(seen, key_id).await
    }

    /// Whether the broker may have changed the keys since `seen`: another set is cached, or `seen` is more
    /// than five minutes old.
    pub(crate) fn keys_may_have_changed(&self, seen: &Arc<KeySet>) -> bool {
        let now = self.fetcher.clock.monotonic();
        self.fetcher.keys.may_have_changed(seen, now)
    }

    /// What is known about the discovery document and the keys. Fetches that are due start in the background.
    pub(crate) fn check(&self) -> (HealthCheck, HealthCheck) {
        let fetcher = &self.fetcher;
        let now = fetcher.clock.monotonic();
        let discovery = fetcher
            .discovery
            .check(now, || fetcher.start_discovery(None));
        let keys = fetcher.keys.check(now, || fetcher.start_keys(None));
        (discovery, keys)
    }

    /// How far the broker's clock is ahead, in seconds; `None` before its first answer.
    pub(crate) fn clock_difference(&self) -> Option<f64> {
        let difference = f64::from_bits(self.fetcher.clock_difference.load(Relaxed));
        (!difference.is_nan()).then_some(difference)
    }

    pub(crate) fn stats(&self) -> DocumentsStats {
        let Fetcher {
            discovery, keys, ..
        } = &*self.fetcher;
        let now = self.fetcher.clock.monotonic();
        DocumentsStats {
            discovery: discovery.stats(now),
            keys: keys.stats(now),
            clock_difference: self.clock_difference(),
            durations: vec![
                (discovery.name(), discovery.durations().stats()),
                (keys.name(), keys.durations().stats()),
            ],
        }
    }
}

impl Drop for Documents {
    fn drop(&mut self) {
        self.fetcher.discovery.abandon();
        self.fetcher.keys.abandon();
    }
}

/// The state that fetching tasks share with [`Documents`].
struct Fetcher {
    broker: Origin,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    discovery: Cache<Discovery>,
    keys: Cache<KeySet>,
    /// `None` if the documents are not shared with other processes.
    shared_discovery: Option<SharedDocumentCache>,
    shared_keys: Option<SharedDocumentCache>,
    /// The bits of an `f64`; NaN before the first answer.
    clock_difference: AtomicU64,
}

impl Fetcher {
    fn discovery(self: &Arc<Self>) -> impl Future<Output = Result<Arc<Discovery>>> {
        let start = || self.start_discovery(None);
        self.discovery.get(&*self.clock, start)
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

    fn keys(self: &Arc<Self>) -> impl Future<Output = Result<Arc<KeySet>>> {
        self.keys.get(&*self.clock, || self.start_keys(None))
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
        let this = Arc::clone(self);
        InFlight::start(async move {
            let fetched = in_flight::caught(this.fetch_discovery(wanted)).await;
            this.settle(&this.discovery, fetched)
        })
    }

    fn start_keys(self: &Arc<Self>, wanted: Option<Predicate<KeySet>>) -> Result<InFlight<KeySet>> {
        let this = Arc::clone(self);
        InFlight::start(async move {
            let fetched = in_flight::caught(this.fetch_keys(wanted)).await;
            this.settle(&this.keys, fetched)
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
        // If the discovery document came from the store, the keys do not outlive it.
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
                Claim::Copy(copy) => return Ok(*copy),
                Claim::PeerFetches => return Err(Failure::deferred_to_peer()),
                Claim::Fetch(granted) => lease = Some(granted),
            }
        }
        cache.count_request();
        let (name, missing) = (cache.name(), wanted.is_some());
        let span = spans::fetch(name);
        let fetching = fetch(transport, clock, name, url, validators, missing, parse);
        let begun = clock.monotonic();
        let fetched = fetching.instrument(span.clone()).await;
        cache
            .durations()
            .record(clock.monotonic().saturating_sub(begun));
        if let Err(failure) = &fetched {
            spans::failed(&span, failure.error.code());
        }
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
