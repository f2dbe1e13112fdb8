//! The running site: its page with the login form, and the path of its redirect URI.

use ::http::header::{CONTENT_SECURITY_POLICY, SET_COOKIE};
use ::http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::finding::{Finding, FindingId};
use super::options::DoctorOptions;
use super::policy::forbidden;
use crate::client::Client;
use crate::http::{Request, Response, Transport as _};
use crate::origin::{Origin, is_local, parse_url};
use crate::web::{FlowOptions, LoginFlow};

/// The headers of a browser that opens a page.
const AS_PAGE: [(&str, &str); 3] = [
    ("accept", "text/html"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-site", "none"),
];

/// The headers of a script of the site.
const AS_SCRIPT: [(&str, &str); 3] = [
    ("accept", "application/json"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-site", "same-origin"),
];

pub(super) async fn examine(client: &Client, options: &DoctorOptions) -> Vec<Finding> {
    let Some(text) = options.login_page.as_deref() else {
        return Vec::new();
    };
    let Some(page) = parse_url(text) else {
        let text = "login_page is not an absolute http or https URL.";
        return vec![Finding::new(FindingId::OptionsInvalid, text)];
    };
    let response = match fetch(&page, &AS_PAGE, options).await {
        Ok(response) => response,
        Err(text) => return vec![Finding::new(FindingId::LoginPageUnreachable, text)],
    };
    if response.status != 200 {
        let text = format!(
            "The login page answers with the status {}.",
            response.status
        );
        let finding = Finding::new(FindingId::LoginPageStatus, text);
        return vec![finding.with("status", response.status)];
    }
    let mut findings = Vec::new();
    findings.extend(elsewhere(&page, client));
    findings.extend(form(&response));
    findings.extend(policy(&page, &response, client));
    findings.extend(cookies(&page, &response));
    if findings.is_empty() {
        let text = "The login page has a form, and its policy and cookies let people log in.";
        findings.push(Finding::new(FindingId::LoginPage, text));
    }
    findings.extend(callback(&page, client, options).await);
    findings
}

async fn fetch(
    url: &Url,
    headers: &[(&'static str, &'static str)],
    options: &DoctorOptions,
) -> Result<Response, String> {
    let failed = |error| format!("The site does not answer: {}.", without_broker(&error));
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
    transport
        .send(Request::get(url.clone(), headers))
        .await
        .map_err(failed)
}

/// The transport's messages are about a broker.
fn without_broker(error: &crate::Error) -> String {
    error.to_string().replace("the broker", "the site")
}

fn elsewhere(page: &Url, client: &Client) -> Option<Finding> {
    let site = page.origin().ascii_serialization();
    (site != client.client_id()).then(|| {
        let text = format!(
            "The login page is on {site}, but the redirect URI is on {}.",
            client.client_id()
        );
        Finding::new(FindingId::LoginPageElsewhere, text)
    })
}

fn form(response: &Response) -> Option<Finding> {
    let page = String::from_utf8_lossy(&response.body).to_ascii_lowercase();
    let has_field = ["name=\"email\"", "name='email'", "name=email"];
    let has_form = page.contains("<form") && has_field.iter().any(|field| page.contains(field));
    (!has_form).then(|| {
        let text = "The login page has no form with a field named email, unless a script adds it.";
        Finding::new(FindingId::LoginPageNoForm, text)
    })
}

fn policy(page: &Url, response: &Response, client: &Client) -> Option<Finding> {
    let flow = LoginFlow::new(client.clone(), FlowOptions::default()).ok()?;
    let policies: Vec<String> = response
        .headers
        .get_all(CONTENT_SECURITY_POLICY)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect();
    let missing = forbidden(&policies, page, flow.form_targets());
    (!missing.is_empty()).then(|| {
        let text = format!(
            "The page's Content-Security-Policy forbids its form to lead to {}.",
            missing.join(" ")
        );
        Finding::new(FindingId::LoginPagePolicy, text).with("missing", missing)
    })
}

/// Looks at the names and flags of cookies, never at their values.
fn cookies(page: &Url, response: &Response) -> Vec<Finding> {
    let mut findings = Vec::new();
    for header in response.headers.get_all(SET_COOKIE) {
        let text = String::from_utf8_lossy(header.as_bytes());
        let mut parts = text.split(';').map(str::trim);
        let name = parts
            .next()
            .and_then(|pair| pair.split('=').next())
            .unwrap_or_default()
            .to_owned();
        let flags: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
        let has = |flag: &str| flags.iter().any(|found| found == flag);
        if has("samesite=strict") {
            let text = format!("The cookie {name} has SameSite=Strict.");
            findings.push(
                Finding::new(FindingId::LoginPageCookieStrict, text).with("cookie", name.clone()),
            );
        }
        if page.scheme() == "https" && !has("secure") {
            let text = format!("The cookie {name} has no Secure, although the site uses https.");
            findings
                .push(Finding::new(FindingId::LoginPageCookieInsecure, text).with("cookie", name));
        }
    }
    findings
}

/// Asks for the redirect URI as a script, without an answer of the broker. The flow answers scripts with a problem
/// in JSON, whatever the pages of the site are.
async fn callback(page: &Url, client: &Client, options: &DoctorOptions) -> Option<Finding> {
    let uri = parse_url(client.redirect_uri())?;
    // Behind a proxy that changes paths, the login page may be asked at an inner address.
    if page.origin() != uri.origin() && !is_local(page) {
        return None;
    }
    let mut url = page.clone();
    url.set_path(uri.path());
    url.set_query(uri.query());
    let response = fetch(&url, &AS_SCRIPT, options).await.ok()?;
    let (status, has_mark) = (response.status, is_of_flow(&response));
    let path = uri.path();
    Some(if has_mark {
        let text = format!("The site answers the redirect URI's path {path}.");
        Finding::new(FindingId::Callback, text)
    } else {
        let text = format!("The site does not pass {path} to the login flow (status {status}).");
        Finding::new(FindingId::CallbackMissing, text).with("status", status)
    })
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
