//! Metrics for monitoring systems, made from the [`Stats`] of clients.
//!
//! [`exposition`] writes the text that Prometheus scrapes. [`collect`] returns the same values as data, for
//! a client library of Prometheus or for OpenTelemetry. No label contains an address, a URL, or anything else
//! of a request: apart from the names that the site gives its clients, all values of labels are listed here.
//!
//! ```
//! use portier_client::{Client, metrics};
//!
//! # fn example() -> Result<(), portier_client::Error> {
//! let client = Client::builder("https://example.com/verify").build()?;
//! let text = metrics::exposition([("", &client)]);
//! // Serve it as `metrics::CONTENT_TYPE`.
//! assert!(text.contains("portier_client_logins_started_total 0\n"));
//! # Ok(())
//! # }
//! # example().unwrap();
//! ```

mod text;

use serde::Serialize;

pub use self::text::CONTENT_TYPE;
use crate::client::Client;
use crate::error::Code;
use crate::stats::{DURATION_LIMITS, DocumentStats, DurationStats, Stats};

/// One metric, with its current values.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Metric {
    /// The name for Prometheus, with the suffixes for its unit and kind.
    pub name: String,
    /// The name for OpenTelemetry, from which an exporter for Prometheus makes `name`.
    pub instrument: &'static str,
    /// What it is, in a sentence.
    pub help: &'static str,
    /// Whether it counts.
    pub kind: MetricKind,
    /// The unit, as in UCUM: `s`, or a noun in braces.
    pub unit: &'static str,
    /// The upper limits of the buckets of a histogram; empty for other metrics.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub limits: &'static [f64],
    /// The values. There may be none, if nothing is known yet.
    pub samples: Vec<Sample>,
}

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MetricKind {
    /// Counts since the client was created; it never decreases.
    Counter,
    /// A current value.
    Gauge,
    /// Counts durations by their length, since the client was created.
    Histogram,
}

/// A value of a metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Sample {
    /// What the value belongs to.
    pub labels: Vec<Label>,
    /// The value, in the unit of the metric; of a histogram, how many durations it has.
    pub value: f64,
    /// The durations of a histogram; absent for other metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub durations: Option<DurationStats>,
}

/// A label of a sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Label {
    /// The name for Prometheus.
    pub name: &'static str,
    /// The name for OpenTelemetry.
    pub attribute: &'static str,
    /// The value.
    pub value: String,
}

/// Writes the metrics of clients in the text format of Prometheus, to be served as [`CONTENT_TYPE`].
///
/// Each client has a name, which is the value of its label `client`; it must differ from the names of the
/// others. With an empty name there is no such label, which is usual if there is one client.
pub fn exposition<'a>(clients: impl IntoIterator<Item = (&'a str, &'a Client)>) -> String {
    text::write(&collect(clients))
}

/// Returns the metrics of clients as data; see [`exposition`].
pub fn collect<'a>(clients: impl IntoIterator<Item = (&'a str, &'a Client)>) -> Vec<Metric> {
    let mut metrics: Vec<_> = DEFINITIONS.iter().map(Definition::metric).collect();
    for (name, client) in clients {
        let stats = client.stats();
        for (definition, metric) in DEFINITIONS.iter().zip(&mut metrics) {
            let samples = (definition.values)(&stats).into_iter();
            metric.samples.extend(samples.map(|(label, value)| {
                let (value, durations) = match value {
                    Value::Number(value) => (rounded(value), None),
                    Value::Durations(durations) => (count(durations.count), Some(durations)),
                };
                Sample {
                    labels: client_label(name).into_iter().chain(label).collect(),
                    value,
                    durations,
                }
            }));
        }
    }
    metrics
}

type Values = Vec<(Option<Label>, Value)>;

enum Value {
    Number(f64),
    Durations(DurationStats),
}

struct Definition {
    instrument: &'static str,
    help: &'static str,
    kind: MetricKind,
    unit: &'static str,
    values: fn(&Stats) -> Values,
}

impl Definition {
    fn metric(&self) -> Metric {
        // As an exporter of OpenTelemetry names it: dots become underscores, then come unit and kind.
        let mut name = self.instrument.replace('.', "_");
        if self.unit == SECONDS {
            name.push_str("_seconds");
        }
        if self.kind == MetricKind::Counter {
            name.push_str("_total");
        }
        Metric {
            name,
            instrument: self.instrument,
            help: self.help,
            kind: self.kind,
            unit: self.unit,
            limits: match self.kind {
                MetricKind::Histogram => &DURATION_LIMITS,
                _ => &[],
            },
            samples: Vec::new(),
        }
    }
}

const SECONDS: &str = "s";

