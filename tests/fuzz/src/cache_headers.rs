//! Caching headers: those of a 200 as lines, an empty line, and those of the 304 that follows.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http_cache_semantics::{CacheOptions, CachePolicy};
use portier_client::Client;
use portier_client::testing::ManualClock;

use crate::setting::{self, DISCOVERY, DISCOVERY_URL, NOW, wait};

const FLOOR: f64 = 60.0;
const CEILING: f64 = 86_400.0;

/// A document is fresh for a minute to a day. If its headers are plain, it is fresh for as long as
/// another cache library says.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (first, second) = text.split_once("\n\n").unwrap_or((&text, ""));
    let (first, second) = (lines(first), lines(second));
    let network = setting::usual_network();
    let Ok(()) = network.respond(DISCOVERY_URL, 200, &first, DISCOVERY.as_str()) else {
        return;
    };
    let clock = Arc::new(ManualClock::at(NOW));
    let client = setting::client(&network, &clock).build().unwrap();
    wait(client.discover()).unwrap();
    let lifetime = fresh_for(&client);
    if is_plain(&first) {
        assert_close(lifetime, opinion(&first));
    }

    // It is not fetched again for most of its lifetime, and always after it.
    clock.advance(Duration::from_secs_f64(lifetime * 0.79));
    wait(client.discover()).unwrap();
    assert_eq!(network.requests(DISCOVERY_URL), 1);
    if network.respond(DISCOVERY_URL, 304, &second, "").is_err() {
        return;
    }
    clock.advance(Duration::from_secs_f64(lifetime * 0.21 + 1.0));
    assert_eq!(wait(client.discover()).unwrap(), *DISCOVERY);
    assert!(network.requests(DISCOVERY_URL) >= 2);
    // Zero, if the 304 was about another version.
    if client.stats().discovery.fresh_for_seconds != Some(0.0) {
        fresh_for(&client);
    }
}

/// How long the document is fresh, within the limits.
fn fresh_for(client: &Client) -> f64 {
    let lifetime = client.stats().discovery.fresh_for_seconds.unwrap();
    assert!((FLOOR..=CEILING).contains(&lifetime), "{lifetime}");
    lifetime
}

fn lines(text: &str) -> Vec<(&str, &str)> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines
        .map(|(name, value)| (name.trim(), value.trim()))
        .collect()
}

/// Whether every header occurs once, in a form that every cache understands.
fn is_plain(headers: &[(&str, &str)]) -> bool {
    let mut names = HashSet::new();
    headers.iter().all(|(name, value)| {
        let name = name.to_ascii_lowercase();
        let plain = match name.as_str() {
            "cache-control" => is_plain_control(value),
            "age" => is_plain_number(value),
            "date" | "expires" => is_plain_date(value),
            _ => false,
        };
        plain && names.insert(name)
    })
}

fn is_plain_control(value: &str) -> bool {
    let mut names = HashSet::new();
    value.split(", ").all(|directive| {
        let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
        let known = match name {
            "max-age" => is_plain_number(argument),
            "public" | "private" | "no-store" | "no-cache" | "must-revalidate" => directive == name,
            _ => false,
        };
        known && names.insert(name)
    })
}

fn is_plain_number(text: &str) -> bool {
    let digits = text.bytes().all(|digit| digit.is_ascii_digit());
    digits && (1..9).contains(&text.len()) && (text == "0" || !text.starts_with('0'))
}

/// A well-formed header that contains no age.
fn is_plain_date(text: &str) -> bool {
    let date = httpdate::parse_http_date(text);
    date.is_ok_and(|date| httpdate::fmt_http_date(date) == text && date < at(2 * NOW))
}

/// The result of a cache library, as a private cache without heuristics.
fn opinion(headers: &[(&str, &str)]) -> f64 {
    let request = http::Request::new(());
    let mut response = http::Response::new(());
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        map.append(name, value.parse().unwrap());
    }
    *response.headers_mut() = map;
    let options = CacheOptions {
        shared: false,
        cache_heuristic: 0.0,
        ..CacheOptions::default()
    };
    let policy = CachePolicy::new_options(&request, &response, at(NOW), options);
    let says_something = headers.iter().any(|(name, value)| {
        let name = name.to_ascii_lowercase();
        name == "expires"
            || (name == "cache-control" && (value.contains("max-age") || value.contains("no-")))
    });
    let lifetime = policy.time_to_live(at(NOW)).as_secs_f64();
    let silent = 3600.0 - policy.age(at(NOW)).as_secs_f64();
    (if says_something { lifetime } else { silent }).clamp(FLOOR, CEILING)
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn assert_close(ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() < 0.5, "{ours} {theirs}");
}
