//! The broker's documents in the store, shared by all processes that use it.
//!
//! A loaded document is parsed and checked like a fetched one. Its age counts from the original
//! request. If the store fails, the document is fetched from the broker.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use url::Url;

use super::cached::Lifetime;
use super::fetched::{Failure, Fetched};
use super::leases::{Holder, LEASE, Leases};
use crate::clock::Clock;
use crate::error::Result;
use crate::events;
use crate::freshness::{CEILING, Freshness};
use crate::http::MAX_DOCUMENT_BYTES;
use crate::origin::Origin;
use crate::session_key::SessionKey;
use crate::store::{SharedDocuments, Store};

/// The time limit of one call of the store.
const STORE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a process without a document waits for another one that fetches it.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The pause between two checks is doubled each time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);
/// The accepted difference to the clock of another machine.
const TOLERANCE: Duration = Duration::from_secs(10);
/// The largest copy that is read; a document of the largest size is shorter, even escaped.
const MAX_COPY_BYTES: usize = 2 * 1024 * 1024;
/// The largest number of headers that is read; this library writes fewer than ten.
const MAX_HEADERS: usize = 100;
const VERSION: u32 = 1;

/// Whether a document contains what a caller needs.
pub(super) type Predicate<T> = Box<dyn Fn(&T) -> bool + Send + Sync>;

/// The record of a document in the store: JSON with short names.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Copy {
    #[serde(rename = "v")]
    version: u32,
    #[serde(rename = "u")]
    url: String,
    /// When it was requested, in milliseconds since 1970.
    #[serde(rename = "t")]
    asked_on: u64,
    /// The headers about caching.
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
    /// The name of a document in the store. It depends on the trust of the transport, so that a process
    /// loads only what it would have accepted itself.
    pub(super) fn name(broker: &Origin, trust: &str, document: &str) -> String {
        let document = format!("{document} {trust}");
        // No client id has this form, so this is not the key of a session.
        SessionKey::new(broker.as_str(), "documents", &document).to_string()
    }

    pub(super) fn new(store: Arc<dyn Store>, name: String, leases: Arc<Leases>) -> Self {
        Self {
            store,
            name,
            leases,
        }
    }

    /// Loads a copy that is newer than the cached document, or else finds out who has to fetch.
    ///
    /// One process fetches at a time. Meanwhile, the others use the cached document as long as it is
    /// fresh, and wait if they have none. A caller that wants something which the cached document does
    /// not have waits as well.
    pub(super) async fn claim<T>(
        &self,
        clock: &dyn Clock,
        url: &Url,
        cached: Option<Lifetime>,
        wanted: Option<&Predicate<T>>,
        parse: impl Fn(&[u8]) -> Result<T>,
    ) -> Claim<'_, T> {
        let Some(documents) = self.store.documents() else {
            return Claim::Fetch(Lease::unshared());
        };
        let load = || async {
            let text = ask(documents.load(&self.name)).await?;
            let copy = text.and_then(|text| read(&text, clock, url, cached, wanted, &parse));
            if copy.is_some() {
                self.leases.forget();
            }
            Some(copy)
        };
        let mut elapsed = Duration::ZERO;
        let mut next_wait = SHORTEST_PAUSE;
        let is_held = loop {
            match load().await {
                Some(Some(copy)) => return Claim::Copy(Box::new(copy)),
                Some(None) => {}
                None => return Claim::Fetch(Lease::unshared()),
            }
            match ask(documents.lease(&self.name, LEASE)).await {
                None => return Claim::Fetch(Lease::unshared()),
                Some(true) => {
                    self.leases.forget();
                    break true;
                }
                Some(false) => match self.leases.refused(clock.monotonic()) {
                    Holder::Expired => {
                        // The lease has expired, so it is ended for everybody.
                        ask(documents.release(&self.name)).await;
                        break ask(documents.lease(&self.name, LEASE)).await == Some(true);
                    }
                    Holder::Unresponsive => break false,
                    Holder::Working => {}
                },
            }
            let now = clock.monotonic();
            if wanted.is_none()
                && let Some(cached) = cached
            {
                if cached.is_fresh(now) {
                    return Claim::PeerFetches;
                }
                // A stale document is not a reason to wait for another process.
                if cached.is_usable(now) {
                    break false;
                }
            }
            if elapsed >= LONGEST_WAIT {
                self.leases.doubt(now);
                break false;
            }
            tokio::time::sleep(next_wait).await;
            elapsed += next_wait;
            next_wait = (next_wait * 2).min(LONGEST_PAUSE);
        };
        let lease = Lease {
            documents: Some(documents),
            name: &self.name,
            is_held,
        };
        // The previous holder of the lease may have saved a copy since the last look.
        if is_held && let Some(copy) = load().await.flatten() {
            lease.end().await;
            return Claim::Copy(Box::new(copy));
        }
        Claim::Fetch(lease)
    }
}

/// How a caller gets a document.
pub(super) enum Claim<'a, T> {
    /// Another process has fetched it.
    Copy(Box<Fetched<T>>),
    /// Another process fetches it at present.
    PeerFetches,
    /// The caller fetches it.
    Fetch(Lease<'a>),
}

/// The right to fetch a document, and to save it for others.
pub(super) struct Lease<'a> {
    /// `None` if the store failed: the document is not saved then.
    documents: Option<&'a dyn SharedDocuments>,
    name: &'a str,
    is_held: bool,
}

impl Lease<'_> {
    fn unshared() -> Self {
        Self {
            documents: None,
            name: "",
            is_held: false,
        }
    }

    /// Saves what was fetched, and ends the lease.
    pub(super) async fn finish<T>(self, fetched: &Result<Fetched<T>, Failure>) {
        if let (Some(documents), Ok(fetched)) = (self.documents, fetched)
            && let Some(copy) = write(fetched)
        {
            ask(documents.save(self.name, copy, fetched.lifetime)).await;
        }
        self.end().await;
    }

    async fn end(self) {
        if let (Some(documents), true) = (self.documents, self.is_held) {
            ask(documents.release(self.name)).await;
        }
    }
}

/// The store's answer; `None` if it failed or timed out.
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

/// Reads a copy. `None` if it is invalid, from another URL, stale, not newer than the cached document, or
/// does not contain what is wanted.
fn read<T>(
    text: &str,
    clock: &dyn Clock,
    url: &Url,
    cached: Option<Lifetime>,
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
    let is_newer = cached
        .filter(|cached| cached.is_usable(now))
        .is_none_or(|cached| age < cached.age_at(now));
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
        expiry: None,
    })
}

fn age(asked_on: SystemTime, now: SystemTime) -> Option<Duration> {
    match now.duration_since(asked_on) {
        Ok(age) => Some(age),
        Err(ahead) if ahead.duration() <= TOLERANCE => Some(Duration::ZERO),
        Err(_) => None,
    }
}
