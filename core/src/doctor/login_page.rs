//! The page with the login form of the running site.

use ::http::header::CONTENT_SECURITY_POLICY;
use futures_util::future::join;
use url::Url;

use super::finding::{Finding, FindingId};
use super::options::DoctorOptions;
use super::pages::{Headers, NoPage, Page, Place, open};
use super::policy::{forbidden, policies_in};
use super::{callback, cookies, scheme};
use crate::client::Client;
use crate::http::Response;
use crate::origin::parse_url;
use crate::web::{FlowOptions, LoginFlow};

/// The headers of a browser that opens a page.
const AS_PAGE: &Headers = &[
    ("accept", "text/html"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-site", "none"),
];

pub(super) async fn examine(client: &Client, options: &DoctorOptions) -> Vec<Finding> {
    let Some(text) = options.login_page.as_deref() else {
        return Vec::new();
    };
    let Some(url) = parse_url(text) else {
        let text = "login_page is not an absolute http or https URL.";
        return vec![Finding::new(FindingId::OptionsInvalid, text)];
    };
    let (page, callback) = join(
        open(&url, AS_PAGE, options),
        callback::examine(&url, client, options),
    )
    .await;
    let mut findings = match page {
        Err(NoPage::Unreachable(text)) => return vec![unreachable(&url, text, options).await],
        Err(NoPage::Loop(place)) => {
            let text = format!("The login page redirects in a circle, back to {place}.");
            vec![Finding::new(FindingId::LoginPageRedirectLoop, text)]
        }
        Ok(page) if page.response.status == scheme::NO_TLS => {
            match other_scheme(&page.url, options).await {
                Some(finding) => return vec![finding],
                None => on_page(&page, client),
            }
        }
        Ok(page) => on_page(&page, client),
    };
    findings.extend(callback);
    findings
}

async fn unreachable(url: &Url, text: String, options: &DoctorOptions) -> Finding {
    let other = other_scheme(url, options).await;
    other.unwrap_or_else(|| Finding::new(FindingId::LoginPageUnreachable, text))
}

/// Whether the site speaks http where https was given, or the reverse.
async fn other_scheme(url: &Url, options: &DoctorOptions) -> Option<Finding> {
    let spoken = scheme::spoken(url, options).await?;
    let finding = Finding::new(FindingId::LoginPageScheme, scheme::sentence(url, spoken));
    Some(finding.with("speaks", spoken))
}

fn on_page(Page { url, response }: &Page, client: &Client) -> Vec<Finding> {
    let place = Place::of(url);
    let mut findings = Vec::new();
    findings.extend(elsewhere(url, client));
    if response.status != 200 {
        let status = response.status;
        let text = format!("The login page {place} answers with the status {status}.");
        findings.push(Finding::new(FindingId::LoginPageStatus, text).with("status", status));
        return findings;
    }
    let body = String::from_utf8_lossy(&response.body);
    findings.extend(form(&body));
    findings.extend(policy(url, response, &body, client));
    findings.extend(cookies::examine(url, response));
    if findings.is_empty() {
        let text = format!(
            "The login page {place} has a form, and its policy and cookies let people log in."
        );
        findings.push(Finding::new(FindingId::LoginPage, text));
    }
    findings
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

fn form(body: &str) -> Option<Finding> {
    let page = body.to_ascii_lowercase();
    let has_field = ["name=\"email\"", "name='email'", "name=email"];
    let has_form = page.contains("<form") && has_field.iter().any(|field| page.contains(field));
    (!has_form).then(|| {
        let text = "The login page has no form with a field named email, unless a script adds it.";
        Finding::new(FindingId::LoginPageNoForm, text)
    })
}

fn policy(page: &Url, response: &Response, body: &str, client: &Client) -> Option<Finding> {
    let flow = LoginFlow::new(client.clone(), FlowOptions::default()).ok()?;
    let headers = response.headers.get_all(CONTENT_SECURITY_POLICY).iter();
    let policies: Vec<String> = headers
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .chain(policies_in(body))
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
