//! The keys under which stores know logins.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::framing::with_lengths;

/// The name of a pending login in a store: SHA-256 over the broker, the relying party and the
/// nonce. As text ([`Display`](fmt::Display)) it is 43 characters of URL-safe base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    pub(crate) fn new(issuer: &str, client_id: &str, nonce: &str) -> Self {
        Self::labelled("portier-client:1", issuer, client_id, nonce)
    }

    /// The name of a sealed login of the implicit flow. A client without a secret does not find it in a store, and
    /// cannot remove it.
    pub(crate) fn of_sealed(issuer: &str, client_id: &str, nonce: &str) -> Self {
        Self::labelled("portier-client:sealed:1", issuer, client_id, nonce)
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
