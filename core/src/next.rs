//! The page to which a browser may be redirected after a login.

use icu_normalizer::ComposingNormalizer;
use percent_encoding::percent_decode_str;
use url::{Position, Url};

use crate::origin::parse_url;

/// The maximum length of the page, in bytes.
const MAX_BYTES: usize = 1024;

/// A base URL that does not exist (RFC 6761, section 6.4), to resolve paths.
const BASE: &str = "https://relying-party.invalid/";

/// Returns the page to redirect to, if a redirect to it stays on this site, else `None`.
///
/// Without `allowed_hosts`, only a path on this site is accepted (`/members?page=2`), of at most 1 KiB. With
/// `allowed_hosts`, `https` URLs of these hosts are accepted, too. A host has its port, unless that is 443
/// (`shop.example.com`, `shop.example.com:8443`). The result is the ASCII serialization of the URL parser,
/// suitable for a `Location` header.
///
/// Call it before the page is stored and again before it is used.
///
/// ```
/// use portier_client::safe_next;
///
/// assert_eq!(safe_next("/members?page=2", &[]), Some("/members?page=2".into()));
/// assert_eq!(safe_next("//evil.example", &[]), None);
/// assert_eq!(safe_next("https://shop.example.com/", &["evil.example"]), None);
/// ```
pub fn safe_next(text: &str, allowed_hosts: &[&str]) -> Option<String> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let next = if is_plain_path(text) {
        Some(text.to_owned())
    } else if text.starts_with('/') {
        path_on_this_site(text)
    } else {
        url_on_allowed_host(text, allowed_hosts)
    };
    // Percent-encoding may have made it longer, and an accepted result must be accepted again.
    next.filter(|next| next.len() <= MAX_BYTES)
}

/// As [`safe_next`], for a site whose origin is known: a URL of the site becomes its path, with the query and the
/// fragment.
///
/// [`LoginFlow::safe_next`](crate::web::LoginFlow::safe_next) does this for the site of its client.
///
/// ```
/// use portier_client::web::safe_next_on;
///
/// let site = "https://example.com";
/// assert_eq!(safe_next_on(site, "https://example.com/members", &[]), Some("/members".into()));
/// assert_eq!(safe_next_on(site, "https://example.com:8443/members", &[]), None);
/// ```
pub fn safe_next_on(site: &str, text: &str, allowed_hosts: &[&str]) -> Option<String> {
    match path_on(site, text) {
        Some(path) => safe_next(&path, &[]),
        None => safe_next(text, allowed_hosts),
    }
}

/// The path, the query and the fragment of a URL, if its origin is that of the site.
pub(crate) fn path_on(site: &str, text: &str) -> Option<String> {
    // Most pages are paths already.
    if text.starts_with('/') || text.len() > MAX_BYTES {
        return None;
    }
    let (before, fragment) = text
        .find('#')
        .map_or((text, ""), |start| text.split_at(start));
    let url = parse_url(before).filter(|url| url.origin().ascii_serialization() == site)?;
    Some([&url[Position::BeforePath..], fragment].concat())
}

/// Whether the text is a path, perhaps with a query, of which every reader makes the same: nothing in it is
/// encoded, and no segment is empty or begins with a dot. Most pages are, and the rules for all others take
/// many times as long.
fn is_plain_path(text: &str) -> bool {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    path.starts_with('/')
        && path.bytes().all(|byte| is_plain(byte) || byte == b'/')
        && !(path.contains("//") || path.contains("/."))
        && query
            .bytes()
            .all(|byte| is_plain(byte) || b"%&+=/:@?,;!".contains(&byte))
}

fn path_on_this_site(text: &str) -> Option<String> {
    let url = resolve(text)?;
    // Proxies and frameworks may decode or normalize paths. Every path that they can make of this
    // one, before or after its dots are resolved, has to follow the same rule.
    let nfkc = ComposingNormalizer::new_nfkc();
    resolve(&nfkc.normalize(text))?;
    let before = text.split(['?', '#']).next().unwrap_or_default();
    for path in [before, url.path()] {
        resolve(&nfkc.normalize(&decode_fully(path)))?;
    }
    Some(url[Position::BeforePath..].to_owned())
}

/// Resolves a path as a browser does (WHATWG URL), if it can only be a path.
fn resolve(text: &str) -> Option<Url> {
    let ambiguous = text.chars().any(|c| c.is_control() || c == '\\');
    if ambiguous || !text.starts_with('/') || text.starts_with("//") {
        return None;
    }
    let base = Url::parse(BASE).ok()?;
    let url = base.join(text).ok()?;
    // `/..//host` resolves to the path `//host`, which means another site in a redirect.
    let stays = url.origin() == base.origin() && !url.path().starts_with("//");
    stays.then_some(url)
}

fn decode_fully(path: &str) -> String {
    let mut path = path.to_owned();
    loop {
        let decoded = percent_decode_str(&path).decode_utf8_lossy().into_owned();
        if decoded == path {
            return path;
        }
        path = decoded;
    }
}

