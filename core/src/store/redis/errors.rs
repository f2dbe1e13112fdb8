//! The errors of Redis, and whether a command may have been executed.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

use redis::{ErrorKind, RedisError};
use rustls::{AlertDescription, Error as TlsError};

use crate::error::{Code, Error};

/// Why a command failed.
#[derive(Debug)]
pub(super) enum CommandError {
    /// The command was not sent, so it was not executed.
    NotSent(Error),
    /// The command was sent and may have been executed.
    Unknown(Error),
    /// The same, because the connection ended before the reply.
    Ended(Error),
    /// The server refused the command and did not execute it.
    Refused(ServerError),
}

/// The server's refusal of a command.
#[derive(Debug)]
pub(super) struct ServerError {
    /// The name of the command, `SET` for example.
    command: String,
    /// The code of the error reply, `OOM` for example.
    code: String,
    /// The rest of the reply, for redirections only: it may quote the command and its key.
    detail: Option<String>,
}

impl ServerError {
    pub(super) fn new(error: &redis::ServerError, command: &str) -> Self {
        let code = error.code();
        let is_code = !code.is_empty()
            && code.len() <= 32
            && code
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        Self {
            command: command.to_owned(),
            code: if is_code { code } else { "ERR" }.to_owned(),
            detail: error.details().map(str::to_owned),
        }
    }

    pub(super) fn code(&self) -> &str {
        &self.code
    }

    pub(super) fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// Whether the command may succeed on another connection, perhaps to another server.
    pub(super) fn speaks_against_the_connection(&self) -> bool {
        matches!(
            self.code(),
            "READONLY" | "MASTERDOWN" | "NOAUTH" | "UNBLOCKED"
        )
    }

    /// Whether the server does not know the command, or not in this form. Proxies and other servers report
    /// this with different texts.
    pub(super) fn is_unknown_command(&self) -> bool {
        self.code == "ERR" && !self.is_too_many_clients()
    }

    /// Whether the server has reached its limit of connections.
    fn is_too_many_clients(&self) -> bool {
        self.code == "ERR" && self.says("max number of clients")
    }

    fn says(&self, text: &str) -> bool {
        let detail = self.detail.as_deref().unwrap_or_default();
        detail.to_ascii_lowercase().contains(text)
    }

    pub(super) fn into_error(self) -> Error {
        let (code, fact) = match self.code() {
            _ if self.is_too_many_clients() => (
                Code::StoreUnavailable,
                "redis has reached its maxclients limit",
            ),
            "OOM" => (Code::StoreFull, "redis has no memory left"),
            "LOADING" | "READONLY" | "MASTERDOWN" | "CLUSTERDOWN" | "TRYAGAIN" | "MOVED"
            | "ASK" | "BUSY" | "NOREPLICAS" => (
                Code::StoreUnavailable,
                "redis cannot serve the command at present",
            ),
            "NOAUTH" => (
                Code::StoreFailed,
                "redis requires a password; add it to the URL, as in redis://:password@host",
            ),
            "WRONGPASS" => (
                Code::StoreFailed,
                "redis refuses the user name or the password in the URL",
            ),
            "NOPERM" if self.says("key") => (
                Code::StoreFailed,
                "the redis user has no permission for the keys of the store; allow its prefix",
            ),
            "NOPERM" => (
                Code::StoreFailed,
                "the redis user has no permission for the command; allow it",
            ),
            _ => (Code::StoreFailed, "redis refused the command"),
        };
        let Self {
            command,
            code: word,
            ..
        } = &self;
        Error::new(code, format_args!("{fact} command={command} error={word}"))
    }
}

impl From<CommandError> for Error {
    fn from(failure: CommandError) -> Self {
        match failure {
            CommandError::NotSent(error)
            | CommandError::Unknown(error)
            | CommandError::Ended(error) => error,
            CommandError::Refused(error) => error.into_error(),
        }
    }
}

/// The server did not answer within the time limit.
pub(super) fn timed_out() -> Error {
    Error::new(Code::StoreUnavailable, "redis did not answer in time")
}

/// The connection broke, or the reply is not valid.
pub(super) fn broken(cause: &RedisError) -> CommandError {
    // An invalid reply may contain anything, so it is not shown.
    if cause.kind() == ErrorKind::Parse {
        return CommandError::Unknown(unexpected());
    }
    let Some(cause) = tls_error(cause) else {
        let fact = "the connection to redis broke";
        return CommandError::Ended(Error::new(Code::StoreUnavailable, fact));
    };
    let fact = match cause {
        TlsError::AlertReceived(AlertDescription::CertificateRequired) => {
            "redis requires a client certificate; set cert_file and key_file"
        }
        _ => "redis and the client do not agree about TLS",
    };
    CommandError::Ended(Error::new(Code::StoreUnavailable, fact).with_source(cause.clone()))
}

