//! The cookies that the login page sets: their names and attributes, never their values.

use ::http::header::SET_COOKIE;
use url::Url;

use super::finding::{Finding, FindingId};
use crate::http::Response;
use crate::origin::is_local;

pub(super) fn examine(page: &Url, response: &Response) -> Vec<Finding> {
    let headers = response.headers.get_all(SET_COOKIE).iter();
    headers
        .flat_map(|header| judge(page, &String::from_utf8_lossy(header.as_bytes())))
        .collect()
}

fn judge(page: &Url, header: &str) -> Vec<Finding> {
    let cookie = Cookie::parse(header);
    let name = cookie.name;
    let mut findings = Vec::new();
    let mut found = |id, text: String| {
        findings.push(Finding::new(id, text).with("cookie", name));
    };
    if cookie.has("samesite", "strict") {
        let text = format!("The cookie {name} has SameSite=Strict.");
        found(FindingId::LoginPageCookieStrict, text);
    }
    if let Some(reason) = cookie.dropped(page) {
        let text = format!("Browsers drop the cookie {name}: {reason}.");
        found(FindingId::LoginPageCookieDropped, text);
    } else if page.scheme() == "https" && !cookie.is_secure() {
        let text = format!("The cookie {name} has no Secure, although the site uses https.");
        found(FindingId::LoginPageCookieInsecure, text);
    }
    findings
}

struct Cookie<'a> {
    name: &'a str,
    /// In lowercase; the value is empty if there is none.
    attributes: Vec<(String, String)>,
}

impl<'a> Cookie<'a> {
    fn parse(header: &'a str) -> Self {
        let mut parts = header.split(';');
        let pair = parts.next().unwrap_or_default();
        let attributes = parts.map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let plain = |text: &str| text.trim().to_ascii_lowercase();
            (plain(name), plain(value))
        });
        Self {
            name: pair.split('=').next().unwrap_or_default().trim(),
            attributes: attributes.collect(),
        }
    }

    /// The value of an attribute. The last one of a name counts (RFC 6265, section 5.3).
    fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter().rev();
        let (_, value) = attributes.find(|(known, _)| known == name)?;
        Some(value)
    }

    fn has(&self, name: &str, value: &str) -> bool {
        self.attribute(name) == Some(value)
    }

    fn is_secure(&self) -> bool {
        self.attribute("secure").is_some()
    }

    /// Why browsers do not keep it (RFC 6265bis, section 5.7).
    fn dropped(&self, page: &Url) -> Option<&'static str> {
        let has_domain = self
            .attribute("domain")
            .is_some_and(|name| !name.is_empty());
        let (is_host, is_prefixed) = (self.is_named("__Host-"), self.is_named("__Secure-"));
        if (is_host || is_prefixed) && !self.is_secure() {
            Some("its name requires Secure")
        } else if is_host && (has_domain || !self.has("path", "/")) {
            Some("its name requires Path=/ and no Domain")
        } else if self.has("samesite", "none") && !self.is_secure() {
            Some("SameSite=None requires Secure")
        } else if self.is_secure() && page.scheme() == "http" && !is_local(page) {
            Some("it is Secure, and the page uses plain http")
        } else if has_domain && !self.is_for(page) {
            Some("its Domain is not that of the page")
        } else {
            None
        }
    }

    fn is_named(&self, prefix: &str) -> bool {
        let start = self.name.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    }

    fn is_for(&self, page: &Url) -> bool {
        let host = page.host_str().unwrap_or_default();
        let domain = self.attribute("domain").unwrap_or_default();
        let domain = domain.trim_start_matches('.');
        let above = host.strip_suffix(domain);
        above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(page: &str, header: &str) -> Vec<&'static str> {
        let findings = judge(&Url::parse(page).unwrap(), header);
        findings.iter().map(|finding| finding.id.as_str()).collect()
    }

    #[test]
    fn cookies_are_judged_by_their_attributes() {
        const DROPPED: &str = "login_page.cookie_dropped";
        const INSECURE: &str = "login_page.cookie_insecure";
        const STRICT: &str = "login_page.cookie_strict";
        for (header, expected) in [
            ("a=1; Secure; HttpOnly; SameSite=Lax", &[][..]),
            ("a=1; HttpOnly", &[INSECURE]),
            ("a=1; secure;samesite = strict", &[STRICT]),
            ("a=1; SameSite=Strict", &[STRICT, INSECURE]),
            ("__Host-a=1; Secure; Path=/", &[]),
            ("__Host-a=1; Secure", &[DROPPED]),
            ("__Host-a=1; Secure; Path=/; Domain=example.com", &[DROPPED]),
            ("__host-a=1; Path=/", &[DROPPED]),
            ("__Secure-a=1", &[DROPPED]),
            ("a=1; SameSite=None", &[DROPPED]),
            ("a=1; Secure; Domain=.example.com", &[]),
            ("a=1; Secure; Domain=other.example", &[DROPPED]),
            ("a=1; Secure; Domain=xample.com", &[DROPPED]),
            ("", &[INSECURE]),
        ] {
            let page = "https://www.example.com/login";
            assert_eq!(found(page, header), expected, "{header}");
        }
        assert_eq!(found("http://example.com/", "a=1; Secure"), [DROPPED]);
        assert_eq!(found("http://example.com/", "a=1"), [""; 0]);
        assert_eq!(found("http://localhost/", "a=1; Secure"), [""; 0]);
    }
}
