//! The parameter of a store's URL that says whether its clients share the broker's documents.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::contract::{Store, Taken};
use super::nonces::NonceStore;
use crate::error::{Code, Error, Result};
use crate::future::BoxFuture;
use crate::session_key::SessionKey;

const NAME: &str = "documents";

/// Whether documents are shared, which is the default, and the URL without the parameter.
///
/// # Errors
/// [`Code::InvalidOption`] when the parameter is repeated or neither `on` nor `off`.
pub(super) fn split(url: &str) -> Result<(bool, Cow<'_, str>)> {
    let (url_proper, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    let Some((before, query)) = url_proper.split_once('?') else {
        return Ok((true, Cow::Borrowed(url)));
    };
    let mut shared = None;
    let mut others = Vec::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if name != NAME {
            others.push(pair);
            continue;
        }
        let value = match value {
            "on" => true,
            "off" => false,
            _ => return Err(invalid("documents is neither on nor off")),
        };
        if shared.replace(value).is_some() {
            return Err(invalid("documents is repeated"));
        }
    }
    let Some(shared) = shared else {
        return Ok((true, Cow::Borrowed(url)));
    };
    let others = others.join("&");
    let mark = if others.is_empty() { "" } else { "?" };
    let rest = format!("{before}{mark}{others}{fragment}");
    Ok((shared, Cow::Owned(rest)))
}

fn invalid(fact: &str) -> Error {
    let message = format_args!("the store's URL cannot be used: {fact}");
    Error::new(Code::InvalidOption, message)
}

/// A store that keeps only pending logins.
pub(super) struct LoginsOnly(pub(super) Arc<dyn Store>);

impl Store for LoginsOnly {
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

    fn contains<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<bool>>> {
        self.0.contains(key)
    }

    fn peek<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<Taken>>> {
        self.0.peek(key)
    }

    fn pending(&self) -> Option<usize> {
        self.0.pending()
    }

    fn is_local(&self) -> bool {
        self.0.is_local()
    }

    fn limits_waiting(&self) -> bool {
        self.0.limits_waiting()
    }

    fn nonces(&self) -> Option<&dyn NonceStore> {
        self.0.nonces()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::clock::{Clock, SystemClock};

    #[test]
    fn the_parameter_is_taken_out_of_the_url() {
        for (url, shared, rest) in [
            ("memory:", true, "memory:"),
            ("sqlite:///a.db", true, "sqlite:///a.db"),
            ("sqlite:///a.db?documents=off", false, "sqlite:///a.db"),
            ("redis://h?documents=on", true, "redis://h"),
            ("redis://h?a=b&documents=off&c", false, "redis://h?a=b&c"),
            ("redis://h?documents=off&a=b#c", false, "redis://h?a=b#c"),
            ("redis://h?a=documents", true, "redis://h?a=documents"),
            (
                "redis://h#a?documents=off",
                true,
                "redis://h#a?documents=off",
            ),
        ] {
            let (is_shared, left) = split(url).unwrap();
            assert_eq!((is_shared, &*left), (shared, rest), "{url}");
        }
    }

    #[test]
    fn refuses_what_is_neither_on_nor_off() {
        for url in [
            "redis://h?documents",
            "redis://h?documents=",
            "redis://h?documents=OFF",
            "redis://h?documents=off&documents=off",
            "redis://h?documents=on&documents=off",
        ] {
            assert_eq!(split(url).unwrap_err().code(), Code::InvalidOption, "{url}");
        }
    }

    #[test]
    fn a_store_without_documents_is_the_same_otherwise() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let store = crate::store::open("memory:?documents=off", &clock).unwrap();
        assert!(store.documents().is_none());
        assert!(store.is_local());
        let key = SessionKey::new("issuer", "client", "nonce");
        let put = store.put(&key, "record".into(), Duration::from_secs(60));
        put.now_or_never().unwrap().unwrap();
        let other = SessionKey::new("issuer", "client", "another nonce");
        let put = store.put(&other, "record".into(), Duration::from_secs(60));
        put.now_or_never().unwrap().unwrap();
        assert_eq!(store.pending(), Some(2));
        let seen = store.peek(&key).now_or_never().unwrap().unwrap();
        assert_eq!(seen, Some(Taken::Record("record".into())));
    }
}
