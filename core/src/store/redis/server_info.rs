//! What a server says it is when a connection is opened.

use redis::{Cmd, Value};

use super::connection::Connection;
use super::errors::CommandError;
use crate::error::{Code, Error, Result};
use crate::events;

/// `GETDEL`, and `GET` as an option of `SET`, came with Redis 6.2.
const OLDEST: (u32, u32) = (6, 2);

/// What takes the place of a record that was taken. A record is never empty.
const USED: &str = "";

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
pub(super) struct ServerInfo {
    pub(super) mode: Mode,
    pub(super) is_replica: bool,
}

/// What a server told of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HelloReply {
    /// It need not be tried out.
    Enough(ServerInfo),
    /// It says that it is older than what is needed. Other makes of servers count otherwise.
    Old(ServerInfo, String),
    /// It does not know the question: a proxy, another make, or Redis before 6.0.
    Nothing,
    /// It has ended the connection.
    Ended,
}

impl ServerInfo {
    /// Asks the server. One whose rules forbid the question is taken as it is.
    pub(super) async fn ask(connection: &Connection) -> Result<HelloReply> {
        match connection.run(&redis::cmd("HELLO")).await {
            Ok(reply) => Ok(Self::read(&reply)),
            Err(CommandError::Refused(error)) if error.code() == "NOPERM" => {
                Ok(HelloReply::Enough(Self::default()))
            }
            Err(CommandError::Refused(error)) if error.is_unknown_command() => {
                Ok(HelloReply::Nothing)
            }
            Err(CommandError::Ended(_)) => Ok(HelloReply::Ended),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Warns of a server that drops pending logins when it needs room. One that does not tell
    /// is left alone.
    pub(super) async fn warn_of_eviction(self, connection: &Connection) {
        if self.mode == Mode::Sentinel {
            return;
        }
        let Ok(report) = connection.run(redis::cmd("INFO").arg("memory")).await else {
            return;
        };
        if evicts(text(&report).unwrap_or_default()) {
            events::redis_evicts();
        }
    }

    fn read(reply: &Value) -> HelloReply {
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
            None => HelloReply::Enough(info),
        }
    }
}

/// Sends the command that completes logins, for a key that is not there, which does nothing. What
/// has no room for it or may not write now says so later, when it matters.
///
/// # Errors
/// [`Code::StoreFailed`] from a server that does not know it in this form.
pub(super) async fn try_out(connection: &Connection, key: &str, version: &str) -> Result<()> {
    match connection.run(&exchange(key, 1)).await {
        Err(CommandError::Refused(error)) if error.is_unknown_command() => Err(Error::new(
            Code::StoreFailed,
            format_args!(
                "redis is too old, or a proxy does not pass its commands on; it has to know \
                 SET with XX, GET and PX, as 6.2 does version={version}"
            ),
        )),
        Ok(_) | Err(CommandError::Refused(_)) => Ok(()),
        Err(failure) => Err(failure.into()),
    }
}

/// Takes what is under a key and leaves the mark of a used login in its place, if there is anything.
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
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

/// The version, if it is a number below the oldest of Redis that will do.
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
            HelloReply::Enough(info) => info,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_server_that_says_it_is_older_has_to_be_tried_out() {
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
