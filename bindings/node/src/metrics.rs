//! Metrics of clients.

use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;
use portier_client::metrics;

use crate::client::Client;

/// The media type of an exposition.
#[napi(catch_unwind)]
pub fn metrics_content_type() -> &'static str {
    metrics::CONTENT_TYPE
}

/// The metrics of clients in the text format of Prometheus. Each client has a name.
#[napi(catch_unwind)]
pub fn exposition(
    names: Vec<String>,
    clients: Vec<ClassInstance<'_, Client>>,
) -> napi::Result<String> {
    let clients = opened(&clients)?;
    Ok(metrics::exposition(named(&names, &clients)))
}

/// The same, as the text of a JSON array.
#[napi(catch_unwind)]
pub fn collect_metrics(
    names: Vec<String>,
    clients: Vec<ClassInstance<'_, Client>>,
) -> napi::Result<String> {
    let clients = opened(&clients)?;
    serde_json::to_string(&metrics::collect(named(&names, &clients)))
        .map_err(|cause| napi::Error::from_reason(cause.to_string()))
}

fn opened(clients: &[ClassInstance<'_, Client>]) -> napi::Result<Vec<portier_client::Client>> {
    clients.iter().map(|client| client.opened()).collect()
}

fn named<'a>(
    names: &'a [String],
    clients: &'a [portier_client::Client],
) -> impl Iterator<Item = (&'a str, &'a portier_client::Client)> {
    names.iter().map(String::as_str).zip(clients)
}
