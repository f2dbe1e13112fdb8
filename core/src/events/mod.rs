//! Events for the operator of a site.
//!
//! The crate emits them through `tracing`, under the target `portier_client`. The message of an event is
//! its name and never changes; details are in the fields. No field contains a token, a nonce, an address
//! or a secret.
//!
//! | event | level | fields |
//! |---|---|---|
//! | `login started` | debug | |
//! | `login completed` | debug | `same_browser` |
//! | `login refused` | info | `operation`, `code`, `error` |
//! | `login failed` | warn | `operation`, `code`, `error` |
//! | `login not in memory store` | warn | `likely_cause`, `remedy` |
//! | `login form on another host` | warn | `page_host`, `redirect_host` |
//! | `newer keys wanted` | debug | |
//! | `document fetched` | debug | `document`, `unchanged`, `lifetime_seconds`, `failures` |
//! | `document changed` | info | `document` |
//! | `document not fetched` | warn | `document`, `code`, `failures`, `has_document`, `pause_seconds`, `error` |
//! | `document shared` | debug | `document` |
//! | `documents not shared` | debug | `code` |
//! | `stale document served` | debug | `document` |
//! | `request repeated` | debug | `host` |
//! | `clocks differ` | warn | `difference_seconds` |
//! | `redis evicts pending logins` | warn | |
//! | `events dropped` | warn | `count` |
//!
//! There are spans as well: `authenticate`, `complete` and `fetch document`. They have the fields `error.type`, which is
//! the code of the error, and `otel.status_code`, which is `ERROR` for a fault of the broker, the store, the clock or
//! the site. In them, `request` is a request to the broker, with the fields of OpenTelemetry's conventions for HTTP
//! clients.
//!
//! [`subscriber`] passes the events on as plain data, for a program with its own logging.

mod listener;
pub(crate) mod spans;

use std::time::Duration;

pub use tracing::Level;
use tracing::event_enabled;

pub use self::listener::{Event, Listener, Value, subscriber};
use crate::error::Error;

/// The target of every event.
pub const TARGET: &str = "portier_client";

// The caller of these functions must not hold a lock: a listener may use the client.

pub(crate) fn login_started() {
    tracing::debug!(target: TARGET, "login started");
}

pub(crate) fn login_completed(same_browser: bool) {
    tracing::debug!(target: TARGET, same_browser, "login completed");
}

/// A login did not start, or was not completed. It was refused because the request was invalid, or it
/// failed because the broker, the store or the clock was wrong or unavailable.
pub(crate) fn login_ended(operation: &'static str, error: &Error) {
    let code = error.code().as_str();
    if error.code().is_fault() {
        tracing::warn!(target: TARGET, operation, code, %error, "login failed");
    } else {
        tracing::info!(target: TARGET, operation, code, %error, "login refused");
    }
}

/// A valid token came for a login that is not in the memory store of this process. Returns whether the
/// event was enabled.
pub(crate) fn login_not_in_memory_store() -> bool {
    if !event_enabled!(target: TARGET, Level::WARN) {
        return false;
    }
    tracing::warn!(
        target: TARGET,
        likely_cause = "the login was started by another process or client of this site, before a restart \
                        of this process, or longer ago than session_ttl (in Node sessionTtlMs)",
        remedy = "give all processes of the site the same secret, or one store that they share, such as \
                  sqlite:////var/lib/site/logins.db or redis://localhost",
        "login not in memory store"
    );
    true
}

/// The page with the login form was opened under another host name than that of the redirect URI, for
/// example `127.0.0.1` instead of `localhost`. Browsers keep cookies per host, so the cookie will be missing.
pub(crate) fn login_form_on_another_host(page_host: &str, redirect_host: &str) {
    tracing::warn!(
        target: TARGET, page_host, redirect_host, "login form on another host"
    );
}

/// A token suggests that the broker has newer keys than the cached ones.
pub(crate) fn newer_keys_wanted() {
    tracing::debug!(target: TARGET, "newer keys wanted");
}

/// `failures` counts the consecutive failures before this success.
pub(crate) fn document_fetched(
    document: &'static str,
    unchanged: bool,
    lifetime: Duration,
    failures: u32,
) {
    let lifetime_seconds = lifetime.as_secs();
    tracing::debug!(
        target: TARGET, document, unchanged, lifetime_seconds, failures, "document fetched"
    );
}

/// For example because the broker has rotated its keys.
pub(crate) fn document_changed(document: &'static str) {
    tracing::info!(target: TARGET, document, "document changed");
}

pub(crate) fn document_not_fetched(
    document: &'static str,
    error: &Error,
    failures: u32,
    has_document: bool,
    pause: Duration,
) {
    let code = error.code().as_str();
    let pause_seconds = Duration::from_millis(millis(pause)).as_secs_f64();
    tracing::warn!(
        target: TARGET,
        document, code, failures, has_document, pause_seconds, %error, "document not fetched"
    );
}

/// A document that another process had fetched was loaded from the store.
pub(crate) fn document_shared(document: &'static str) {
    tracing::debug!(target: TARGET, document, "document shared");
}

/// The store failed to save or to load a document; `None` if it did not answer in time.
pub(crate) fn documents_not_shared(error: Option<&Error>) {
    let code = error.map_or("timeout", |error| error.code().as_str());
    tracing::debug!(target: TARGET, code, "documents not shared");
}

pub(crate) fn stale_document_served(document: &'static str) {
    tracing::debug!(target: TARGET, document, "stale document served");
}

pub(crate) fn request_repeated(host: &str) {
    tracing::debug!(target: TARGET, host, "request repeated");
}

/// The broker's clock and ours; see [`Stats::clock_difference`](crate::Stats::clock_difference).
pub(crate) fn clocks_differ(difference_seconds: f64) {
    tracing::warn!(target: TARGET, difference_seconds, "clocks differ");
}

#[cfg(feature = "redis")]
pub(crate) fn redis_evicts() {
    tracing::warn!(target: TARGET, "redis evicts pending logins");
}

/// The event that tells how many events were lost because logging was too slow. Only a [`Listener`] knows
/// that, and creates it.
pub fn dropped(count: u64) -> Event {
    Event {
        level: Level::WARN,
        message: "events dropped".to_owned(),
        fields: vec![(
            "count",
            Value::Integer(i64::try_from(count).unwrap_or(i64::MAX)),
        )],
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
