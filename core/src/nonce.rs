//! Nonces, and the keys under which stores know them.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::browser::Browser;
use crate::clock::Random;
use crate::error::{Code, Error, Result};

/// Random bytes in a nonce: 192 bits.
pub(crate) const RANDOM_BYTES: usize = 24;

/// The longest nonce that is looked up, in bytes. Ours are shorter.
pub(crate) const MAX_NONCE_BYTES: usize = 512;

/// The one-time value that ties a token to the login it answers (OpenID Connect Core, section
/// 3.2.2.11).
pub(crate) struct Nonce(String);

impl Nonce {
    /// Draws a new nonce, which also says to which browser its login is bound, if it is.
    pub(crate) fn generate(random: &dyn Random, browser: Option<&Browser<'_>>) -> Result<Self> {
        let mut bytes = [0; RANDOM_BYTES];
        random.fill(&mut bytes)?;
        let Some(browser) = browser else {
            return Ok(Self(URL_SAFE_NO_PAD.encode(bytes)));
        };
        Ok(Self(
            URL_SAFE_NO_PAD.encode([bytes.as_slice(), &browser.tag(&bytes)].concat()),
        ))
    }

    /// Takes a nonce that a store has made. Only the store knows how hard it is to guess.
    pub(crate) fn made_by_store(nonce: String) -> Result<Self> {
        if (1..=MAX_NONCE_BYTES).contains(&nonce.len()) {
            return Ok(Self(nonce));
        }
        Err(Error::new(
            Code::StoreFailed,
            format_args!("the store made no nonce of 1 to {MAX_NONCE_BYTES} bytes"),
        ))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The nonce of a login of the code flow, which follows from its `state`: the broker's token is for the
/// login whose `state` came back, or for none.
pub(crate) fn nonce_of_state(state: &str) -> String {
    let parts = ["portier-client:nonce:1", state].map(str::as_bytes);
    URL_SAFE_NO_PAD.encode(digest(&SHA256, &with_lengths(&parts)))
}

/// The name of a pending login in a store: SHA-256 over the broker, the relying party and the
/// nonce. As text ([`Display`](fmt::Display)) it is 43 characters of URL-safe base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    pub(crate) fn new(issuer: &str, client_id: &str, nonce: &str) -> Self {
        Self::labelled("portier-client:1", issuer, client_id, nonce)
    }

    /// The name of a login of the code flow. No token that comes through a browser completes it.
    pub(crate) fn of_code(issuer: &str, client_id: &str, nonce: &str) -> Self {
        Self::labelled("portier-client:code:1", issuer, client_id, nonce)
    }

    fn labelled(label: &str, issuer: &str, client_id: &str, nonce: &str) -> Self {
        let parts = [label, issuer, client_id, nonce].map(str::as_bytes);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, &with_lengths(&parts)).as_ref());
        Self(bytes)
    }

    /// The digest itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Joins texts so that no two lists of them come out the same: lengths in front keep ("a", "bc") and
/// ("ab", "c") apart.
pub(crate) fn with_lengths(parts: &[&[u8]]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(256);
    for part in parts {
        joined.extend_from_slice(&(part.len() as u64).to_be_bytes());
        joined.extend_from_slice(part);
    }
    joined
}

impl fmt::Display for SessionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SessionKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_key_is_the_digest_that_others_compute() {
        // By Python's hashlib module.
        let text = "2Cqs-gVSVwsmqldg6HDodxm89uHRByIPqprjyxk7zlg";
        let key = SessionKey::new("https://broker.example", "https://example.com", "nonce");
        assert_eq!(key.to_string(), text);
        assert_eq!(URL_SAFE_NO_PAD.encode(key.as_bytes()), text);
        assert_eq!(format!("{key:?}"), "SessionKey(…)");
    }
}
