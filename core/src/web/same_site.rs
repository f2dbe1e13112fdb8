//! The origin of a form.

use url::Url;

use super::request::{Head, Header, is_this_site};
use crate::error::{Code, Error, Result};
use crate::events;

/// Refuses the form of another site, which could send mails in this site's name, or sign people
/// out.
///
/// All current browsers send `Sec-Fetch-Site` over `https` and to `localhost`; over plain `http`
/// they send `Origin`. A client that sends neither is not a browser that a page could misuse.
/// `site` is the origin of the redirect URI.
pub(super) fn check(head: &Head, site: &str) -> Result<()> {
    let refused = |problem: &str| Err(Error::new(Code::RequestOrigin, problem));
    let origin = head.get(Header::Origin);
    match (head.get(Header::SecFetchSite), origin) {
        (Some(from), _) if is_this_site(from) => Ok(()),
        (Some(_), Some(origin)) if origin != "null" => refused(&format!(
            "the form was sent by a page of another site origin={} site={site}",
            shortened(origin)
        )),
        (Some(_), _) => refused("the form was sent by a page of another site"),
        (None, None) => Ok(()),
        (None, Some(origin)) if origin == site => Ok(()),
        (None, Some("null")) if head.form_token_checked => Ok(()),
        (None, Some("null")) => refused(
            "the browser does not say which site the form was sent by (Origin: null), as with \
             Referrer-Policy: no-referrer over plain http; use https, another policy, or check a form \
             token first",
        ),
        (None, Some(origin)) => refused(&format!(
            "the form was sent by a page of another origin than the redirect URI's origin={} \
             site={site}",
            shortened(origin)
        )),
    }
}

/// Warns the developer that the browser will not send its cookies to the redirect URI.
pub(super) fn warn_of_another_host(head: &Head, site: &str) {
    let host = |text: &str| Url::parse(text).ok()?.host_str().map(str::to_owned);
    let page = head.get(Header::Origin).and_then(host);
    if let (Some(page), Some(redirect)) = (page, host(site))
        && page != redirect
    {
        events::login_form_on_another_host(&shortened(&page), &redirect);
    }
}

/// The header may be of any length.
fn shortened(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_graphic)
        .take(100)
        .collect()
}
