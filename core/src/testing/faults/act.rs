//! The actions of a fault server.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::error::{Code, Error, Result};

/// One action of a [`FaultServer`](super::FaultServer) on a connection. After the last one, the connection is closed
/// properly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Reads one request.
    Read,
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes one at a time.
    Drip {
        /// The bytes.
        bytes: Vec<u8>,
        /// The pause after each byte.
        every: Duration,
    },
    /// Does nothing for this time.
    Pause(Duration),
    /// Sends these bytes repeatedly, without end.
    Repeat(Vec<u8>),
    /// Sends nothing until the client closes the connection.
    Wait,
    /// Closes the connection at once, without `close_notify` in TLS.
    Cut,
    /// Resets the connection.
    Reset,
}

impl Act {
    /// Sends a text unchanged.
    pub fn send(text: impl AsRef<[u8]>) -> Self {
        Self::Send(text.as_ref().to_vec())
    }

    /// Sends a complete HTTP/1.1 answer, with its length and the given headers, which are not checked.
    pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let length = body.len();
        let mut text = format!("HTTP/1.1 {status} Status\r\ncontent-length: {length}\r\n");
        for (name, value) in headers {
            text.push_str(name);
            text.push_str(": ");
            text.push_str(value);
            text.push_str("\r\n");
        }
        Self::Send(format!("{text}\r\n{body}").into_bytes())
    }

    /// Reads from JSON: `"read"`, `"wait"`, `"cut"`, `"reset"`, or an object with one of the members
    /// of [`Told`].
    pub(super) fn from_told(told: Told) -> Result<Self> {
        Ok(match told {
            Told::Read => Self::Read,
            Told::Wait => Self::Wait,
            Told::Cut => Self::Cut,
            Told::Reset => Self::Reset,
            Told::Send(text) => Self::Send(text.into_bytes()),
            Told::SendBase64(text) => Self::Send(STANDARD.decode(text).map_err(|cause| {
                Error::new(Code::InvalidOption, "send_base64 is not base64").with_source(cause)
            })?),
            Told::Answer {
                status,
                headers,
                body,
            } => {
                let headers: Vec<_> = headers
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect();
                Self::answer(status, &headers, &body)
            }
            Told::Drip { text, every_ms } => Self::Drip {
                bytes: text.into_bytes(),
                every: Duration::from_millis(every_ms),
            },
            Told::PauseMs(time) => Self::Pause(Duration::from_millis(time)),
            Told::Repeat(text) => Self::Repeat(text.into_bytes()),
        })
    }
}

/// An [`Act`] in JSON.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Told {
    Read,
    Wait,
    Cut,
    Reset,
    Send(String),
    SendBase64(String),
    Answer {
        #[serde(default = "ok")]
        status: u16,
        #[serde(default)]
        headers: Vec<(String, String)>,
        #[serde(default)]
        body: String,
    },
    Drip {
        text: String,
        every_ms: u64,
    },
    PauseMs(u64),
    Repeat(String),
}

fn ok() -> u16 {
    200
}
