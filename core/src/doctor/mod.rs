//! Finds out why logins fail: examines the options of a site, its network, the broker, the store, and the login
//! page.
//!
//! ```no_run
//! use portier_client::doctor::{DoctorOptions, examine};
//!
//! # async fn example() {
//! let options = DoctorOptions::new("https://example.com/verify");
//! let report = examine(options).await;
//! print!("{}", report.to_text(false));
//! # }
//! ```

mod broker;
mod callback;
mod command;
mod cookies;
mod finding;
mod login_page;
mod network;
mod options;
mod pages;
mod policy;
#[cfg(feature = "redis")]
mod redis;
mod report;
mod scheme;
mod site;
mod store;

use std::error::Error as StdError;
use std::pin::Pin;

use futures_util::future::join4;

pub use self::command::{CommandOutcome, run_command, run_command_blocking};
pub use self::finding::{Finding, FindingId, Level};
pub use self::options::DoctorOptions;
pub use self::report::Report;
use crate::clock::{Clock as _, SystemClock};
use crate::error::Error;
use crate::tls::{self, CertificateFault};

/// Examines a site. It needs a Tokio runtime, takes two rounds of requests if all is well, usually less than two
/// seconds, and at most half a minute otherwise. No mail is sent.
pub async fn examine(options: DoctorOptions) -> Report {
    let begun = SystemClock::new();
    let findings = boxed_findings(&options).await;
    let mut versions = vec![(
        "portier-client".to_owned(),
        env!("CARGO_PKG_VERSION").to_owned(),
    )];
    versions.extend(options.versions);
    versions.extend(findings.iter().filter_map(Finding::version));
    Report {
        findings,
        versions,
        milliseconds: u64::try_from(begun.monotonic().as_millis()).unwrap_or(u64::MAX),
    }
}

/// The code of an `async` function is compiled again in each crate that waits for it, with all that it
/// waits for. This box keeps it in this crate.
#[inline(never)]
fn boxed_findings(
    options: &DoctorOptions,
) -> Pin<Box<dyn Future<Output = Vec<Finding>> + Send + '_>> {
    Box::pin(findings(options))
}

async fn findings(options: &DoctorOptions) -> Vec<Finding> {
    let store = store::examine(options);
    let client = match options.client() {
        Ok(client) => client,
        Err(error) => {
            let invalid = Finding::new(FindingId::OptionsInvalid, sentence(&error));
            let mut findings = vec![invalid.with("code", error.code().as_str())];
            findings.extend(store.await);
            return findings;
        }
    };
    let mut findings = site::examine(&client, options);
    if options.offline {
        let text = "Offline: the broker, the network and the login page were not examined.";
        findings.push(Finding::new(FindingId::Offline, text));
        findings.extend(store.await);
        return findings;
    }
    let (network, broker, store, page) = join4(
        network::examine(&client, options),
        broker::examine(&client, options),
        store,
        login_page::examine(&client, options),
    )
    .await;
    for part in [network, broker, store, page] {
        findings.extend(part);
    }
    findings
}

/// A sentence about an error and its causes.
fn sentence(error: &Error) -> String {
    // What the HTTP libraries say of each of their layers, and no cause.
    const LAYERS: [&str; 3] = ["error sending request", "client error", "connection error"];
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        let more = current.to_string();
        let says_nothing = LAYERS.iter().any(|layer| more.starts_with(layer));
        if !says_nothing && !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = current.source();
    }
    format!("{text}.")
}

/// Why the server's certificate was refused, if that is the error or a cause of it.
fn certificate_fault(error: &Error) -> Option<CertificateFault> {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(fault) = tls::certificate_fault(current) {
            return Some(fault);
        }
        cause = current.source();
    }
    None
}

/// A length of time for a sentence.
fn shown(time: std::time::Duration) -> String {
    format!("{} ms", time.as_millis())
}

/// Milliseconds for programs.
fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
