//! The broker: its documents, its clock, and whether it serves this site.

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::time::Duration;

use ::http::HeaderMap;

use super::finding::{Finding, FindingId};
use super::options::DoctorOptions;
use super::{millis, shown};
use crate::client::Client;
use crate::clock::{Clock as _, SystemClock};
use crate::error::Error;
use crate::http::Request;
use crate::jwks::KeyInfo;
use crate::origin::parse_url;
use crate::session::AuthenticateOptions;
use crate::tls::is_certificate_refused;

const SLOW: Duration = Duration::from_secs(2);
/// The least time for which the client keeps keys, in seconds. The broker wants less.
const SHORT_LIFE: f64 = 60.0;
/// In seconds. A token is valid for ten minutes; the client accepts a difference of three.
const DRIFT: f64 = 30.0;
const LEEWAY: f64 = 180.0;

pub(super) async fn examine(client: &Client, _: &DoctorOptions) -> Vec<Finding> {
    let begun = SystemClock::new();
    let document = match client.discover().await {
        Ok(document) => document,
        Err(error) => return vec![failed(&error, FindingId::BrokerFailed)],
    };
    let time = begun.monotonic();
    let mut findings = vec![discovery(client, time)];
    if !client.offers_code_flow().await {
        let text = "The broker does not offer the code flow.";
        findings.push(Finding::new(FindingId::BrokerNoCodeFlow, text));
    }
    drop(document);
    findings.push(match client.keys().await {
        Ok(keys) => keys_found(client, &keys),
        Err(error) => failed(&error, FindingId::KeysFailed),
    });
    findings.extend(clock(client));
    findings.extend(acceptance(client).await);
    findings
}

fn discovery(client: &Client, time: Duration) -> Finding {
    let id = if time > SLOW {
        FindingId::BrokerSlow
    } else {
        FindingId::Broker
    };
    let text = format!("{} answered in {}.", client.broker(), shown(time));
    Finding::new(id, text)
        .with("broker", client.broker())
        .with("milliseconds", millis(time))
}

fn failed(error: &Error, id: FindingId) -> Finding {
    let id = if refuses_certificate(error) {
        FindingId::BrokerCertificate
    } else {
        id
    };
    Finding::new(id, format!("{error}.")).with("code", error.code().as_str())
}

fn refuses_certificate(error: &Error) -> bool {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = cause {
        if is_certificate_refused(current) {
            return true;
        }
        cause = current.source();
    }
    false
}

fn keys_found(client: &Client, keys: &[KeyInfo]) -> Finding {
    let names = keys.iter().map(|key| key.algorithm.to_string());
    let algorithms: BTreeSet<String> = names.collect();
    let algorithms = Vec::from_iter(algorithms);
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
