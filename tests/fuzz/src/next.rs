//! `next` pages: the text, then a zero byte, then allowed hosts with commas between them.

use percent_encoding::percent_decode_str;
use portier_client::safe_next;
use portier_client::web::safe_next_on;
use unicode_normalization::UnicodeNormalization as _;
use url::Url;

const SITES: [&str; 3] = [
    "https://example.com/verify",
    "http://localhost:8000/a/b?c=d",
    "https://example.com",
];

/// An accepted page is a path on this site or a URL on an allowed host. That also holds after any
/// decoding by a proxy or a framework, and the page is accepted again.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (text, hosts) = text.rsplit_once('\0').unwrap_or((&text, ""));
    let hosts: Vec<_> = hosts.split(',').filter(|host| !host.is_empty()).collect();
    let next = safe_next(text, &hosts);
    if let Some(next) = &next {
        assert_eq!(safe_next(next, &hosts).as_ref(), Some(next));
        assert!(next.len() <= 1024 && next.is_ascii());
        assert!(!next.contains(|c: char| c.is_control() || c == ' '));
        if next.starts_with('/') {
            let folded: String = text.nfkc().collect();
            assert!(!folded.contains(|c: char| c == '\\' || c.is_control()));
            stays_here(&folded);
            stays_here(next);
        } else {
            leads_to(next, &hosts);
        }
    }
    // Allowed hosts allow URLs to these hosts only.
    let without = safe_next(text, &[]);
    assert!(without.is_none() || without == next);
    assert!(
        without.is_some()
            || next
                .as_ref()
                .is_none_or(|next| next.starts_with("https://"))
    );
    let here = safe_next_on(SITES[2], text, &hosts);
    if here != next {
        is_reduced(text, here.as_deref());
    }
}

/// A URL of the site itself counts as its path.
fn is_reduced(text: &str, here: Option<&str>) {
    let url = Url::parse(text).unwrap();
    assert_eq!(url.origin().ascii_serialization(), SITES[2]);
    if let Some(here) = here {
        assert_eq!(safe_next(here, &[]).as_deref(), Some(here));
        stays_here(here);
    }
}

fn stays_here(next: &str) {
    let mut text = next.to_owned();
    for _ in 0..4 {
        assert!(!text.starts_with("//") && !text.starts_with("/\\"));
        for site in SITES {
            let site = Url::parse(site).unwrap();
            let target = site.join(&text).unwrap();
            assert_eq!(target.origin(), site.origin());
            assert!(!target.path().starts_with("//"));
        }
        let path = text.split(['?', '#']).next().unwrap();
        text = percent_decode_str(path)
            .decode_utf8_lossy()
            .nfkc()
            .collect();
    }
}

fn leads_to(next: &str, hosts: &[&str]) {
    let url = Url::parse(next).unwrap();
    assert!(url.scheme() == "https" && url.username().is_empty() && url.password().is_none());
    let host = url.host_str().unwrap();
    let host = url
        .port()
        .map_or(host.to_owned(), |port| format!("{host}:{port}"));
    assert!(
        hosts
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(&host))
    );
}
