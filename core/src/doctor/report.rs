//! The result of an examination, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::finding::{Finding, FindingId, Level};

/// All findings of one examination.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// In the order of the checks.
    pub findings: Vec<Finding>,
    /// The versions of this library and of what runs it, by name.
    pub versions: Vec<(String, String)>,
    /// How long it took.
    pub milliseconds: u64,
}

impl Report {
    /// Whether nothing has to be done.
    pub fn is_healthy(&self) -> bool {
        self.worst() <= Level::Note
    }

    /// Whether there is a finding with this id.
    pub fn has(&self, id: FindingId) -> bool {
        self.findings.iter().any(|finding| finding.id == id)
    }

    fn worst(&self) -> Level {
        let levels = self.findings.iter().map(|finding| finding.id.level());
        levels.max().unwrap_or(Level::Ok)
    }

    /// One JSON object.
    pub fn to_json(&self) -> String {
        let findings: Vec<Value> = self.findings.iter().map(to_json).collect();
        let mut versions = Map::new();
        for (name, version) in &self.versions {
            versions.insert(name.clone(), version.as_str().into());
        }
        json!({
            "healthy": self.is_healthy(),
            "findings": findings,
            "versions": versions,
            "milliseconds": self.milliseconds,
        })
        .to_string()
    }

    /// Lines for a terminal, with or without colours.
    pub fn to_text(&self, colours: bool) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            let level = finding.id.level();
            let (on, off) = match level {
                _ if !colours => ("", ""),
                Level::Ok => ("\u{1b}[32m", "\u{1b}[0m"),
                Level::Note => ("\u{1b}[36m", "\u{1b}[0m"),
                Level::Warning => ("\u{1b}[33m", "\u{1b}[0m"),
                Level::Error => ("\u{1b}[31m", "\u{1b}[0m"),
            };
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{on}{:<8}{off} {}: {}",
                level.as_str(),
                finding.id.as_str(),
                one_line(&finding.text)
            );
            if let Some(advice) = finding.id.advice() {
                let _ = writeln!(text, "         {advice}");
                let _ = writeln!(text, "         See {}", page(finding.id));
            }
        }
        let versions = self.versions.iter();
        let versions: Vec<_> = versions
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        let _ = writeln!(text, "\n{}", versions.join(", "));
        let _ = writeln!(text, "{}", self.summary());
        text
    }

    fn summary(&self) -> String {
        let count = |level| {
            let levels = self.findings.iter().map(|finding| finding.id.level());
            levels.filter(|found| *found == level).count()
        };
        match (count(Level::Error), count(Level::Warning)) {
            (0, 0) => "healthy".to_owned(),
            (errors, warnings) => {
                let s = |number| if number == 1 { "" } else { "s" };
                format!(
                    "{errors} error{}, {warnings} warning{}",
                    s(errors),
                    s(warnings)
                )
            }
        }
    }
}

fn to_json(finding: &Finding) -> Value {
    json!({
        "id": finding.id.as_str(),
        "level": finding.id.level().as_str(),
        "text": finding.text,
        "advice": finding.id.advice(),
        "see": finding.id.advice().map(|_| page(finding.id)),
        "values": finding.values,
    })
}

/// Where the manual explains a finding.
fn page(id: FindingId) -> String {
    let manual = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs");
    format!("{manual}/doctor.md#{}", id.as_str().replace('.', ""))
}

/// Without control characters, which a server may have put into a text.
fn one_line(text: &str) -> String {
    text.replace(|character: char| character.is_control(), " ")
}