/// With TLS 1.3, a server checks the client's certificate only after the handshake.
fn tls_error(cause: &RedisError) -> Option<&TlsError> {
    let cause = cause
        .source()?
        .downcast_ref::<Arc<dyn StdError + Send + Sync>>()?;
    let cause = cause.downcast_ref::<io::Error>()?;
    cause.get_ref()?.downcast_ref()
}

pub(super) fn unreachable(cause: impl StdError + Send + Sync + 'static) -> Error {
    Error::new(Code::StoreUnavailable, "no connection to redis").with_source(cause)
}

/// A value that is longer than the store's own values.
pub(super) fn too_long() -> Error {
    Error::new(
        Code::StoreFailed,
        "redis holds a value that is too long to be the store's own",
    )
}

/// A reply that the command cannot produce.
pub(super) fn unexpected() -> Error {
    Error::new(Code::StoreFailed, "unexpected reply of redis")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]
mod tests {
    use redis::{Value, parse_redis_value};

    use super::*;

    fn server_error(line: &str) -> ServerError {
        match parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap() {
            Value::ServerError(error) => ServerError::new(&error, "SET"),
            other => panic!("{other:?} is not an error"),
        }
    }

    #[test]
    fn each_error_has_its_code_and_quotes_nothing() {
        let unavailable = "redis cannot serve the command at present";
        let cases = [
            ("OOM", Code::StoreFull, "redis has no memory left"),
            ("LOADING", Code::StoreUnavailable, unavailable),
            ("READONLY", Code::StoreUnavailable, unavailable),
            ("MASTERDOWN", Code::StoreUnavailable, unavailable),
            ("CLUSTERDOWN", Code::StoreUnavailable, unavailable),
            ("TRYAGAIN", Code::StoreUnavailable, unavailable),
            ("MOVED", Code::StoreUnavailable, unavailable),
            ("ASK", Code::StoreUnavailable, unavailable),
            ("BUSY", Code::StoreUnavailable, unavailable),
            ("NOREPLICAS", Code::StoreUnavailable, unavailable),
            ("WRONGTYPE", Code::StoreFailed, "redis refused the command"),
            (
                "NOAUTH",
                Code::StoreFailed,
                "redis requires a password; add it to the URL, as in redis://:password@host",
            ),
            (
                "WRONGPASS",
                Code::StoreFailed,
                "redis refuses the user name or the password in the URL",
            ),
        ];
        for (word, code, fact) in cases {
            let error = server_error(&format!("{word} of the key portier:0123")).into_error();
            assert_eq!(error.code(), code, "{word}");
            assert_eq!(
                error.to_string(),
                format!("{fact} command=SET error={word}")
            );
        }
    }

    #[test]
    fn too_many_clients_means_unavailable() {
        let error = server_error("ERR max number of clients reached").into_error();
        assert_eq!(error.code(), Code::StoreUnavailable);
        let other = server_error("OOM max number of clients reached").into_error();
        assert_eq!(other.code(), Code::StoreFull);
    }

    #[test]
    fn an_invalid_error_code_is_not_shown() {
        let long = "A".repeat(33);
        for word in ["portier:0123", "é", &long] {
            assert_eq!(
                server_error(&format!("{word} and more")).code(),
                "ERR",
                "{word}"
            );
        }
        let longest = "A_9".repeat(10) + "BC";
        assert_eq!(server_error(&format!("{longest} and more")).code(), longest);
    }

    #[test]
    fn errors_of_the_connection_are_recognized() {
        for word in ["READONLY", "MASTERDOWN", "NOAUTH", "UNBLOCKED"] {
            let error = server_error(&format!("{word} for a reason"));
            assert!(error.speaks_against_the_connection(), "{word}");
        }
        for word in ["OOM", "LOADING", "ERR", "MOVED"] {
            let error = server_error(&format!("{word} for a reason"));
            assert!(!error.speaks_against_the_connection(), "{word}");
        }
    }

    #[test]
    fn a_missing_permission_is_named() {
        for line in [
            "NOPERM this user has no permissions to run the 'set' command or its subcommand",
            "NOPERM User app has no permissions to run the 'set' command",
            "NOPERM not for you",
        ] {
            assert_eq!(
                server_error(line).into_error().to_string(),
                "the redis user has no permission for the command; allow it command=SET error=NOPERM"
            );
        }
        for line in [
            "NOPERM this user has no permissions to access one of the keys used as arguments",
            "NOPERM No permissions to access a key",
        ] {
            let text = server_error(line).into_error().to_string();
            assert!(text.contains("keys of the store"), "{text}");
        }
    }

    #[test]
    fn an_unknown_command_is_recognized() {
        for line in [
            "ERR Unknown command 'HELLO'",
            "ERR syntax error",
            "unsupported command 'hello'",
        ] {
            assert!(server_error(line).is_unknown_command(), "{line}");
        }
        for line in [
            "NOPERM unknown command",
            "ERR max number of clients reached",
        ] {
            assert!(!server_error(line).is_unknown_command(), "{line}");
        }
    }
}
