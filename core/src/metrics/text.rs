//! The text format of Prometheus.

use std::fmt::Write as _;

use super::{Label, Metric, MetricKind};

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
        };
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for sample in &metric.samples {
            text.push_str(name);
            write_labels(&mut text, &sample.labels);
            let _ = writeln!(text, " {}", sample.value);
        }
    }
    text
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
