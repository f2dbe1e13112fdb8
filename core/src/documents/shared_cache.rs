//! The broker's documents in the store, for all processes that use it.
//!
//! What is loaded passes the same parsers and rules as what is fetched, and is as fresh as it was
//! for the process that fetched it. Whenever the store fails, a document is fetched as if there
//! were none.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use url::Url;

use super::cache::Cache;
use super::fetch::{Failure, Fetched};
use super::leases::{Holder, LEASE, Leases};
use crate::clock::Clock;
use crate::error::Result;
use crate::events;
use crate::freshness::{CEILING, Freshness};
use crate::http::MAX_DOCUMENT_BYTES;
use crate::nonce::SessionKey;
use crate::origin::Origin;
use crate::store::{SharedDocuments, Store};

/// How long one question to the store may take here.
const STORE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long others wait for it who have no document; after that they fetch it themselves.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Between two looks; doubled from the one to the other.
const SHORTEST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);
/// How far the clock of another machine may be ahead.
const TOLERANCE: Duration = Duration::from_secs(10);
/// The largest copy that is read: escaped, a document of the largest size is shorter.
const MAX_COPY_BYTES: usize = 2 * 1024 * 1024;
/// The most headers that are read: a copy of ours has fewer than ten.
const MAX_HEADERS: usize = 100;
const VERSION: u32 = 1;

/// What must be in a document for a caller who missed it in the one that is kept.
pub(super) type Predicate<T> = Box<dyn Fn(&T) -> bool + Send + Sync>;

/// A document as the store keeps it: JSON with short names.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Copy {
    #[serde(rename = "v")]
    version: u32,
    #[serde(rename = "u")]
    url: String,
    /// When it was asked for, in milliseconds since 1970.
    #[serde(rename = "t")]
    asked_on: u64,
    /// The headers about its reuse.
    #[serde(rename = "h")]
    headers: Vec<(String, String)>,
    #[serde(rename = "b")]
    body: String,
}

/// One document of one broker in the store.
pub(super) struct SharedDocumentCache {
    store: Arc<dyn Store>,
    name: String,
    leases: Arc<Leases>,
}

impl SharedDocumentCache {
    /// The name of a document in the store. It has the trust of its transport in it, so that nobody
    /// takes over what they would not have believed themselves.
    pub(super) fn name(broker: &Origin, trust: &str, document: &str) -> String {
        let document = format!("{document} {trust}");
        // No relying party is called that, so it is nobody's session.
        SessionKey::new(broker.as_str(), "documents", &document).to_string()
    }

    pub(super) fn new(store: Arc<dyn Store>, name: String, leases: Arc<Leases>) -> Self {
        Self {
            store,
            name,
            leases,
        }
    }

    /// Gets a document: a copy that is newer than what `cache` keeps, or what `fetch` brings. One
    /// process fetches at a time. Meanwhile, the others use what they have as long as it is fresh,
    /// and wait if they have nothing.
    pub(super) async fn get<T, F>(
        &self,
        cache: &Cache<T>,
        clock: &dyn Clock,
        url: &Url,
        wanted: Option<&Predicate<T>>,
        parse: impl Fn(&[u8]) -> Result<T>,
        fetch: impl FnOnce() -> F,
    ) -> Result<Fetched<T>, Failure>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<Fetched<T>, Failure>>,
    {
        let Some(documents) = self.store.documents() else {
            return fetch().await;
        };
        let load = || async {
            let text = ask(documents.load(&self.name)).await?;
            let copy = text.and_then(|text| read(&text, cache, clock, url, wanted, &parse));
            if copy.is_some() {
                self.leases.forget();
                cache.count_shared_load();
                events::document_shared(cache.name());
            }
            Some(copy)
        };
        let mut waited = Duration::ZERO;
        let mut next_wait = SHORTEST_PAUSE;
        let leased = loop {
            match load().await {
                Some(Some(copy)) => return Ok(copy),
                Some(None) => {}
                None => return fetch().await,
            }
            match ask(documents.lease(&self.name, LEASE)).await {
                None => return fetch().await,
                Some(true) => {
                    self.leases.forget();
                    break true;
                }
                Some(false) => match self.leases.refused(clock.monotonic()) {
                    Holder::Expired => {
                        // Its time has passed, so it ends for all.
                        ask(documents.release(&self.name)).await;
                        break ask(documents.lease(&self.name, LEASE)).await == Some(true);
                    }
                    Holder::Unresponsive => break false,
                    Holder::Working => {}
                },
            }
            let now = clock.monotonic();
            if wanted.is_none() && cache.is_fresh(now) {
                return Err(Failure::deferred_to_peer());
            }
            // A document that is past its lifetime does not wait for another process.
            if wanted.is_none() && cache.age(now).is_some() {
                break false;
            }
            if waited >= LONGEST_WAIT {
                self.leases.doubt(now);
                break false;
            }
            tokio::time::sleep(next_wait).await;
            waited += next_wait;
            next_wait = (next_wait * 2).min(LONGEST_PAUSE);
        };
        // Who held the lease before may have saved a copy since we looked.
        let copy = if leased { load().await.flatten() } else { None };
        let result = match copy {
            Some(copy) => Ok(copy),
            None => fetch().await,
        };
        if let Ok(fetched) = &result
            && !fetched.is_shared
        {
            self.save(documents, fetched).await;
        }
        if leased {
            ask(documents.release(&self.name)).await;
        }
        result
    }

