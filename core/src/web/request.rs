//! The parts of an HTTP request that the flow needs.

use std::fmt;

use crate::session::FieldValue;

/// The parts of one HTTP request that a login flow needs.
#[derive(Clone)]
pub struct WebRequest {
    pub(super) head: Head,
    pub(super) body: Body,
}

/// The body of a request.
#[derive(Clone, Default)]
pub enum Body {
    /// The bytes as they arrived. At most [`MAX_FORM_BYTES`](super::MAX_FORM_BYTES) are accepted.
    Bytes(Vec<u8>),
    /// The decoded fields of the form, if the framework has read it already.
    Fields(Vec<(String, FieldValue)>),
    /// It is larger than [`MAX_FORM_BYTES`](super::MAX_FORM_BYTES), and was not read completely.
    TooLarge,
    /// Other code has read it before the flow and did not keep it.
    Unreadable,
    /// There is no body.
    #[default]
    Empty,
}

impl WebRequest {
    /// The names of the headers that the flow reads, in lower case. It ignores all others.
    pub const HEADERS: [&'static str; 12] = [
        "accept",
        "accept-language",
        "content-encoding",
        "content-type",
        "cookie",
        "hx-request",
        "origin",
        "purpose",
        "sec-fetch-dest",
        "sec-fetch-mode",
        "sec-fetch-site",
        "sec-purpose",
    ];

    /// The names of the form fields that the flow reads. It ignores all others.
    pub const FIELDS: [&'static str; 9] = [
        "code",
        "email",
        "error",
        "error_description",
        "id_token",
        "next",
        "portier_again",
        "portier_confirmation",
        "state",
    ];

    /// A request without headers.
    pub fn new(method: impl Into<String>, body: Body) -> Self {
        Self {
            head: Head {
                method: method.into(),
                ..Head::default()
            },
            body,
        }
    }

    /// Reads the head of a request of the `http` crate.
    pub fn from_parts(parts: &http::request::Parts, body: Body) -> Self {
        let mut request = Self::new(parts.method.as_str(), body);
        request.head.query = parts.uri.query().map(str::to_owned);
        for (name, value) in &parts.headers {
            request.set_header(name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
        }
        request
    }

    /// Adds a header; its name is in lower case. Repeated headers are joined as HTTP does.
    pub fn set_header(&mut self, name: &str, value: &str) {
        let head = &mut self.head;
        let (place, separator) = match name {
            "accept" => (&mut head.accept, ", "),
            "accept-language" => (&mut head.accept_language, ", "),
            "content-encoding" => (&mut head.content_encoding, ", "),
            "content-type" => (&mut head.content_type, ", "),
            "cookie" => (&mut head.cookie, "; "),
            "hx-request" => (&mut head.hx_request, ", "),
            "origin" => (&mut head.origin, ", "),
            "purpose" => (&mut head.purpose, ", "),
            "sec-fetch-dest" => (&mut head.sec_fetch_dest, ", "),
            "sec-fetch-mode" => (&mut head.sec_fetch_mode, ", "),
            "sec-fetch-site" => (&mut head.sec_fetch_site, ", "),
            "sec-purpose" => (&mut head.sec_purpose, ", "),
            _ => return,
        };
        match place {
            None => *place = Some(value.to_owned()),
            Some(before) => {
                before.push_str(separator);
                before.push_str(value);
            }
        }
    }

    /// Adds the query of the request's URL, with or without the question mark. In the code flow, the broker's
    /// answer is in it.
    #[must_use]
    pub fn with_query(mut self, query: impl Into<String>) -> Self {
        let mut query = query.into();
        if query.starts_with('?') {
            query.remove(0);
        }
        self.head.query = Some(query);
        self
    }

    /// States that the framework or the site has checked a token in the form, for example of a CSRF
    /// protection. Then a browser that hides its origin (`Origin: null`) may log in as well.
    #[must_use]
    pub fn with_checked_form_token(mut self, checked: bool) -> Self {
        self.head.form_token_checked = checked;
        self
    }
}

impl fmt::Debug for WebRequest {
    /// Shows only the method: cookies and forms contain secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WebRequest")
            .field("method", &self.head.method)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Body {
    /// Shows nothing of the content.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Bytes(_) => "Bytes(…)",
            Self::Fields(_) => "Fields(…)",
            Self::TooLarge => "TooLarge",
            Self::Unreadable => "Unreadable",
            Self::Empty => "Empty",
        })
    }
}

/// The path of a request target: of a path, perhaps with a query, or of an absolute URL.
pub fn target_path(target: &str) -> &str {
    let target = target.split(['?', '#']).next().unwrap_or_default();
    match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest
            .find('/')
            .and_then(|start| rest.get(start..))
            .unwrap_or("/"),
        _ => target,
    }
}

