//! The nonce, which ties a token to the login it answers.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::browser::{Browser, RANDOM_BYTES};
use crate::clock::Random;
use crate::error::{Code, Error, Result};
use crate::framing::with_lengths;

/// The longest accepted nonce, in bytes. Those of this library are shorter.
pub(crate) const MAX_NONCE_BYTES: usize = 512;

/// The one-time value that ties a token to the login it answers (OpenID Connect Core, section
/// 3.2.2.11).
pub(crate) struct Nonce(String);

impl Nonce {
    /// Makes a new nonce. It contains the binding to the browser, if there is one.
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

    /// Accepts a nonce that a store has made. The store is responsible for its randomness.
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

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

/// The nonce of a login of the code flow. It is derived from `state`, so a token can only belong to
/// the login whose `state` came back.
pub(crate) fn nonce_of_state(state: &str) -> String {
    let parts = ["portier-client:nonce:1", state].map(str::as_bytes);
    URL_SAFE_NO_PAD.encode(digest(&SHA256, &with_lengths(&parts)))
}