const DEFINITIONS: &[Definition] = &[
    Definition {
        instrument: "portier.client.logins.started",
        help: "Logins that were started.",
        kind: MetricKind::Counter,
        unit: "{login}",
        values: |stats| alone(count(stats.logins_started)),
    },
    Definition {
        instrument: "portier.client.logins.completed",
        help: "Logins that were completed.",
        kind: MetricKind::Counter,
        unit: "{login}",
        values: |stats| alone(count(stats.logins_completed)),
    },
    Definition {
        instrument: "portier.client.logins.failed",
        help: "Logins that failed to start or to complete, by the code of the error.",
        kind: MetricKind::Counter,
        unit: "{login}",
        values: by_code,
    },
    Definition {
        instrument: "portier.client.logins.pending",
        help: "Logins that are pending in the memory of this process.",
        kind: MetricKind::Gauge,
        unit: "{login}",
        values: |stats| maybe(stats.pending.map(|pending| count(pending as u64))),
    },
    Definition {
        instrument: "portier.client.operation.duration",
        help: "How long it takes to start a login, to complete it, and to get an answer of the broker.",
        kind: MetricKind::Histogram,
        unit: SECONDS,
        values: by_operation,
    },
    Definition {
        instrument: "portier.client.clock.difference",
        help: "How far the clock of the broker is ahead of the clock of this machine.",
        kind: MetricKind::Gauge,
        unit: SECONDS,
        values: |stats| maybe(stats.clock_difference),
    },
    Definition {
        instrument: "portier.client.document.requests",
        help: "Requests to the broker for a document, without retries.",
        kind: MetricKind::Counter,
        unit: "{request}",
        values: |stats| by_document(stats, |document| Some(count(document.requests))),
    },
    Definition {
        instrument: "portier.client.document.failures",
        help: "Failed fetches of a document.",
        kind: MetricKind::Counter,
        unit: "{fetch}",
        values: |stats| by_document(stats, |document| Some(count(document.failures))),
    },
    Definition {
        instrument: "portier.client.document.stale_serves",
        help: "Uses of an expired document, because no newer one could be fetched.",
        kind: MetricKind::Counter,
        unit: "{use}",
        values: |stats| by_document(stats, |document| Some(count(document.stale_serves))),
    },
    Definition {
        instrument: "portier.client.document.shared_loads",
        help: "Documents that another process had fetched, and that were loaded from the store.",
        kind: MetricKind::Counter,
        unit: "{load}",
        values: |stats| by_document(stats, |document| Some(count(document.shared_loads))),
    },
    Definition {
        instrument: "portier.client.document.changes",
        help: "Changes of the content of a document; for the keys, a rotation.",
        kind: MetricKind::Counter,
        unit: "{change}",
        values: |stats| by_document(stats, |document| Some(count(document.changes))),
    },
    Definition {
        instrument: "portier.client.document.age",
        help: "Time since a document was fetched or found unchanged.",
        kind: MetricKind::Gauge,
        unit: SECONDS,
        values: |stats| by_document(stats, |document| document.age_seconds),
    },
    Definition {
        instrument: "portier.client.document.fresh_for",
        help: "Time until a document expires; 0 if it has expired.",
        kind: MetricKind::Gauge,
        unit: SECONDS,
        values: |stats| by_document(stats, |document| document.fresh_for_seconds),
    },
    Definition {
        instrument: "portier.client.document.usable_for",
        help: "Time until logins fail unless a document can be fetched; 0 if they fail.",
        kind: MetricKind::Gauge,
        unit: SECONDS,
        values: |stats| by_document(stats, |document| document.usable_for_seconds),
    },
    Definition {
        instrument: "portier.client.document.retry_in",
        help: "Time until the next attempt to fetch a document; absent unless the last one failed.",
        kind: MetricKind::Gauge,
        unit: SECONDS,
        values: |stats| by_document(stats, |document| document.retry_in_seconds),
    },
];

/// All codes, also those that did not occur: a counter that appears with the value 1 has no increase.
fn by_code(stats: &Stats) -> Values {
    let value = |code: &str| count(stats.failures.get(code).copied().unwrap_or_default());
    let codes = Code::ALL.iter().map(|code| code.as_str());
    codes
        .map(|code| {
            let label = label("code", "error.type", code);
            (Some(label), Value::Number(value(code)))
        })
        .collect()
}

fn by_operation(stats: &Stats) -> Values {
    let durations = stats.durations.iter();
    durations
        .map(|(operation, durations)| {
            let label = label("operation", "portier.operation", operation);
            (Some(label), Value::Durations(durations.clone()))
        })
        .collect()
}

fn by_document(stats: &Stats, value: impl Fn(&DocumentStats) -> Option<f64>) -> Values {
    [("discovery", &stats.discovery), ("keys", &stats.keys)]
        .into_iter()
        .filter_map(|(name, document)| {
            let label = label("document", "portier.document", name);
            Some((Some(label), Value::Number(value(document)?)))
        })
        .collect()
}

/// Milliseconds are enough. Zero has no sign.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0 + 0.0
}

fn alone(value: f64) -> Values {
    vec![(None, Value::Number(value))]
}

fn maybe(value: Option<f64>) -> Values {
    value.into_iter().flat_map(alone).collect()
}

fn client_label(name: &str) -> Option<Label> {
    (!name.is_empty()).then(|| label("client", "portier.client", name))
}

fn label(name: &'static str, attribute: &'static str, value: &str) -> Label {
    Label {
        name,
        attribute,
        value: value.to_owned(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "no process counts to 2^53")]
fn count(count: u64) -> f64 {
    count as f64
}

#[cfg(all(test, feature = "testing"))]
mod tests;
