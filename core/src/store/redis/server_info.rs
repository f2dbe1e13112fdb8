//! What a server says about itself when a connection is opened.

use redis::{Cmd, Value};

/// `GETDEL`, and `GET` as an option of `SET`, came with Redis 6.2.
const OLDEST: (u32, u32) = (6, 2);

/// The value that replaces a record that was taken. A record is never empty.
const USED: &str = "";

/// How a server was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    Cluster,
    Sentinel,
    /// Standalone or replicated; also assumed if the server does not say.
    #[default]
    Standalone,
}

/// The relevant part of the reply to `HELLO`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ServerInfo {
    pub(super) mode: Mode,
    pub(super) is_replica: bool,
}

/// The reply to `HELLO`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HelloReply {
    /// The server has all that is needed.
    Suitable(ServerInfo),
    /// The server says that it is older than needed. Other servers than Redis have versions of their own.
    Old(ServerInfo, String),
    /// The server does not know the command: a proxy, another server, or Redis before 6.0.
    Unsupported,
    /// The server has ended the connection.
    Ended,
}

impl ServerInfo {
    /// Reads the reply to `HELLO`.
    pub(super) fn read(reply: &Value) -> HelloReply {
        let mut info = Self::default();
        let mut old = None;
        let mut note = |name: &Value, value: &Value| {
            let (Some(name), Some(value)) = (text(name), text(value)) else {
                return;
            };
            match (name, value) {
                ("version", version) => old = old_version(version),
                ("mode", "cluster") => info.mode = Mode::Cluster,
                ("mode", "sentinel") => info.mode = Mode::Sentinel,
                ("role", "replica" | "slave") => info.is_replica = true,
                _ => {}
            }
        };
        match reply {
            Value::Array(items) => {
                for pair in items.chunks_exact(2) {
                    if let [name, value] = pair {
                        note(name, value);
                    }
                }
            }
            Value::Map(pairs) => pairs.iter().for_each(|(name, value)| note(name, value)),
            _ => {}
        }
        match old {
            Some(version) => HelloReply::Old(info, version),
            None => HelloReply::Suitable(info),
        }
    }
}

/// Takes the value of a key, if it has one, and replaces it by the mark of a used login.
pub(super) fn exchange(key: &str, millis: u64) -> Cmd {
    let mut command = redis::cmd("SET");
    command
        .arg(key)
        .arg(USED)
        .arg("XX")
        .arg("GET")
        .arg("PX")
        .arg(millis);
    command
}

pub(super) fn evicts(report: &str) -> bool {
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
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

/// The version, if it is lower than the oldest supported version of Redis.
fn old_version(version: &str) -> Option<String> {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().ok());
    let (major, minor) = (numbers.next()??, numbers.next()??);
    ((major, minor) < OLDEST).then(|| format!("{major}.{minor}"))
}

#[cfg(test)]
#[allow(clippy::panic, reason = "a test may fail")]
mod tests {
    use super::*;

    fn reply(pairs: &[&str]) -> Value {
        let items = pairs
            .iter()
            .map(|text| Value::BulkString(text.as_bytes().to_vec()));
        Value::Array(items.collect())
    }

    fn info(reply: &Value) -> ServerInfo {
        match ServerInfo::read(reply) {
            HelloReply::Suitable(info) => info,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_older_server_has_to_be_tested() {
        for version in ["6.0.16", "5.0.7", "2.8.24", "6.1.240", "1.0.62"] {
            let told = ServerInfo::read(&reply(&["server", "redis", "version", version]));
            let HelloReply::Old(_, said) = told else {
                panic!("{version}: {told:?}");
            };
            assert!(version.starts_with(&said), "{said}");
        }
        for version in [
            "6.2.0", "7.0.15", "8.1", "10.0.0", "unstable", "df-v1.2", "",
        ] {
            info(&reply(&["version", version]));
        }
    }

    #[test]
    fn eviction_is_noticed() {
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
        let told = info(&reply(&["role", "replica", "mode", "cluster"]));
        assert!(told.is_replica);
        assert_eq!(told.mode, Mode::Cluster);
        let told = info(&reply(&["role", "master", "mode", "sentinel"]));
        assert!(!told.is_replica);
        assert_eq!(told.mode, Mode::Sentinel);
        let simple = ["role", "slave"].map(|text| Value::SimpleString(text.to_owned()));
        assert!(info(&Value::Array(simple.to_vec())).is_replica);
        assert!(info(&Value::Map(vec![simple.into()])).is_replica);
        let modules = Value::Array(vec![
            Value::BulkString(b"modules".to_vec()),
            Value::Array(vec![]),
        ]);
        assert_eq!(info(&modules), ServerInfo::default());
        assert_eq!(info(&Value::Nil), ServerInfo::default());
    }
}
