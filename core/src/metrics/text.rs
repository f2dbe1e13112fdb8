//! The text format of Prometheus.

use std::fmt::{Display, Write as _};

use super::{Label, Metric, MetricKind};
use crate::stats::{DurationBucket, DurationStats};

/// The media type of an exposition.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes metrics; those without values are left out.
pub(super) fn write(metrics: &[Metric]) -> String {
    let mut text = String::with_capacity(8 * 1024);
    for metric in metrics.iter().filter(|metric| !metric.samples.is_empty()) {
        let (name, help) = (&metric.name, metric.help);
        let kind = match metric.kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        };
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for sample in &metric.samples {
            match &sample.durations {
                Some(durations) => write_histogram(&mut text, name, &sample.labels, durations),
                None => write_sample(&mut text, name, &sample.labels, sample.value),
            }
        }
    }
    text
}

fn write_histogram(text: &mut String, name: &str, labels: &[Label], durations: &DurationStats) {
    let buckets = durations.buckets.iter();
    // Always with a decimal point, as OpenMetrics demands.
    let limited = buckets.map(
        |DurationBucket {
             limit_seconds,
             count,
         }| (format!("{limit_seconds:?}"), *count),
    );
    let all = ("+Inf".to_owned(), durations.count);
    let bucket = format!("{name}_bucket");
    let mut labels = labels.to_vec();
    for (value, count) in limited.chain([all]) {
        labels.push(Label {
            name: "le",
            attribute: "le",
            value,
        });
        write_sample(text, &bucket, &labels, count);
        labels.pop();
    }
    write_sample(
        text,
        &format!("{name}_sum"),
        &labels,
        durations.total_seconds,
    );
    write_sample(text, &format!("{name}_count"), &labels, durations.count);
}

fn write_sample(text: &mut String, name: &str, labels: &[Label], value: impl Display) {
    text.push_str(name);
    write_labels(text, labels);
    let _ = writeln!(text, " {value}");
}

fn write_labels(text: &mut String, labels: &[Label]) {
    let mut separator = '{';
    for Label { name, value, .. } in labels {
        let _ = write!(text, "{separator}{name}=\"");
        for character in value.chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                other => text.push(other),
            }
        }
        text.push('"');
        separator = ',';
    }
    if !labels.is_empty() {
        text.push('}');
    }
}
