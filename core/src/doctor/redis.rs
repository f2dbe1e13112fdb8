//! What a Redis server says about itself: its version, memory and files, and the processes that use it.

use super::finding::{Finding, FindingId};
use crate::store::RedisStore;

/// The share of its memory, in percent, from which a server is nearly full.
const NEARLY_FULL: u64 = 90;

/// Adds what the server says to the finding about the store, and returns more findings. It says nothing about a
/// store that is not Redis.
pub(super) async fn examine(url: &str, mut finding: Finding) -> Vec<Finding> {
    let Ok(store) = RedisStore::new(url) else {
        return vec![finding];
    };
    if let Some(processes) = store.processes().await {
        let s = if processes == 1 { "" } else { "es" };
        finding.text = format!(
            "{} {processes} other process{s} with portier-client use this database now.",
            finding.text
        );
        finding = finding.with("processes", processes);
    }
    let Some(report) = store.server_report().await else {
        let text = "The Redis server does not tell this user what it does when its memory is full.";
        return vec![finding, Finding::new(FindingId::StoreNotExamined, text)];
    };
    let report = Report(&report);
    if let Some((software, version)) = report.version() {
        finding = finding.with("software", software).with("version", version);
    }
    if let Some(clients) = report.number("connected_clients") {
        finding = finding.with("connected_clients", clients);
    }
    let mut findings = vec![finding];
    findings.extend(memory(&report));
    findings.extend(files(&report));
    findings
}

fn memory(report: &Report<'_>) -> Option<Finding> {
    let limit = report.number("maxmemory").filter(|limit| *limit > 0)?;
    let policy = report.value("maxmemory_policy").unwrap_or("noeviction");
    if policy != "noeviction" {
        let text = format!("The Redis server evicts keys when its memory is full ({policy}).");
        return Some(Finding::new(FindingId::StoreEvicts, text).with("policy", policy));
    }
    let used = report.number("used_memory")?.saturating_mul(100) / limit;
    (used >= NEARLY_FULL).then(|| {
        let text = format!("The Redis server uses {used} % of its memory.");
        Finding::new(FindingId::StoreNearlyFull, text).with("percent", used)
    })
}

fn files(report: &Report<'_>) -> Option<Finding> {
    (report.value("aof_enabled")? != "1").then(|| {
        let text = "The Redis server keeps no append-only file.";
        Finding::new(FindingId::StoreNotPersistent, text)
    })
}

/// The reply to `INFO`.
struct Report<'a>(&'a str);

impl<'a> Report<'a> {
    fn value(&self, name: &str) -> Option<&'a str> {
        let mut lines = self.0.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = lines.find(|(found, _)| *found == name)?;
        Some(value.trim())
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.value(name)?.parse().ok()
    }

    /// Valkey also tells a version of Redis, with which it is compatible.
    fn version(&self) -> Option<(&'static str, &'a str)> {
        let known = [("Valkey", "valkey_version"), ("Redis", "redis_version")];
        let mut known = known.into_iter();
        known.find_map(|(software, name)| Some((software, self.value(name)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_is_nearly_full_is_found() {
        for (report, expected) in [
            ("used_memory:89\r\nmaxmemory:100\r\n", None),
            (
                "used_memory:90\r\nmaxmemory:100\r\n",
                Some(FindingId::StoreNearlyFull),
            ),
            ("used_memory:90\r\nmaxmemory:0\r\n", None),
            (
                "used_memory:1\r\nmaxmemory:100\r\nmaxmemory_policy:volatile-lru\r\n",
                Some(FindingId::StoreEvicts),
            ),
            ("", None),
        ] {
            let found = memory(&Report(report)).map(|finding| finding.id);
            assert_eq!(found, expected, "{report}");
        }
    }

    #[test]
    fn a_valkey_is_not_called_redis() {
        let valkey = "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.0\r\n";
        assert_eq!(Report(valkey).version(), Some(("Valkey", "8.1.0")));
        assert_eq!(
            Report("redis_version:7.0.15\r\n").version(),
            Some(("Redis", "7.0.15"))
        );
        assert_eq!(Report("").version(), None);
    }
}
