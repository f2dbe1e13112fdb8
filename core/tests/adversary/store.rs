//! A store that follows a script.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use portier_client::{
    BoxFuture, Clock as _, Code, Error, Result, SessionKey, SharedDocuments, Store, Taken,
};
use serde_json::{Value, json};

use super::world::{DISCOVERY, FORGED, STAGING, STAGING_PROCESS, START, Signers, World, etag};

/// The state that all processes share.
#[derive(Default)]
pub(crate) struct Contents {
    records: HashMap<[u8; 32], String>,
    used: HashSet<[u8; 32]>,
    documents: HashMap<String, String>,
    leases: HashMap<String, Duration>,
    /// All documents that were ever saved, with their names.
    saved: Vec<(String, String)>,
    /// How often a record was returned.
    pub(crate) given: HashMap<[u8; 32], u32>,
    /// How often a record was accepted.
    pub(crate) accepted: u32,
    /// How often a record was to be given or to be kept.
    pub(crate) changes: u64,
    /// The script: one number for each call. After its end, the store is correct.
    script: Vec<u8>,
    next: usize,
}

impl Contents {
    pub(crate) fn new(script: Vec<u8>) -> Self {
        Self {
            script,
            ..Self::default()
        }
    }

    pub(crate) fn is_honest(&self) -> bool {
        self.script.iter().all(|number| *number == 0)
    }

    fn draw(&mut self) -> u8 {
        let drawn = self.script.get(self.next % self.script.len().max(1));
        self.next += 1;
        drawn.copied().unwrap_or_default()
    }
}

pub(crate) struct Adversary {
    pub(crate) world: Arc<World>,
    pub(crate) process: usize,
    pub(crate) contents: Arc<Mutex<Contents>>,
}

/// The fault of a call.
enum Fate<T> {
    Now(Result<T>),
    Late(Result<T>),
    Never,
}

impl Adversary {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap()
    }

    fn answer<T: Send + 'static>(
        &self,
        answer: impl FnOnce(&mut Contents, u8) -> Fate<T>,
    ) -> BoxFuture<'_, Result<T>> {
        let mut contents = self.contents();
        let number = contents.draw();
        let fate = answer(&mut contents, number);
        Box::pin(async move {
            match fate {
                Fate::Now(answer) => answer,
                Fate::Late(answer) => {
                    tokio::time::sleep(Duration::from_secs(2)).await;
                    answer
                }
                Fate::Never => std::future::pending().await,
            }
        })
    }

    /// Records whose keys a process may accept because of this text.
    fn show(&self, text: &str, source: Source) {
        if text.contains("evil.example") {
            self.world.name_evil();
            self.world.see(self.process, FORGED, self.world.now());
        }
        let copy: Value = serde_json::from_str(text).unwrap_or_default();
        let fetched = Duration::from_millis(copy["t"].as_u64().unwrap_or_default())
            .saturating_sub(Duration::from_secs(START));
        let at = if source == Source::Forged {
            self.world.now()
        } else {
            fetched
        };
        for owner in Signers::all().owners_in(text) {
            // A document of a client with another trust must not be shared.
            let is_ours = (owner == STAGING) == (self.process == STAGING_PROCESS);
            if source != Source::SameName || is_ours {
                self.world.see(self.process, owner, at);
            }
        }
    }

    /// A document made by the attacker.
    fn forge(&self, number: u8, is_discovery: bool, is_long: bool) -> String {
        let bits = |shift: u8| (number >> shift) & 1 == 1;
        let now = 1000 * (START + self.world.now().as_secs());
        let asked_on = now + if bits(0) { 10_000 } else { 0 };
        let asked_on = asked_on + if bits(3) && bits(4) { 3_600_000 } else { 0 };
        let mut headers = vec![("cache-control", "max-age=31536000".to_owned())];
        if bits(1) {
            headers.push(("etag", etag(self.world.current())));
        }
        if bits(2) {
            headers.push(("last-modified", "Tue, 01 Jan 2090 00:00:00 GMT".to_owned()));
        }
        if bits(3) {
            headers.push(("date", "Tue, 01 Jan 2090 00:00:00 GMT".to_owned()));
        }
        let padding = " ".repeat(if is_long { 300_000 } else { 0 });
        let (url, body) = if is_discovery {
            let host = if bits(4) {
                "http://10.0.0.1"
            } else {
                "https://evil.example"
            };
            let body = DISCOVERY.replace("https://broker.example/keys", &format!("{host}/keys"));
            (
                "https://broker.example/.well-known/openid-configuration",
                body,
            )
        } else {
            let keys = Signers::all().key_set(FORGED).to_owned();
            ("https://broker.example/keys.json", keys)
        };
        json!({ "v": 1, "u": url, "t": asked_on, "h": headers, "b": format!("{padding}{body}") })
            .to_string()
    }
}

/// The origin of a document in the store.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    SameName,
    AnyName,
    Forged,
}

fn down<T>() -> Result<T> {
    Err(Error::new(Code::StoreUnavailable, "down"))
}

