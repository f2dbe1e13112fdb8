//! What a server says it is when a connection is opened.

use redis::Value;

use super::errors::Failure;
use super::link::Link;
use crate::error::{Code, Error, Result};
use crate::events;

/// `GETDEL`, and `GET` as an option of `SET`, came with Redis 6.2.
const OLDEST: (u32, u32) = (6, 2);

/// How a server was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    Cluster,
    Sentinel,
    /// Alone or as one of replicas; also assumed of a server that would not say.
    #[default]
    Standalone,
}

/// What matters of the reply to `HELLO`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Greeting {
    pub(super) mode: Mode,
    pub(super) is_replica: bool,
}

impl Greeting {
    /// Asks the server, and refuses one that is too old. One whose rules forbid the question is
    /// taken as it is.
    pub(super) async fn ask(link: &Link) -> Result<Self> {
        match link.run(&redis::cmd("HELLO")).await {
            Ok(reply) => Self::read(&reply),
            Err(Failure::Refused(refusal)) if refusal.code() == "NOPERM" => Ok(Self::default()),
            // Redis knows the command since 6.0.
            Err(Failure::Refused(refusal)) if refusal.is_unknown_command() => {
                Err(too_old("before 6.0"))
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Warns of a server that drops pending logins when it needs room. One that does not tell
    /// is left alone.
    pub(super) async fn warn_of_eviction(self, link: &Link) {
        if self.mode == Mode::Sentinel {
            return;
        }
        let Ok(report) = link.run(redis::cmd("INFO").arg("memory")).await else {
            return;
        };
        if evicts(text(&report).unwrap_or_default()) {
            events::redis_evicts();
        }
    }

    fn read(reply: &Value) -> Result<Self> {
        let mut greeting = Self::default();
        let Value::Array(items) = reply else {
            return Ok(greeting);
        };
        for pair in items.chunks_exact(2) {
            let [name, value] = pair else { continue };
            let (Some(name), Some(value)) = (text(name), text(value)) else {
                continue;
            };
            match (name, value) {
                ("version", version) => check(version)?,
                ("mode", "cluster") => greeting.mode = Mode::Cluster,
                ("mode", "sentinel") => greeting.mode = Mode::Sentinel,
                ("role", "replica" | "slave") => greeting.is_replica = true,
                _ => {}
            }
        }
        Ok(greeting)
    }
}

fn evicts(report: &str) -> bool {
    let is = |name: &str, value: &str| {
        report
            .lines()
            .any(|line| line.split_once(':') == Some((name, value)))
    };
    !is("maxmemory", "0") && report.contains("maxmemory:") && !is("maxmemory_policy", "noeviction")
}

/// The text of a string reply.
pub(super) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(octets) => std::str::from_utf8(octets).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

fn check(version: &str) -> Result<()> {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().ok());
    let (Some(Some(major)), Some(Some(minor))) = (numbers.next(), numbers.next()) else {
        return Ok(());
    };
    if (major, minor) >= OLDEST {
        return Ok(());
    }
    Err(too_old(&format!("{major}.{minor}")))
}

fn too_old(version: &str) -> Error {
    Error::new(
        Code::StoreFailed,
        format_args!("redis is too old; it has to be 6.2 or newer version={version}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(pairs: &[&str]) -> Value {
        let items = pairs
            .iter()
            .map(|text| Value::BulkString(text.as_bytes().to_vec()));
        Value::Array(items.collect())
    }

    #[test]
    fn an_older_server_is_refused_in_so_many_words() {
        for version in ["6.0.16", "5.0.7", "2.8.24", "6.1.240"] {
            let error =
                Greeting::read(&reply(&["server", "redis", "version", version])).unwrap_err();
            assert_eq!(error.code(), Code::StoreFailed);
            assert!(error.to_string().contains("6.2 or newer"), "{error}");
        }
        for version in ["6.2.0", "7.0.15", "8.1", "10.0.0", "unstable", ""] {
            Greeting::read(&reply(&["version", version])).unwrap();
        }
    }

    #[test]
    fn nst_10_eviction_is_noticed() {
        for (report, expected) in [
            (
                "# Memory\r\nmaxmemory:1000\r\nmaxmemory_policy:allkeys-lru\r\n",
                true,
            ),
            ("maxmemory:1000\r\nmaxmemory_policy:volatile-ttl\r\n", true),
            ("maxmemory:1000\r\nmaxmemory_policy:noeviction\r\n", false),
            ("maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n", false),
            ("", false),
        ] {
            assert_eq!(evicts(report), expected, "{report}");
        }
    }

    #[test]
    fn mode_and_role_are_read() {
        let greeting = Greeting::read(&reply(&["role", "replica", "mode", "cluster"])).unwrap();
        assert!(greeting.is_replica);
        assert_eq!(greeting.mode, Mode::Cluster);
        let greeting = Greeting::read(&reply(&["role", "master", "mode", "sentinel"])).unwrap();
        assert!(!greeting.is_replica);
        assert_eq!(greeting.mode, Mode::Sentinel);
        let simple = ["role", "slave"].map(|text| Value::SimpleString(text.to_owned()));
        assert!(
            Greeting::read(&Value::Array(simple.into()))
                .unwrap()
                .is_replica
        );
        let modules = Value::Array(vec![
            Value::BulkString(b"modules".to_vec()),
            Value::Array(vec![]),
        ]);
        assert_eq!(Greeting::read(&modules).unwrap(), Greeting::default());
        assert_eq!(Greeting::read(&Value::Nil).unwrap(), Greeting::default());
    }
}
