//! The path of the redirect URI at the running site.

use url::Url;

use super::finding::{Finding, FindingId};
use super::options::DoctorOptions;
use super::pages::{Headers, Place, fetch, redirect};
use crate::client::Client;
use crate::http::Response;
use crate::origin::{is_local, parse_url};

/// The headers of a script of the site.
const AS_SCRIPT: &Headers = &[
    ("accept", "application/json"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-site", "same-origin"),
];

/// Asks for the redirect URI as a script, without an answer of the broker. The flow answers scripts with a problem
/// in JSON, whatever the pages of the site are.
pub(super) async fn examine(
    page: &Url,
    client: &Client,
    options: &DoctorOptions,
) -> Option<Finding> {
    let uri = parse_url(client.redirect_uri())?;
    // Behind a proxy that changes paths, the login page may be asked at an inner address.
    if page.origin() != uri.origin() && !is_local(page) {
        return None;
    }
    let mut url = page.clone();
    url.set_path(uri.path());
    url.set_query(uri.query());
    let response = fetch(&url, AS_SCRIPT, options).await.ok()?;
    let (status, path) = (response.status, uri.path());
    let (id, text) = if is_of_flow(&response) {
        let text = format!("The site answers the redirect URI's path {path}.");
        (FindingId::Callback, text)
    } else if let Some(next) = redirect(&url, &response) {
        let next = Place::of(&next);
        let text = format!("The site redirects {path} to {next}, with status {status}.");
        (FindingId::CallbackRedirected, text)
    } else {
        let text = format!("The site does not pass {path} to the login flow (status {status}).");
        (FindingId::CallbackMissing, text)
    };
    Some(Finding::new(id, text).with("status", status))
}

/// Whether a response is the flow's: a problem, or the page that posts a fragment.
fn is_of_flow(response: &Response) -> bool {
    let is = |name: &str, value: &str| {
        let found = response.headers.get(name);
        found.is_some_and(|found| found.as_bytes().starts_with(value.as_bytes()))
    };
    is("content-type", "application/problem+json")
        || (response.status == 200
            && is("cache-control", "no-store")
            && is("referrer-policy", "no-referrer"))
}
