//! The parts of an HTTP request that the flow needs.

use std::fmt;
use std::ops::Range;

use crate::session::FieldValue;

/// The parts of one HTTP request that a login flow needs.
#[derive(Clone)]
pub struct WebRequest {
    // In a box: the operation that waits for a login holds the request.
    pub(super) head: Box<Head>,
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
    pub const HEADERS: [&'static str; 15] = [
        "accept",
        "accept-language",
        "content-encoding",
        "content-type",
        "cookie",
        "hx-boosted",
        "hx-current-url",
        "hx-history-restore-request",
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
            head: Box::new(Head {
                method: method.into(),
                ..Head::default()
            }),
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
        if let Some(header) = Self::HEADERS.iter().position(|known| *known == name) {
            self.head.add(header, value);
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

/// Browsers send about this much in the headers that are read.
const USUAL_BYTES: usize = 384;

/// A request without its body.
#[derive(Clone, Default)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) query: Option<String>,
    pub(super) form_token_checked: bool,
    /// The values of all headers, one after the other.
    values: String,
    /// Where the value of each header is.
    places: [Option<Range<usize>>; WebRequest::HEADERS.len()],
}

/// The headers, in the order of [`WebRequest::HEADERS`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Header {
    Accept,
    AcceptLanguage,
    ContentEncoding,
    ContentType,
    Cookie,
    HxBoosted,
    HxCurrentUrl,
    HxHistoryRestoreRequest,
    HxRequest,
    Origin,
    Purpose,
    SecFetchDest,
    SecFetchMode,
    SecFetchSite,
    SecPurpose,
}

impl Head {
    /// The value of a header.
    pub(super) fn get(&self, header: Header) -> Option<&str> {
        self.at(header as usize)
    }

    fn at(&self, header: usize) -> Option<&str> {
        self.values.get(self.places.get(header)?.clone()?)
    }

    fn add(&mut self, header: usize, value: &str) {
        let is_cookie = header == Header::Cookie as usize;
        let separator = if is_cookie { "; " } else { ", " };
        let before = self.at(header).map(|before| [before, separator].concat());
        if self.values.is_empty() {
            self.values.reserve(USUAL_BYTES);
        }
        let start = self.values.len();
        self.values.extend(before);
        self.values.push_str(value);
        if let Some(place) = self.places.get_mut(header) {
            *place = Some(start..self.values.len());
        }
    }

    /// Whether a script has sent the request and needs JSON, because it cannot follow a redirect to
    /// another site.
    pub(super) fn is_from_script(&self) -> bool {
        // A server that forwards requests by `fetch`, as some do in development, replaces the mode.
        if self.get(Header::SecFetchDest) == Some("document") {
            return false;
        }
        // To go back in the history, htmx shows what it gets as the whole page. It ignores `HX-Redirect` there.
        if self.is_true(Header::HxHistoryRestoreRequest) {
            return false;
        }
        let mode = self.get(Header::SecFetchMode);
        matches!(mode, Some("cors" | "same-origin"))
            || self.is_from_htmx()
            || (self.accepts("application/json") && !self.accepts("text/html"))
    }

    /// Whether htmx has sent the request. Another site cannot send the header: browsers ask the site first, in a
    /// preflight (Fetch Standard, section 3.3.3).
    pub(super) fn is_from_htmx(&self) -> bool {
        self.is_true(Header::HxRequest)
    }

    /// Whether the person follows a link, which htmx has turned into a request for the whole page.
    pub(super) fn is_boosted_link(&self) -> bool {
        self.is_from_htmx() && self.is_true(Header::HxBoosted) && self.is_repeatable()
    }

    /// The URL of the page that htmx runs on.
    pub(super) fn page_of_htmx(&self) -> Option<&str> {
        self.get(Header::HxCurrentUrl)
            .filter(|_| self.is_from_htmx())
    }

    /// Whether a redirect can lead to this request later.
    pub(super) fn is_repeatable(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD")
    }

    fn is_true(&self, header: Header) -> bool {
        self.get(header) == Some("true")
    }

    /// Whether a browser prefetches the page. `Sec-Purpose` is from the Fetch Standard; `Purpose`
    /// is older, and Safari sends it.
    pub(super) fn is_prefetch(&self) -> bool {
        let purposes = [Header::SecPurpose, Header::Purpose];
        let mut purposes = purposes.into_iter().filter_map(|header| self.get(header));
        purposes.any(|purpose| purpose.to_ascii_lowercase().contains("prefetch"))
    }

    /// Whether `Accept` contains a media type, with any weight.
    fn accepts(&self, media_type: &str) -> bool {
        let accept = self.get(Header::Accept).unwrap_or_default();
        let mut ranges = accept
            .split(',')
            .filter_map(|range| range.split(';').next());
        ranges.any(|range| range.trim().eq_ignore_ascii_case(media_type))
    }

    /// Whether the browser says that the request comes from a page of this site, or from no page.
    pub(super) fn may_be_from_this_site(&self) -> bool {
        self.get(Header::SecFetchSite).is_none_or(is_this_site)
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
        let headers = [
            Header::Accept,
            Header::AcceptLanguage,
            Header::ContentEncoding,
            Header::ContentType,
            Header::Cookie,
            Header::HxBoosted,
            Header::HxCurrentUrl,
            Header::HxHistoryRestoreRequest,
            Header::HxRequest,
            Header::Origin,
            Header::Purpose,
            Header::SecFetchDest,
            Header::SecFetchMode,
            Header::SecFetchSite,
            Header::SecPurpose,
        ];
        for (name, header) in WebRequest::HEADERS.into_iter().zip(headers) {
            let written = format!("{header:?}").to_ascii_lowercase();
            assert_eq!(written, name.replace('-', ""));
            let head = request(&[("cookie", "a=1"), (name, "value"), ("x", "y")]).head;
            assert!(
                head.get(header)
                    .is_some_and(|value| value.ends_with("value"))
            );
            assert!(head.places.iter().flatten().count() <= 2, "{name}");
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
        assert_eq!(head.get(Header::Cookie), Some("a=1; b=2"));
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
            (&[("hx-request", "true")], true),
            (&[("hx-request", "true"), ("accept", "text/html")], true),
            (&[("hx-request", "true"), ("hx-boosted", "true")], true),
            (&[("hx-request", "True")], false),
            (&[("hx-request", "true, true")], false),
            (&[("hx-boosted", "true")], false),
            (
                &[("hx-request", "true"), ("sec-fetch-dest", "document")],
                false,
            ),
            (
                &[
                    ("hx-request", "true"),
                    ("hx-history-restore-request", "true"),
                    ("sec-fetch-mode", "cors"),
                ],
                false,
            ),
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
