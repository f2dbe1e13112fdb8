//! Which redirects are followed.

use std::net::IpAddr;

use reqwest::redirect::Policy;
use url::{Host, Url};

use crate::origin::is_local;

const MOST_REDIRECTS: usize = 3;

/// At most three redirects, from `https` only to `https`, and never into a private network from
/// outside of it.
pub(super) fn policy(https_only: bool) -> Policy {
    Policy::custom(
        move |attempt| match refusal(attempt.previous(), attempt.url(), https_only) {
            Some(reason) => attempt.error(reason),
            None => attempt.follow(),
        },
    )
}

/// `previous` begins with the URL that was asked for.
fn refusal(previous: &[Url], next: &Url, https_only: bool) -> Option<&'static str> {
    if previous.len() > MOST_REDIRECTS {
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
    let from_outside = previous.first().is_none_or(|first| !is_inside(first));
    (from_outside && is_inside(next)).then_some("redirect into a private network")
}

/// Whether the host is an address, or a name, that means something else to everybody else.
fn is_inside(url: &Url) -> bool {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical(),
        _ => return is_local(url),
    };
    match address {
        IpAddr::V4(address) => {
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.is_unspecified()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(from: &str, to: &str, https_only: bool) -> Option<&'static str> {
        let from = Url::parse(from).unwrap();
        refusal(&[from], &Url::parse(to).unwrap(), https_only)
    }

    #[test]
    fn fet_22_https_never_becomes_http() {
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
    fn fet_23_the_fourth_redirect_is_one_too_many() {
        let url = Url::parse("https://broker.example/").unwrap();
        let chain = vec![url.clone(); 4];
        assert_eq!(refusal(&chain[..3], &url, true), None);
        assert_eq!(refusal(&chain, &url, true), Some("too many redirects"));
    }

    #[test]
    fn fet_24_redirects_stay_outside_of_private_networks() {
        for inside in [
            "https://127.0.0.1/",
            "https://localhost/",
            "https://10.1.2.3/",
            "https://169.254.169.254/latest/",
            "https://0.0.0.0/",
            "https://[::1]/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://[::ffff:192.168.1.1]/",
        ] {
            let verdict = judged("https://broker.example/", inside, true);
            assert_eq!(verdict, Some("redirect into a private network"), "{inside}");
            assert_eq!(judged("https://10.0.0.1/", inside, true), None, "{inside}");
        }
        assert_eq!(
            judged("https://broker.example/", "https://192.0.2.1/", true),
            None
        );
    }

    #[test]
    fn fet_24_no_user_information_and_no_other_scheme() {
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
