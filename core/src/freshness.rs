//! How long an answer may be reused (RFC 9111, as a private cache).
//!
//! The parser is lenient: an invalid header makes the answer stale, which costs at most one request per minute
//! because of the minimum lifetime.

use std::time::{Duration, SystemTime};

use ::http::HeaderMap;
use ::http::header::{
    AGE, CACHE_CONTROL, DATE, ETAG, EXPIRES, HeaderName, HeaderValue, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LAST_MODIFIED, PRAGMA, VARY,
};

/// The minimum lifetime, whatever the headers say.
pub(crate) const FLOOR: Duration = Duration::from_secs(60);
/// The maximum lifetime, whatever the headers say: a withdrawn key must not be used longer.
pub(crate) const CEILING: Duration = Duration::from_secs(24 * 60 * 60);
/// The lifetime of an answer without headers about caching.
pub(crate) const DEFAULT: Duration = Duration::from_secs(60 * 60);

/// The headers of an answer about caching.
#[derive(Clone, Debug)]
pub(crate) struct Freshness {
    headers: HeaderMap,
}

const ABOUT_REUSE: [HeaderName; 8] = [
    AGE,
    CACHE_CONTROL,
    DATE,
    ETAG,
    EXPIRES,
    LAST_MODIFIED,
    PRAGMA,
    VARY,
];

impl Freshness {
    /// Keeps the relevant headers of a 200.
    pub(crate) fn new(headers: &HeaderMap) -> Self {
        let mut kept = HeaderMap::new();
        for name in ABOUT_REUSE {
            for value in headers.get_all(&name) {
                kept.append(name.clone(), value.clone());
            }
        }
        Self { headers: kept }
    }

    /// The headers after a 304 (RFC 9111, section 3.2): its headers replace the earlier ones.
    pub(crate) fn revalidated(&self, headers: &HeaderMap) -> Self {
        let mut latest = Self::new(headers);
        for name in [CACHE_CONTROL, ETAG, EXPIRES, LAST_MODIFIED, PRAGMA, VARY] {
            if !latest.headers.contains_key(&name) {
                for value in self.headers.get_all(&name) {
                    latest.headers.append(name.clone(), value.clone());
                }
            }
        }
        latest
    }

    /// The headers as pairs; `None` for an answer that must not be stored (RFC 9111, section 5.2.2.5), or with a
    /// header that is not text.
    pub(crate) fn to_pairs(&self) -> Option<Vec<(String, String)>> {
        if Directives::read(&self.headers).no_store {
            return None;
        }
        let pairs = self.headers.iter();
        pairs
            .map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect()
    }

