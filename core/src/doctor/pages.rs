//! Requests to the running site.

use std::fmt;

use ::http::header::LOCATION;
use ::http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::options::DoctorOptions;
use super::sentence;
use crate::http::{Request, Response};
use crate::origin::Origin;

/// The headers of a request, by name.
pub(super) type Headers = [(&'static str, &'static str)];

/// As many redirects as some browsers follow.
const MAX_REDIRECTS: usize = 20;

/// A page, and where it was found.
pub(super) struct Page {
    pub(super) url: Url,
    pub(super) response: Response,
}

/// Why there is no page.
pub(super) enum NoPage {
    /// The server does not answer, as a sentence says.
    Unreachable(String),
    /// Redirects lead back to this place.
    Loop(Place),
}

/// A URL without its query, which may contain a token.
#[derive(Clone)]
pub(super) struct Place(Url);

/// Requests a page, and follows redirects.
pub(super) async fn open(
    url: &Url,
    headers: &Headers,
    options: &DoctorOptions,
) -> Result<Page, NoPage> {
    let mut visited = Vec::new();
    let mut url = url.clone();
    loop {
        let response = fetch(&url, headers, options).await;
        let response = response.map_err(NoPage::Unreachable)?;
        let Some(next) = redirect(&url, &response) else {
            return Ok(Page { url, response });
        };
        visited.push(url);
        if visited.contains(&next) || visited.len() > MAX_REDIRECTS {
            return Err(NoPage::Loop(Place::of(&next)));
        }
        url = next;
    }
}

/// Sends one request. The error is a sentence.
pub(super) async fn fetch(
    url: &Url,
    headers: &Headers,
    options: &DoctorOptions,
) -> Result<Response, String> {
    // The transport's messages are about a broker.
    let failed = |error| {
        let cause = sentence(&error).replace("the broker", "the site");
        format!("The site does not answer: {cause}")
    };
    let server = Origin::parse(&url.origin().ascii_serialization(), true).map_err(failed)?;
    let transport = options.transport(server).map_err(failed)?;
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .collect();
    let request = Request::get(url.clone(), headers);
    transport.page(request).await.map_err(failed)
}

/// Where a response redirects to.
pub(super) fn redirect(url: &Url, response: &Response) -> Option<Url> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers.get(LOCATION)?.to_str().ok()?;
    let next = url.join(location).ok()?;
    matches!(next.scheme(), "http" | "https").then_some(next)
}

impl Place {
    pub(super) fn of(url: &Url) -> Self {
        Self(url.clone())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.0.origin().ascii_serialization();
        write!(formatter, "{origin}{}", self.0.path())
    }
}
