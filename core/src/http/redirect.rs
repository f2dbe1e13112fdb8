//! Which redirects are followed.

use ::http::header::LOCATION;
use url::{Host, Url};

use crate::origin::is_local;

const MAX_REDIRECTS: usize = 3;

/// The target of a redirect; `None` if the answer is no redirect, or has no valid URL.
pub(super) fn target(response: &reqwest::Response, url: &Url) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    url.join(location).ok()
}

/// Why a redirect is not followed. At most three are followed, from `https` only to `https`, and never to a
/// foreign host. `previous` begins with the requested URL.
pub(super) fn refusal(previous: &[Url], next: &Url, https_only: bool) -> Option<&'static str> {
    if previous.len() > MAX_REDIRECTS {
        return Some("too many redirects");
    }
    let was_secure = https_only || previous.iter().any(|url| url.scheme() == "https");
    match next.scheme() {
        "https" => {}
        "http" if !was_secure => {}
        _ => return Some("redirect to another scheme"),
    }
    if !next.username().is_empty() || next.password().is_some() {
        return Some("redirect with user information");
    }
    let stays = previous.first().is_some_and(|first| is_kin(first, next));
    (!stays).then_some("redirect to another host")
}

/// Whether both hosts are equal, or one is a subdomain of the other: the owner of a name also controls its
/// subdomains. Sibling names may belong to different owners; a list of public suffixes would be needed to
/// tell, and would be out of date.
fn is_kin(one: &Url, other: &Url) -> bool {
    match (one.host(), other.host()) {
        (Some(Host::Domain(a)), Some(Host::Domain(b))) => {
            a == b || is_below(a, b) || is_below(b, a)
        }
        (one_host, other_host) => one_host == other_host || (is_local(one) && is_local(other)),
    }
}

fn is_below(name: &str, above: &str) -> bool {
    // A name without a dot has no owner.
    let rest = name.strip_suffix(above);
    above.contains('.') && rest.is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(from: &str, to: &str, https_only: bool) -> Option<&'static str> {
        let from = Url::parse(from).unwrap();
        refusal(&[from], &Url::parse(to).unwrap(), https_only)
    }

    #[test]
    fn https_never_becomes_http() {
        assert_eq!(
            judged("https://broker.example/", "http://broker.example/", true),
            Some("redirect to another scheme")
        );
        assert_eq!(
            judged("http://broker.example/", "https://broker.example/", false),
            None
        );
        // Also where plain http is allowed, as for the keys of a broker on this machine.
        assert_eq!(
            judged("https://broker.example/", "http://broker.example/", false),
            Some("redirect to another scheme")
        );
    }

    #[test]
    fn the_fourth_redirect_is_one_too_many() {
        let url = Url::parse("https://broker.example/").unwrap();
        let chain = vec![url.clone(); 4];
        assert_eq!(refusal(&chain[..3], &url, true), None);
        assert_eq!(refusal(&chain, &url, true), Some("too many redirects"));
    }

    #[test]
    fn redirects_stay_with_the_host_that_was_asked() {
        let broker = "https://keys.broker.example/";
        for kin in [
            "https://keys.broker.example/elsewhere",
            "https://keys.broker.example:8443/",
            "https://broker.example/",
            "https://new.keys.broker.example/",
        ] {
            assert_eq!(judged(broker, kin, true), None, "{kin}");
        }
        for other in [
            "https://www.broker.example/",
            "https://broker.example.evil.test/",
            "https://evil-keys.broker.example/",
            "https://example/",
            "https://127.0.0.1/",
            "https://localhost/",
            "https://169.254.169.254/latest/",
            "https://192.0.2.1/",
            "https://[::1]/",
        ] {
            let verdict = judged(broker, other, true);
            assert_eq!(verdict, Some("redirect to another host"), "{other}");
        }
        assert_eq!(
            judged("http://localhost:1/", "http://127.0.0.1:2/", false),
            None
        );
        assert_eq!(
            judged("https://10.0.0.1/", "https://10.0.0.2/", true),
            Some("redirect to another host")
        );
    }

    #[test]
    fn no_user_information_and_no_other_scheme() {
        for bad in [
            "https://user@broker.example/",
            "https://:word@broker.example/",
            "file:///etc/passwd",
            "ftp://broker.example/",
        ] {
            assert!(
                judged("http://broker.example/", bad, false).is_some(),
                "{bad}"
            );
        }
    }
}
