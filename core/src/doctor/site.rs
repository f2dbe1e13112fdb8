//! The redirect URI, and the processes of the site.

use url::Host;

use super::finding::{Finding, FindingId};
use super::options::DoctorOptions;
use super::sentence;
use crate::client::Client;
use crate::origin::{is_local, parse_url};

pub(super) fn examine(client: &Client, options: &DoctorOptions) -> Vec<Finding> {
    let mut findings = redirect_uri(client, options);
    if let Err(error) = options.check_secret() {
        findings.push(Finding::new(FindingId::SecretInvalid, sentence(&error)));
    }
    let is_memory = options.store.as_deref().is_none_or(|url| url == "memory:");
    if let Some(processes) = options.processes
        && processes > 1
        && is_memory
        && !options.has_secret
    {
        let text = format!(
            "{processes} processes serve the site, and each keeps its logins in its own memory: a login \
             completes only if it returns to the process that started it."
        );
        findings.push(Finding::new(FindingId::ProcessesMemory, text).with("processes", processes));
    }
    findings
}

fn redirect_uri(client: &Client, options: &DoctorOptions) -> Vec<Finding> {
    let uri = client.redirect_uri();
    let mut findings = Vec::new();
    let mut found = |id, text: String| {
        findings.push(Finding::new(id, text).with("redirect_uri", uri));
    };
    if uri != options.redirect_uri {
        let text = format!("The redirect URI is sent in the spelling {uri}.");
        found(FindingId::RedirectUriSpelling, text);
    }
    let url = parse_url(uri);
    let is_address =
        |url: &url::Url| is_local(url) && matches!(url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_)));
    match url {
        Some(url) if is_address(&url) => {
            let text = format!("The site is reached by the address {}.", client.client_id());
            found(FindingId::RedirectUriAddress, text);
        }
        Some(url) if is_any_address(&url) => {
            let text =
                format!("The redirect URI {uri} has an address that stands for all addresses.");
            found(FindingId::RedirectUriAnyAddress, text);
        }
        Some(url) if url.scheme() == "http" && !is_local(&url) => {
            let text = format!("The redirect URI {uri} uses plain http.");
            found(FindingId::RedirectUriPlainHttp, text);
        }
        _ => {}
    }
    if findings.is_empty() {
        let text = format!(
            "The redirect URI is {uri}, and the site is {}.",
            client.client_id()
        );
        let finding = Finding::new(FindingId::RedirectUri, text);
        findings.push(finding.with("redirect_uri", uri));
    }
    findings
}

fn is_any_address(url: &url::Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_unspecified(),
        _ => false,
    }
}
