use std::time::UNIX_EPOCH;

use ::http::HeaderValue;
use http_cache_semantics::{CacheOptions, CachePolicy};
use proptest::prelude::*;

use super::*;

fn headers<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        headers.append(HeaderName::try_from(name).unwrap(), value);
    }
    headers
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

#[test]
fn the_vectors_hold() {
    #[derive(serde::Deserialize)]
    struct File {
        now: u64,
        cases: Vec<Case>,
    }
    #[derive(serde::Deserialize)]
    struct Case {
        id: String,
        headers: Vec<(String, String)>,
        expect: Expect,
    }
    #[derive(serde::Deserialize)]
    struct Expect {
        lifetime: u64,
    }
    let text = include_str!("../../vectors/cache_headers.json");
    let file: File = serde_json::from_str(text).unwrap();
    assert!(file.cases.len() >= 40);
    for case in &file.cases {
        let pairs = case.headers.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        let lifetime = Freshness::new(&headers(pairs)).lifetime(at(file.now));
        assert_eq!(lifetime.as_secs(), case.expect.lifetime, "{}", case.id);
    }
}

#[test]
fn headers_of_a_304_replace_the_cached_ones() {
    let kept = Freshness::new(&headers([
        ("date", "Tue, 14 Nov 2023 22:13:20 GMT"),
        ("age", "1000"),
        ("cache-control", "max-age=1200"),
        ("etag", "\"v1\""),
    ]));
    let now = at(1_700_000_000);
    assert_eq!(kept.lifetime(now).as_secs(), 200);
    let silent = kept.revalidated(&headers([]));
    assert_eq!(silent.lifetime(now).as_secs(), 1200);
    assert_eq!(silent.conditions()["if-none-match"], "\"v1\"");
    assert_eq!(silent.date(), None);
    let louder = kept.revalidated(&headers([
        ("cache-control", "max-age=7200"),
        ("etag", "\"v2\""),
    ]));
    assert_eq!(louder.lifetime(now).as_secs(), 7200);
    assert_eq!(louder.conditions()["if-none-match"], "\"v2\"");
}

#[test]
fn etags_are_compared_weakly() {
    let same = |ours: &str, theirs: &str| {
        let ours = Freshness::new(&headers([("etag", ours)]));
        ours.is_same_version(&headers([("etag", theirs)]))
    };
    assert!(same("\"a\"", "\"a\""));
    assert!(same("W/\"a\"", "\"a\""));
    assert!(same("\"a\"", "W/\"a\""));
    assert!(!same("\"a\"", "\"b\""));
    assert!(!same("\"W/a\"", "\"a\""));
    let unversioned = Freshness::new(&headers([]));
    assert!(unversioned.is_same_version(&headers([("etag", "\"a\"")])));
}

#[test]
fn a_path_that_is_not_text_has_no_trust() {
    let headers = headers([("cache-control", "max-age=600, x=\"ü\"")]);
    assert_eq!(Freshness::new(&headers).lifetime(at(0)), FLOOR);
}

#[test]
fn only_headers_about_caching_are_kept() {
    let freshness = Freshness::new(&headers([("set-cookie", "a=b"), ("server", "x")]));
    assert!(freshness.headers.is_empty());
    assert!(freshness.conditions().is_empty());
}

/// The result of a cache library, as a private cache without heuristics.
fn oracle(headers: &HeaderMap, now: SystemTime) -> Duration {
    let request = ::http::Request::new(());
    let mut response = ::http::Response::new(());
    *response.headers_mut() = headers.clone();
    let options = CacheOptions {
        shared: false,
        cache_heuristic: 0.0,
        ..CacheOptions::default()
    };
    CachePolicy::new_options(&request, &response, now, options).time_to_live(now)
}

fn well_formed() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let date = |seconds: u64| httpdate::fmt_http_date(at(seconds));
    let directive = prop_oneof![
        Just("public".to_owned()),
        Just("private".to_owned()),
        Just("must-revalidate".to_owned()),
        Just("s-maxage=7".to_owned()),
        Just("no-store".to_owned()),
        Just("no-cache".to_owned()),
    ];
    let expiry = prop_oneof![
        (0..200_000_u64).prop_map(|seconds| ("cache-control", format!("max-age={seconds}"))),
        (0..2_000_000_000_u64).prop_map(move |seconds| ("expires", date(seconds))),
        Just(("expires", "0".to_owned())),
    ];
    let others = (
        prop::option::of(directive.prop_map(|directive| ("cache-control", directive))),
        prop::option::of((0..100_000_u64).prop_map(|age| ("age", age.to_string()))),
        prop::option::of((0..2_000_000_000_u64).prop_map(move |s| ("date", date(s)))),
        prop::option::of(Just(("vary", "*".to_owned()))),
        prop::option::of(Just(("pragma", "no-cache".to_owned()))),
        prop::option::of((0..2_000_000_000_u64).prop_map(move |s| ("last-modified", date(s)))),
    );
    (expiry, others).prop_map(|(expiry, (a, b, c, d, e, f))| {
        [Some(expiry), a, b, c, d, e, f]
            .into_iter()
            .flatten()
            .collect()
    })
}

proptest! {
    #[test]
    fn well_formed_headers_are_understood_as_others_understand_them(pairs in well_formed()) {
        let headers = headers(pairs.iter().map(|(name, value)| (*name, value.as_str())));
        let now = at(1_000_000_000);
        let theirs = oracle(&headers, now).clamp(FLOOR, CEILING);
        prop_assert_eq!(Freshness::new(&headers).lifetime(now), theirs);
    }

    #[test]
    fn no_header_panics(
        values in prop::collection::vec((0..ABOUT_REUSE.len(), "[ -~]{0,40}"), 0..8),
        now in 0..u64::from(u32::MAX),
    ) {
        let pairs = values.iter().map(|(n, value)| (ABOUT_REUSE[*n].as_str(), value.as_str()));
        let lifetime = Freshness::new(&headers(pairs)).lifetime(at(now));
        prop_assert!((FLOOR..=CEILING).contains(&lifetime));
    }
}
