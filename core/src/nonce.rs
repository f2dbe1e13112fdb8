//! Nonces, and the keys under which stores know them.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Random;
use crate::error::{Code, Error, Result};

/// Random octets in a nonce: 192 bits.
const NONCE_OCTETS: usize = 24;

/// The longest nonce that is looked up, in octets. Ours are shorter.
pub(crate) const MAX_NONCE_OCTETS: usize = 512;

/// The one-time value that ties a token to the login it answers (OpenID Connect Core, section
/// 3.2.2.11).
pub(crate) struct Nonce(String);

impl Nonce {
    /// Draws a new nonce.
    pub(crate) fn generate(random: &dyn Random) -> Result<Self> {
        let mut octets = [0; NONCE_OCTETS];
        random.fill(&mut octets)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(octets)))
    }

    /// Takes a nonce that a store has made. Only the store knows how hard it is to guess.
    pub(crate) fn made_by_store(nonce: String) -> Result<Self> {
        if (1..=MAX_NONCE_OCTETS).contains(&nonce.len()) {
            return Ok(Self(nonce));
        }
        Err(Error::new(
            Code::StoreFailed,
            format_args!("the store made no nonce of 1 to {MAX_NONCE_OCTETS} octets"),
        ))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a pending login in a store: SHA-256 over the broker, the relying party and the
/// nonce. As text ([`Display`](fmt::Display)) it is 43 characters of URL-safe base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    pub(crate) fn new(issuer: &str, client_id: &str, nonce: &str) -> Self {
        let parts = ["portier-client:1", issuer, client_id, nonce];
        let mut text = Vec::with_capacity(256);
        for part in parts {
            // Lengths in front keep ("a", "bc") and ("ab", "c") apart.
            text.extend_from_slice(&(part.len() as u64).to_be_bytes());
            text.extend_from_slice(part.as_bytes());
        }
        let mut octets = [0; 32];
        octets.copy_from_slice(digest(&SHA256, &text).as_ref());
        Self(octets)
    }

    /// The digest itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
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