fn url_on_allowed_host(text: &str, allowed_hosts: &[&str]) -> Option<String> {
    let url = parse_url(text).filter(|url| url.scheme() == "https")?;
    let host = &url[Position::BeforeHost..Position::AfterPort];
    let allowed = allowed_hosts
        .iter()
        .any(|allowed| allowed.eq_ignore_ascii_case(host));
    allowed.then(|| url.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        id: String,
        next: String,
        #[serde(default)]
        allowed_hosts: Vec<String>,
        expect: Option<String>,
    }

    #[test]
    fn vectors_are_answered_as_expected() {
        let text = include_str!("../vectors/next.json");
        let vectors: Vectors = serde_json::from_str(text).unwrap();
        for case in vectors.cases {
            let hosts: Vec<_> = case.allowed_hosts.iter().map(String::as_str).collect();
            assert_eq!(safe_next(&case.next, &hosts), case.expect, "{}", case.id);
        }
    }

    #[test]
    fn over_long_paths_are_refused() {
        let path = format!("/{}", "a".repeat(MAX_BYTES - 1));
        assert_eq!(safe_next(&path, &[]), Some(path.clone()));
        assert_eq!(safe_next(&(path + "a"), &[]), None);
        let encoded_too_long = format!("/{}", "ж".repeat(MAX_BYTES / 4));
        assert_eq!(safe_next(&encoded_too_long, &[]), None);
    }

    #[test]
    fn a_plain_path_is_what_the_url_parser_makes_of_it() {
        let any = (0..=0x2ff).filter_map(char::from_u32).collect::<Vec<_>>();
        for around in ["/", "/a", "/a/", "/a?", "/a?b=", "/a?b?"] {
            for (c, d) in any.iter().zip(any.iter().cycle().skip(1)) {
                for text in [
                    format!("{around}{c}"),
                    format!("{around}{c}b"),
                    format!("{around}{c}{d}"),
                ] {
                    if is_plain_path(&text) {
                        assert_eq!(path_on_this_site(&text), Some(text.clone()), "{text:?}");
                    }
                }
            }
        }
        for plain in [
            "/",
            "/members?page=2&sort=name",
            "/a/b.html?q=a%20b+c",
            "/a?",
        ] {
            assert!(is_plain_path(plain), "{plain}");
        }
        for other in [
            "", "a", "//a", "/a//b", "/.", "/a/../b", "/%61", "/a\\b", "/a#b", "/a?b#c", "/ä",
            "/@a",
        ] {
            assert!(!is_plain_path(other), "{other}");
        }
    }

    #[test]
    fn a_url_of_the_site_counts_as_its_path() {
        let site = "http://localhost:8888";
        for (text, expected) in [
            ("http://localhost:8888", Some("/")),
            ("http://localhost:8888/a?b=c#d", Some("/a?b=c#d")),
            ("HTTP://LOCALHOST:8888/a", Some("/a")),
            ("http://localhost:8888?a", Some("/?a")),
            ("http://localhost:8888#a?b", Some("/#a?b")),
            ("http://localhost:8888/a#b\\c", None),
            ("http://localhost:8888//evil.example", None),
            ("http://localhost:8888/.//evil.example", None),
            ("http://localhost:8888/%2F/evil.example", None),
            ("http://localhost:8888\\@evil.example", None),
            ("http://localhost:8888@evil.example/", None),
            ("http://user@localhost:8888/a", None),
            ("http://@localhost:8888/a", None),
            ("http://localhost:88\t88/a", None),
            ("http:\\\\localhost:8888/a", None),
            ("http:localhost:8888/a", None),
            ("http:///localhost:8888/a", None),
            (" http://localhost:8888/a", None),
            ("https://localhost:8888/a", None),
            ("http://localhost/a", None),
            ("http://localhost.:8888/a", None),
            ("http://127.0.0.1:8888/a", None),
            ("/a", Some("/a")),
            ("", None),
        ] {
            let found = safe_next_on(site, text, &[]);
            assert_eq!(found.as_deref(), expected, "{text:?}");
        }
        let long = format!("{site}/{}", "a".repeat(MAX_BYTES));
        assert_eq!(safe_next_on(site, &long, &[]), None);
        let umlaut = safe_next_on(
            "https://xn--bcher-kva.example",
            "https://bücher.example/ü",
            &[],
        );
        assert_eq!(umlaut.as_deref(), Some("/%C3%BC"));
    }

    proptest! {
        #[test]
        fn a_plain_path_is_read_as_the_url_parser_reads_it(text in r"/([a/.?%&+=:@,;!~#'-]|%2[eEfF]|\PC){0,12}") {
            if is_plain_path(&text) {
                prop_assert_eq!(path_on_this_site(&text), Some(text.clone()));
            }
        }

        #[test]
        fn accepted_pages_stay_on_this_site(text in r"/([/\\.?#@:%~a]|%2[ef]|%5c|%09|\PC|\s){0,12}") {
            if let Some(next) = safe_next(&text, &[]) {
                let base = Url::parse("https://example.com/verify").unwrap();
                prop_assert_eq!(base.join(&next).unwrap().origin(), base.origin());
                prop_assert!(next.starts_with('/') && !next.starts_with("//"));
                prop_assert!(next.is_ascii() && !next.contains(|c: char| c.is_control()));
                prop_assert_eq!(safe_next(&next, &[]), Some(next.clone()));
                let before = decode_fully(text.split(['?', '#']).next().unwrap());
                prop_assert!(!before.starts_with("//") && !before.contains('\\'));
            }
        }

        #[test]
        fn urls_of_this_site_become_paths_of_it(
            text in r"(https?:)?//?(example\.com)?([/\\.?#@:%~a1]|%2[ef]|%5c|:443|evil\.example|\PC|\s){0,12}"
        ) {
            let site = "https://example.com";
            if let Some(next) = safe_next_on(site, &text, &[]) {
                let base = Url::parse(site).unwrap();
                prop_assert_eq!(base.join(&text).unwrap().origin(), base.origin());
                prop_assert_eq!(base.join(&next).unwrap().origin(), base.origin());
                prop_assert_eq!(safe_next(&next, &[]), Some(next.clone()));
            }
        }
    }
}