    /// Reads the result of [`Freshness::to_pairs`].
    pub(crate) fn from_pairs(pairs: &[(String, String)]) -> Option<Self> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name = HeaderName::try_from(name).ok()?;
            headers.append(name, HeaderValue::try_from(value).ok()?);
        }
        let read = Self::new(&headers);
        read.to_pairs().map(|_| read)
    }

    /// Whether a 304 with these headers is about this version of the document.
    pub(crate) fn is_same_version(&self, headers: &HeaderMap) -> bool {
        let opaque = |headers: &HeaderMap| {
            let etag = headers.get(ETAG)?.as_bytes().to_vec();
            Some(etag.strip_prefix(b"W/").map(<[u8]>::to_vec).unwrap_or(etag))
        };
        match (opaque(&self.headers), opaque(headers)) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        }
    }

    /// The headers of a conditional request; none if there is no validator.
    pub(crate) fn conditions(&self) -> HeaderMap {
        let mut conditions = HeaderMap::new();
        for (validator, condition) in [(ETAG, IF_NONE_MATCH), (LAST_MODIFIED, IF_MODIFIED_SINCE)] {
            if let Some(value) = self.headers.get(validator) {
                conditions.insert(condition, value.clone());
            }
        }
        conditions
    }

    /// How long the answer is fresh, counted from `now`, when it was requested.
    pub(crate) fn lifetime(&self, now: SystemTime) -> Duration {
        self.said(now)
            .unwrap_or(DEFAULT)
            .saturating_sub(self.age())
            .clamp(FLOOR, CEILING)
    }

    /// The lifetime of the headers, if they have one.
    fn said(&self, now: SystemTime) -> Option<Duration> {
        let directives = Directives::read(&self.headers);
        if directives.never || self.varies_with_everything() {
            return Some(Duration::ZERO);
        }
        // RFC 9111, section 5.3: `Expires` counts only where there is no `max-age`.
        directives.max_age.or_else(|| self.until_expiry(now))
    }

    /// `Expires` is relative to `Date`; without `Date`, to the clock of this machine.
    fn until_expiry(&self, now: SystemTime) -> Option<Duration> {
        let date = self.date().unwrap_or(now);
        let values = self.headers.get_all(EXPIRES).iter();
        values
            .map(|value| {
                let expires = value.to_str().ok().and_then(parse_date);
                // RFC 9111, section 5.3: an invalid date, especially "0", is in the past.
                expires.map_or(Duration::ZERO, |expires| {
                    expires.duration_since(date).unwrap_or_default()
                })
            })
            .min()
    }

    /// The current time of the server, to the second, if the answer has a `Date`.
    pub(crate) fn server_time(&self) -> Option<SystemTime> {
        self.date()?.checked_add(self.age())
    }

    fn date(&self) -> Option<SystemTime> {
        parse_date(self.headers.get(DATE)?.to_str().ok()?)
    }

    fn age(&self) -> Duration {
        let age = self.headers.get(AGE).and_then(|age| age.to_str().ok());
        age.and_then(seconds).unwrap_or_default()
    }

    fn varies_with_everything(&self) -> bool {
        let mut values = self.headers.get_all(VARY).iter();
        values.any(|value| {
            value
                .as_bytes()
                .split(|&c| c == b',')
                .any(|name| name.trim_ascii() == b"*")
        })
    }
}

/// Parses a date in any of the three formats of RFC 9110, section 5.6.7.
pub(crate) fn parse_date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text.trim()).ok()
}

/// Parses a number of seconds; a number that is too large becomes the maximum (RFC 9111, section 1.2.2).
pub(crate) fn seconds(text: &str) -> Option<Duration> {
    let digits = text.trim();
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    Some(Duration::from_secs(digits.parse().unwrap_or(u64::MAX)))
}

#[derive(Default)]
struct Directives {
    /// `no-store` or `no-cache`.
    never: bool,
    no_store: bool,
    /// The smallest of all `max-age`.
    max_age: Option<Duration>,
}

impl Directives {
    fn read(headers: &HeaderMap) -> Self {
        let mut directives = Self::default();
        for value in headers.get_all(CACHE_CONTROL) {
            for directive in split(value.to_str().unwrap_or("no-store")) {
                directives.add(directive);
            }
        }
        if !headers.contains_key(CACHE_CONTROL) {
            // RFC 9111, section 5.4.
            directives.never = headers.get_all(PRAGMA).iter().any(|value| {
                value
                    .to_str()
                    .is_ok_and(|value| value.to_ascii_lowercase().contains("no-cache"))
            });
        }
        directives
    }

    fn add(&mut self, directive: &str) {
        let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" => (self.never, self.no_store) = (true, true),
            "no-cache" => self.never = true,
            "max-age" => {
                let said = seconds(argument.trim().trim_matches('"')).unwrap_or_default();
                self.max_age = Some(self.max_age.map_or(said, |earlier| earlier.min(said)));
            }
            // `s-maxage` is for shared caches.
            _ => {}
        }
    }
}

/// Splits at commas outside of quoted strings.
fn split(value: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    value.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
}

#[cfg(test)]
mod tests;
