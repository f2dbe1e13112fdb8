//! The broker: its documents, its clock, and whether it serves this site.

use std::time::Duration;

use ::http::HeaderMap;
use futures_util::future::join3;

use super::finding::{Finding, FindingId};
use super::options::DoctorOptions;
use super::{certificate_fault, millis, scheme, sentence, shown};
use crate::client::Client;
use crate::clock::{Clock as _, SystemClock};
use crate::error::{Code, Error};
use crate::http::Request;
use crate::jwks::KeyInfo;
use crate::origin::parse_url;
use crate::session::AuthenticateOptions;
use crate::tls::CertificateFault;

const SLOW: Duration = Duration::from_secs(2);
/// The least time for which the client keeps keys, in seconds. The broker wants less.
const SHORT_LIFE: f64 = 60.0;
/// In seconds. A token is valid for ten minutes; the client accepts a difference of three.
const DRIFT: f64 = 30.0;
const LEEWAY: f64 = 180.0;

/// Where Portier's broker tells its version.
const VERSION_PATH: &str = "/ver.txt";

pub(super) async fn examine(client: &Client, options: &DoctorOptions) -> Vec<Finding> {
    let begun = SystemClock::new();
    if let Err(error) = client.discover().await {
        return vec![match other_scheme(client, &error, options).await {
            Some(finding) => finding,
            None => failed(&error, FindingId::BrokerFailed),
        }];
    }
    let time = begun.monotonic();
    let (version, keys, acceptance) =
        join3(version(client), client.keys(), acceptance(client)).await;
    let mut findings = vec![discovery(client, time, version)];
    if !client.offers_code_flow().await {
        let text = "The broker does not offer the code flow.";
        findings.push(Finding::new(FindingId::BrokerNoCodeFlow, text));
    }
    findings.push(match keys {
        Ok(keys) => keys_found(client, &keys),
        Err(error) => failed(&error, FindingId::KeysFailed),
    });
    findings.extend(clock(client));
    findings.extend(acceptance);
    findings
}

/// Whether the broker speaks http where https was given, or the reverse.
async fn other_scheme(client: &Client, error: &Error, options: &DoctorOptions) -> Option<Finding> {
    let may_be = match error.code() {
        Code::BrokerUnreachable | Code::BrokerTimeout => certificate_fault(error).is_none(),
        // As some servers answer a request without TLS.
        Code::BrokerStatus => error.status() == Some(scheme::NO_TLS),
        _ => false,
    };
    let url = parse_url(client.broker()).filter(|_| may_be)?;
    let spoken = scheme::spoken(&url, options).await?;
    let finding = Finding::new(FindingId::BrokerScheme, scheme::sentence(&url, spoken));
    Some(finding.with("speaks", spoken))
}

fn discovery(client: &Client, time: Duration, version: Option<(String, String)>) -> Finding {
    let id = if time > SLOW {
        FindingId::BrokerSlow
    } else {
        FindingId::Broker
    };
    let text = format!("{} answered in {}.", client.broker(), shown(time));
    let finding = Finding::new(id, text)
        .with("broker", client.broker())
        .with("milliseconds", millis(time));
    match version {
        Some((software, version)) => finding
            .with("software", format!("{software} (broker)"))
            .with("version", version),
        None => finding,
    }
}

/// The name and the version of the broker, if it tells them. Other providers of OpenID do not.
async fn version(client: &Client) -> Option<(String, String)> {
    let url = parse_url(&format!("{}{VERSION_PATH}", client.broker()))?;
    let request = Request::get(url, HeaderMap::new());
    let response = client.transport().send(request).await.ok()?;
    let text = std::str::from_utf8(&response.body).ok()?;
    let mut words = text.split_ascii_whitespace();
    let (software, version) = (words.next()?, words.next()?);
    let is_plain = |word: &str| {
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b".-+_".contains(&byte);
        word.len() <= 40 && word.bytes().all(is_known)
    };
    let begins_with_number = version.starts_with(|first: char| first.is_ascii_digit());
    let is_version = response.status == 200 && begins_with_number;
    let found = (software.to_owned(), version.to_owned());
    (is_version && is_plain(software) && is_plain(version)).then_some(found)
}

fn failed(error: &Error, id: FindingId) -> Finding {
    let id = match certificate_fault(error) {
        Some(CertificateFault::Time) => FindingId::BrokerCertificateExpired,
        Some(CertificateFault::Name) => FindingId::BrokerCertificateName,
        Some(CertificateFault::Other) => FindingId::BrokerCertificate,
        None => id,
    };
    Finding::new(id, sentence(error)).with("code", error.code().as_str())
}

fn keys_found(client: &Client, keys: &[KeyInfo]) -> Finding {
    let names = keys.iter().map(|key| key.algorithm.as_str());
    let mut algorithms: Vec<_> = names.collect();
    algorithms.sort_unstable();
    algorithms.dedup();
    let fresh = client.stats().keys.fresh_for_seconds.unwrap_or_default();
    let id = if fresh <= SHORT_LIFE {
        FindingId::KeysShortLived
    } else {
        FindingId::Keys
    };
    let text = format!(
        "The client can use {} keys of the broker ({}), and keeps them for {fresh:.0} s.",
        keys.len(),
        algorithms.join(", ")
    );
    Finding::new(id, text)
        .with("algorithms", algorithms)
        .with("fresh_for_seconds", fresh.round())
}

fn clock(client: &Client) -> Option<Finding> {
    let difference = client.stats().clock_difference?;
    let id = match difference.abs() {
        seconds if seconds > LEEWAY => FindingId::ClockDiffers,
        seconds if seconds > DRIFT => FindingId::ClockDrifts,
        _ => FindingId::Clock,
    };
    let text = match id {
        FindingId::Clock => "The clocks of the broker and of this machine agree.".to_owned(),
        _ => format!("The broker's clock is {difference:.0} s ahead of this machine's."),
    };
    Some(Finding::new(id, text).with("seconds", difference.round()))
}

/// Asks the broker for its login page, as a browser would, without an address: no mail is sent.
async fn acceptance(client: &Client) -> Option<Finding> {
    let url = client
        .authenticate_with(AuthenticateOptions::default())
        .await
        .ok()?;
    let request = Request::get(parse_url(&url)?, HeaderMap::new());
    let response = client.transport().send(request).await.ok()?;
    // Anything else than a refusal says nothing about this site.
    (response.status == 400 || response.status == 403).then(|| {
        let text = format!(
            "The broker refuses the redirect URI {} (status {}).",
            client.redirect_uri(),
            response.status
        );
        Finding::new(FindingId::RedirectUriRefused, text).with("status", response.status)
    })
}
