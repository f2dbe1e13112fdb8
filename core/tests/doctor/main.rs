//! The doctor, on healthy and on broken sites.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod broker;
mod command;
mod login_page;
mod rounds;
mod setup;
mod stub;
mod tls;
mod vectors;

use std::collections::BTreeSet;

use portier_client::doctor::{DoctorOptions, Report, examine};

/// A site on this machine whose broker is at `broker`.
fn site(broker: &str) -> DoctorOptions {
    let mut options = DoctorOptions::new("http://localhost:8080/verify");
    options.broker = Some(broker.to_owned());
    options
}

/// The findings that are more than good.
async fn found(options: DoctorOptions) -> BTreeSet<&'static str> {
    found_in(&examine(options).await)
}

fn found_in(report: &Report) -> BTreeSet<&'static str> {
    let findings = report.findings.iter();
    findings
        .filter(|finding| finding.id.level() > portier_client::doctor::Level::Ok)
        .map(|finding| finding.id.as_str())
        .collect()
}