impl Store for Adversary {
    fn put<'a>(
        &'a self,
        key: &'a SessionKey,
        record: String,
        _: Duration,
    ) -> BoxFuture<'a, Result<()>> {
        self.answer(|contents, number| {
            contents.changes += 1;
            let exists = contents.records.contains_key(key.as_bytes());
            let answer = match number % 12 {
                1 | 2 => down(),
                // It was never there, or is forgotten.
                3 => Ok(()),
                _ if exists => Err(Error::new(Code::StoreFailed, "the record exists already")),
                _ => Ok(()),
            };
            if !matches!(number % 12, 1 | 3) {
                contents.records.insert(*key.as_bytes(), record);
            }
            contents.accepted += u32::from(answer.is_ok());
            if number % 12 == 4 {
                Fate::Late(answer)
            } else {
                Fate::Now(answer)
            }
        })
    }

    fn take<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
        let key = *key.as_bytes();
        self.answer(|contents, number| {
            contents.changes += 1;
            let honest = match contents.records.get(&key) {
                Some(record) => Taken::Record(record.clone()),
                None if contents.used.contains(&key) => Taken::Used,
                None => Taken::Unknown,
            };
            let answer = match number % 16 {
                1 => return Fate::Now(down()),
                2 => Ok(Taken::Unknown),
                3 => Ok(Taken::Used),
                4 => Ok(Taken::Record("{\"v\":1,\"t\":0,\"e\":\"".to_owned())),
                // The record of another login.
                5 => {
                    let other = contents.records.values().min().cloned();
                    Ok(other.map_or(Taken::Unknown, Taken::Record))
                }
                // The record was taken, but the answer is lost.
                6 => down(),
                _ => Ok(honest),
            };
            // After 7 it can be taken once more: a backup was restored.
            if !matches!(number % 16, 2..=5 | 7) && contents.records.remove(&key).is_some() {
                contents.used.insert(key);
            }
            if matches!(answer, Ok(Taken::Record(_))) {
                *contents.given.entry(key).or_default() += 1;
            }
            if number % 16 == 8 {
                Fate::Late(answer)
            } else {
                Fate::Now(answer)
            }
        })
    }

    fn contains<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<bool>>> {
        self.answer(|contents, number| {
            let honest = contents.records.contains_key(key.as_bytes());
            Fate::Now(match number % 8 {
                1 => down(),
                2 => Ok(Some(!honest)),
                3 => Ok(None),
                _ => Ok(Some(honest)),
            })
        })
    }

    fn peek<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<Taken>>> {
        self.answer(|contents, number| {
            let key = key.as_bytes();
            let honest = match contents.records.get(key) {
                Some(record) => Taken::Record(record.clone()),
                None if contents.used.contains(key) => Taken::Used,
                None => Taken::Unknown,
            };
            Fate::Now(match number % 8 {
                1 => down(),
                2 => Ok(Some(Taken::Unknown)),
                3 => Ok(Some(Taken::Used)),
                4 => Ok(Some(Taken::Record("{}".to_owned()))),
                5 => Ok(None),
                _ => Ok(Some(honest)),
            })
        })
    }

    fn documents(&self) -> Option<&dyn SharedDocuments> {
        Some(self)
    }
}

impl SharedDocuments for Adversary {
    fn load<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>>> {
        self.answer(|contents, number| {
            let of = |text: &(String, String)| text.1.clone();
            let pick = usize::from(number / 16);
            let mut known = contents.saved.iter().filter(|saved| saved.0 == name);
            let is_discovery = match known.next() {
                Some((_, text)) => text.contains("jwks_uri"),
                None => number & 0x20 != 0,
            };
            let (text, source) = match number % 16 {
                1 => return Fate::Now(down()),
                2 => return Fate::Never,
                3 => return Fate::Now(Ok(None)),
                4 => return Fate::Now(Ok(Some("{\"v\":1,".to_owned()))),
                // What was there before.
                5 | 6 => {
                    let mut before = contents.saved.iter().filter(|saved| saved.0 == name);
                    (before.nth(pick).map(of), Source::SameName)
                }
                // What was saved under any name.
                7 => {
                    let other = contents.saved.iter().nth_back(pick).map(of);
                    (other, Source::AnyName)
                }
                8..=13 => {
                    let forged = self.forge(number, is_discovery, number % 16 == 13);
                    (Some(forged), Source::Forged)
                }
                _ => (contents.documents.get(name).cloned(), Source::SameName),
            };
            if let Some(text) = &text {
                self.show(text, source);
            }
            Fate::Now(Ok(text))
        })
    }

    fn save<'a>(&'a self, name: &'a str, text: String, _: Duration) -> BoxFuture<'a, Result<()>> {
        self.answer(|contents, number| {
            contents.saved.push((name.to_owned(), text.clone()));
            match number % 8 {
                1 => Fate::Now(down()),
                2 => Fate::Never,
                3 => Fate::Now(Ok(())),
                _ => {
                    contents.documents.insert(name.to_owned(), text);
                    Fate::Now(Ok(()))
                }
            }
        })
    }

    fn lease<'a>(&'a self, name: &'a str, ttl: Duration) -> BoxFuture<'a, Result<bool>> {
        let now = self.world.clock.monotonic();
        self.answer(|contents, number| match number % 8 {
            1 => Fate::Now(down()),
            2 => Fate::Never,
            3 | 4 => Fate::Now(Ok(false)),
            5 => Fate::Now(Ok(true)),
            _ => {
                let is_free = contents.leases.get(name).is_none_or(|end| *end <= now);
                if is_free {
                    contents.leases.insert(name.to_owned(), now + ttl);
                }
                Fate::Now(Ok(is_free))
            }
        })
    }

    fn release<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        self.answer(|contents, number| match number % 4 {
            1 => Fate::Now(down()),
            2 => Fate::Now(Ok(())),
            _ => {
                contents.leases.remove(name);
                Fate::Now(Ok(()))
            }
        })
    }
}
