//! What can go wrong with Redis, and whether a command may have been executed all the same.

use redis::{ErrorKind, RedisError, ServerError};

use crate::error::{Code, Error};

/// Why a command has no reply, or none that is of use.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was sent: the command was certainly not executed.
    NotSent(Error),
    /// The command was sent and may have been executed.
    Unknown(Error),
    /// The server refused the command and did not execute it.
    Refused(Refusal),
}

/// The server's refusal of a command.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The word an error reply begins with, `OOM` for example.
    code: String,
    /// The rest may quote the command, and with it a key: it is for redirections only.
    detail: Option<String>,
}

impl Refusal {
    pub(super) fn new(error: &ServerError) -> Self {
        let code = error.code();
        let is_code = !code.is_empty()
            && code.len() <= 32
            && code
                .bytes()
                .all(|octet| octet.is_ascii_uppercase() || octet.is_ascii_digit() || octet == b'_');
        Self {
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

    /// Whether another connection, perhaps to another server, may fare better.
    pub(super) fn speaks_against_the_connection(&self) -> bool {
        matches!(
            self.code(),
            "READONLY" | "MASTERDOWN" | "NOAUTH" | "UNBLOCKED"
        )
    }

    pub(super) fn is_unknown_command(&self) -> bool {
        self.has("unknown command")
    }

    fn has(&self, text: &str) -> bool {
        let detail = self.detail.as_deref().unwrap_or_default();
        self.code == "ERR" && detail.to_ascii_lowercase().starts_with(text)
    }

    pub(super) fn into_error(self) -> Error {
        let (code, fact) = match self.code() {
            "ERR" if self.has("max number of clients") => (
                Code::StoreUnavailable,
                "redis has as many connections as it may",
            ),
            "OOM" => (Code::StoreFull, "redis has no memory left"),
            "LOADING" | "READONLY" | "MASTERDOWN" | "CLUSTERDOWN" | "TRYAGAIN" | "MOVED"
            | "ASK" | "BUSY" | "NOREPLICAS" => (
                Code::StoreUnavailable,
                "redis cannot serve the command at present",
            ),
            _ => (Code::StoreFailed, "redis refused the command"),
        };
        Error::new(code, format_args!("{fact} error={}", self.code))
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotSent(error) | Failure::Unknown(error) => error,
            Failure::Refused(refusal) => refusal.into_error(),
        }
    }
}

/// No answer within the limit.
pub(super) fn timed_out() -> Error {
    Error::new(Code::StoreUnavailable, "redis did not answer in time")
}

/// The connection broke, or the other side does not speak the protocol.
pub(super) fn broken(cause: &RedisError) -> Error {
    match cause.kind() {
        // What does not parse may hold anything: it is not shown.
        ErrorKind::Parse => unexpected(),
        _ => Error::new(Code::StoreUnavailable, "the connection to redis broke"),
    }
}

pub(super) fn unreachable(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Code::StoreUnavailable, "no connection to redis").with_source(cause)
}

/// A reply that the command cannot have.
pub(super) fn unexpected() -> Error {
    Error::new(
        Code::StoreFailed,
        "redis answered with something it was never asked for",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]
mod tests {
    use redis::{Value, parse_redis_value};

    use super::*;

    fn refusal(line: &str) -> Refusal {
        match parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap() {
            Value::ServerError(error) => Refusal::new(&error),
            other => panic!("{other:?} is no error"),
        }
    }

    #[test]
    fn each_refusal_has_its_code_and_quotes_nothing() {
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
            ("NOPERM", Code::StoreFailed, "redis refused the command"),
            ("WRONGTYPE", Code::StoreFailed, "redis refused the command"),
        ];
        for (word, code, fact) in cases {
            let error = refusal(&format!("{word} of the key portier:0123")).into_error();
            assert_eq!(error.code(), code, "{word}");
            assert_eq!(error.to_string(), format!("{fact} error={word}"));
        }
    }

    #[test]
    fn too_many_clients_are_no_failure_of_the_store() {
        let error = refusal("ERR max number of clients reached").into_error();
        assert_eq!(error.code(), Code::StoreUnavailable);
        let other = refusal("OOM max number of clients reached").into_error();
        assert_eq!(other.code(), Code::StoreFull);
    }

    #[test]
    fn what_is_no_word_is_not_shown() {
        let long = "A".repeat(33);
        for word in ["portier:0123", "é", &long] {
            assert_eq!(refusal(&format!("{word} and more")).code(), "ERR", "{word}");
        }
        let longest = "A_9".repeat(10) + "BC";
        assert_eq!(refusal(&format!("{longest} and more")).code(), longest);
    }

    #[test]
    fn another_connection_is_tried_where_it_may_fare_better() {
        for word in ["READONLY", "MASTERDOWN", "NOAUTH", "UNBLOCKED"] {
            let refusal = refusal(&format!("{word} for a reason"));
            assert!(refusal.speaks_against_the_connection(), "{word}");
        }
        for word in ["OOM", "LOADING", "ERR", "MOVED"] {
            let refusal = refusal(&format!("{word} for a reason"));
            assert!(!refusal.speaks_against_the_connection(), "{word}");
        }
    }

    #[test]
    fn an_unknown_command_is_told_by_its_words() {
        assert!(refusal("ERR Unknown command 'GETDEL'").is_unknown_command());
        assert!(!refusal("ERR syntax error, unknown command").is_unknown_command());
        assert!(!refusal("NOPERM unknown command").is_unknown_command());
    }
}