    async fn save<T>(&self, documents: &dyn SharedDocuments, fetched: &Fetched<T>) {
        if let Some(copy) = write(fetched) {
            ask(documents.save(&self.name, copy, fetched.lifetime)).await;
        }
    }
}

/// The store's answer; `None` if it has none in time.
async fn ask<T>(question: impl Future<Output = Result<T>>) -> Option<T> {
    match tokio::time::timeout(STORE_TIMEOUT, question).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            events::documents_not_shared(Some(&error));
            None
        }
        Err(_) => {
            events::documents_not_shared(None);
            None
        }
    }
}

fn write<T>(fetched: &Fetched<T>) -> Option<String> {
    let asked_on = fetched.asked_on.duration_since(UNIX_EPOCH).ok()?;
    let copy = Copy {
        version: VERSION,
        url: fetched.url.to_string(),
        asked_on: u64::try_from(asked_on.as_millis()).ok()?,
        headers: fetched.freshness.to_pairs()?,
        body: String::from_utf8(fetched.body.to_vec()).ok()?,
    };
    serde_json::to_string(&copy).ok()
}

/// Reads a copy, unless it is of no use: not from `url`, stale, not newer than what is kept, or not
/// what is missing.
fn read<T: Send + Sync + 'static>(
    text: &str,
    cache: &Cache<T>,
    clock: &dyn Clock,
    url: &Url,
    wanted: Option<&Predicate<T>>,
    parse: impl Fn(&[u8]) -> Result<T>,
) -> Option<Fetched<T>> {
    if text.len() > MAX_COPY_BYTES || !text.starts_with('{') {
        return None;
    }
    let copy: Copy = serde_json::from_str(text).ok()?;
    let is_bounded = copy.body.len() <= MAX_DOCUMENT_BYTES && copy.headers.len() <= MAX_HEADERS;
    if copy.version != VERSION || copy.url != url.as_str() || !is_bounded {
        return None;
    }
    let asked_on = UNIX_EPOCH.checked_add(Duration::from_millis(copy.asked_on))?;
    let age = age(asked_on, clock.now())?;
    let freshness = Freshness::from_pairs(&copy.headers)?;
    let lifetime = freshness.lifetime(asked_on);
    let now = clock.monotonic();
    let is_newer = cache.age(now).is_none_or(|ours| age < ours);
    if age >= lifetime.min(CEILING) || !is_newer {
        return None;
    }
    let value = parse(copy.body.as_bytes()).ok()?;
    if wanted.is_some_and(|is_there| !is_there(&value)) {
        return None;
    }
    Some(Fetched {
        value: Some(value),
        url: url.clone(),
        freshness,
        body: Bytes::from(copy.body),
        asked_at: now,
        asked_on,
        age,
        lifetime,
        is_shared: true,
        end: None,
    })
}

fn age(asked_on: SystemTime, now: SystemTime) -> Option<Duration> {
    match now.duration_since(asked_on) {
        Ok(age) => Some(age),
        Err(ahead) if ahead.duration() <= TOLERANCE => Some(Duration::ZERO),
        Err(_) => None,
    }
}