/// A request without its body.
#[derive(Clone, Default)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) query: Option<String>,
    pub(super) form_token_checked: bool,
    pub(super) accept: Option<String>,
    pub(super) accept_language: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) cookie: Option<String>,
    pub(super) hx_request: Option<String>,
    pub(super) origin: Option<String>,
    pub(super) purpose: Option<String>,
    pub(super) sec_fetch_dest: Option<String>,
    pub(super) sec_fetch_mode: Option<String>,
    pub(super) sec_fetch_site: Option<String>,
    pub(super) sec_purpose: Option<String>,
}

impl Head {
    /// Whether a script has sent the request and needs JSON, because it cannot follow a redirect to
    /// another site.
    pub(super) fn is_from_script(&self) -> bool {
        // A server that forwards requests by `fetch`, as some do in development, replaces the mode.
        if self.sec_fetch_dest.as_deref() == Some("document") {
            return false;
        }
        let mode = self.sec_fetch_mode.as_deref();
        matches!(mode, Some("cors" | "same-origin"))
            || (self.accepts("application/json") && !self.accepts("text/html"))
    }

    /// Whether a browser prefetches the page. `Sec-Purpose` is from the Fetch Standard; `Purpose`
    /// is older, and Safari sends it.
    pub(super) fn is_prefetch(&self) -> bool {
        let mut purposes = [&self.sec_purpose, &self.purpose].into_iter().flatten();
        purposes.any(|purpose| purpose.to_ascii_lowercase().contains("prefetch"))
    }

    /// Whether `Accept` contains a media type, with any weight.
    fn accepts(&self, media_type: &str) -> bool {
        let accept = self.accept.as_deref().unwrap_or_default();
        let mut ranges = accept
            .split(',')
            .filter_map(|range| range.split(';').next());
        ranges.any(|range| range.trim().eq_ignore_ascii_case(media_type))
    }

    /// Whether the browser says that the request comes from a page of this site, or from no page.
    pub(super) fn may_be_from_this_site(&self) -> bool {
        self.sec_fetch_site.as_deref().is_none_or(is_this_site)
    }
}

/// The values of `Sec-Fetch-Site` for this site's own pages, and for requests of no page.
pub(super) fn is_this_site(sec_fetch_site: &str) -> bool {
    matches!(sec_fetch_site, "same-origin" | "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> WebRequest {
        let mut request = WebRequest::new("POST", Body::Empty);
        for (name, value) in headers {
            request.set_header(name, value);
        }
        request
    }

    #[test]
    fn every_header_that_is_named_is_kept() {
        for name in WebRequest::HEADERS {
            let Head {
                method: _,
                query: _,
                form_token_checked: _,
                accept,
                accept_language,
                content_encoding,
                content_type,
                cookie,
                hx_request,
                origin,
                purpose,
                sec_fetch_dest,
                sec_fetch_mode,
                sec_fetch_site,
                sec_purpose,
            } = request(&[(name, "value")]).head;
            let kept = [
                accept,
                accept_language,
                content_encoding,
                content_type,
                cookie,
                hx_request,
                origin,
                purpose,
                sec_fetch_dest,
                sec_fetch_mode,
                sec_fetch_site,
                sec_purpose,
            ];
            assert_eq!(kept.iter().flatten().count(), 1, "{name}");
        }
    }

    #[test]
    fn repeated_headers_are_joined() {
        let twice = [
            ("cookie", "a=1"),
            ("cookie", "b=2"),
            ("sec-fetch-site", "none"),
        ];
        let head = request(&twice).head;
        assert_eq!(head.cookie.as_deref(), Some("a=1; b=2"));
        let sites = [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site"),
        ];
        assert!(!request(&sites).head.may_be_from_this_site());
    }

    #[test]
    fn scripts_are_told_from_browsers_that_navigate() {
        for (headers, expected) in [
            (&[("sec-fetch-mode", "cors")][..], true),
            (&[("sec-fetch-mode", "same-origin")], true),
            (&[("accept", "application/json")], true),
            (&[("accept", "application/json, text/plain, */*")], true),
            (&[("accept", "text/plain,Application/JSON;q=0.9")], true),
            (&[("accept", "application/jsonx")], false),
            (&[("sec-fetch-mode", "navigate")], false),
            (
                &[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")],
                true,
            ),
            (
                &[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "document")],
                false,
            ),
            (
                &[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")],
                false,
            ),
            (&[("accept", "text/html, application/json")], false),
            (&[], false),
        ] {
            assert_eq!(
                request(headers).head.is_from_script(),
                expected,
                "{headers:?}"
            );
        }
    }
}
