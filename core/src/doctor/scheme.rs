//! Servers that speak https where http was given, or the reverse.

use ::http::HeaderMap;
use url::Url;

use super::certificate_fault;
use super::options::DoctorOptions;
use crate::error::Result;
use crate::http::{Request, Response, proxy_of};
use crate::origin::Origin;

/// How servers that speak TLS answer a request without it, if they answer at all.
pub(super) const NO_TLS: u16 = 400;

/// The scheme that the port of a URL speaks, if it is the other one. Only asked after a request has failed.
pub(super) async fn spoken(url: &Url, options: &DoctorOptions) -> Option<&'static str> {
    let other = match url.scheme() {
        "https" => "http",
        _ => "https",
    };
    // A proxy answers by itself.
    if !matches!(proxy_of(url), Ok(None)) {
        return None;
    }
    let host = url.host_str()?;
    let port = url.port_or_known_default()?;
    let url = Url::parse(&format!("{other}://{host}:{port}{}", url.path())).ok()?;
    let speaks = match request(&url, options).await {
        Ok(response) => other == "https" || response.status != NO_TLS,
        // A certificate is shown in TLS only.
        Err(error) => other == "https" && certificate_fault(&error).is_some(),
    };
    speaks.then_some(other)
}

/// A sentence about it.
pub(super) fn sentence(url: &Url, spoken: &str) -> String {
    let port = url.port_or_known_default().unwrap_or_default();
    let host = url.host_str().unwrap_or_default();
    let given = url.scheme();
    format!(
        "The port {port} of {host} speaks {spoken}, but the URL that was given begins with {given}."
    )
}

async fn request(url: &Url, options: &DoctorOptions) -> Result<Response> {
    let server = Origin::parse(&url.origin().ascii_serialization(), true)?;
    let request = Request::get(url.clone(), HeaderMap::new());
    options.transport(server)?.page(request).await
}
