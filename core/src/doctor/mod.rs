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
mod command;
mod finding;
mod login_page;
mod network;
mod options;
mod policy;
mod report;
mod site;
mod store;

use futures_util::future::join4;

pub use self::command::{CommandOutcome, run_command, run_command_blocking};
pub use self::finding::{Finding, FindingId, Level};
pub use self::options::DoctorOptions;
pub use self::report::Report;
use crate::clock::{Clock as _, SystemClock};

/// Examines a site. It needs a Tokio runtime, takes less than two seconds if all is well, and at most half a
/// minute otherwise. No mail is sent.
pub async fn examine(options: DoctorOptions) -> Report {
    let begun = SystemClock::new();
    let findings = findings(&options).await;
    let mut versions = vec![(
        "portier-client".to_owned(),
        env!("CARGO_PKG_VERSION").to_owned(),
    )];
    versions.extend(options.versions);
    Report {
        findings,
        versions,
        milliseconds: u64::try_from(begun.monotonic().as_millis()).unwrap_or(u64::MAX),
    }
}

async fn findings(options: &DoctorOptions) -> Vec<Finding> {
    let store = store::examine(options);
    let client = match options.client() {
        Ok(client) => client,
        Err(error) => {
            let invalid = Finding::new(FindingId::OptionsInvalid, format!("{error}."));
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

/// A length of time for a sentence.
fn shown(time: std::time::Duration) -> String {
    format!("{} ms", time.as_millis())
}

/// Milliseconds for programs.
fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
