//! Binds a login to the browser in which it was started.
//!
//! The nonce contains the binding, and the token contains the nonce. So the token and the browser's secret
//! are enough to check the binding, before and after the login is used up.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{HMAC_SHA256, Key, Tag, sign, verify};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::framing::with_lengths;
use crate::session_key::SessionKey;

/// Random bytes in a nonce: 192 bits.
pub(crate) const RANDOM_BYTES: usize = 24;

/// Bytes of a nonce that bind it to a browser: 128 bits of a code of 256.
pub(crate) const TAG_BYTES: usize = 16;

/// Characters of a nonce that is bound to a browser.
const BOUND_NONCE_BYTES: usize = ((RANDOM_BYTES + TAG_BYTES) * 4).div_ceil(3);

/// A browser, identified by its secret, for the logins of one site at one broker.
///
/// It keeps the secret, not the key: a key has more than a thousand bytes, which every completion would move.
#[derive(Clone, Copy)]
pub(crate) struct Browser<'a> {
    secret: &'a str,
    issuer: &'a str,
    client_id: &'a str,
}

impl<'a> Browser<'a> {
    /// `None` for an empty secret: all browsers without a cookie would share it.
    pub(crate) fn new(secret: &'a str, issuer: &'a str, client_id: &'a str) -> Option<Self> {
        (!secret.is_empty()).then_some(Self {
            secret,
            issuer,
            client_id,
        })
    }

    /// The bytes that bind a login to this browser. They follow the random bytes of a nonce, or are sealed with
    /// the login.
    pub(crate) fn tag(&self, login: &[u8]) -> [u8; TAG_BYTES] {
        let code = self.sign("portier-client:browser:1", login);
        let mut tag = [0; TAG_BYTES];
        for (byte, signed) in tag.iter_mut().zip(code.as_ref()) {
            *byte = *signed;
        }
        tag
    }

    /// Whether the bytes bind a login to this browser.
    pub(crate) fn has_tagged(&self, login: &[u8], tag: &[u8]) -> bool {
        verify_slices_are_equal(&self.tag(login), tag).is_ok()
    }

    /// The code by which a person confirms to continue in this browser. It is valid for one token, and
    /// cannot be made without the secret.
    pub(crate) fn confirmation(&self, id_token: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.sign(CONFIRM, id_token.as_bytes()))
    }

    /// Whether a confirmation is valid for this browser and token.
    pub(crate) fn confirms(&self, confirmation: &str, id_token: &str) -> bool {
        self.has_signed(CONFIRM, id_token.as_bytes(), confirmation)
    }

    /// A code that proves that the person of a login was signed in in this browser, and which page the
    /// login led to.
    pub(crate) fn signed_in(&self, session: &SessionKey, next: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.sign(SIGNED_IN, &login_and_page(session, next)))
    }

    /// Whether a code is valid for this browser, login and page.
    pub(crate) fn was_signed_in(&self, session: &SessionKey, next: &str, code: &str) -> bool {
        self.has_signed(SIGNED_IN, &login_and_page(session, next), code)
    }

    fn has_signed(&self, label: &str, about: &[u8], code: &str) -> bool {
        let Ok(tag) = URL_SAFE_NO_PAD.decode(code) else {
            return false;
        };
        verify(&self.key(), &self.message(label, about), &tag).is_ok()
    }

    fn sign(&self, label: &str, about: &[u8]) -> Tag {
        sign(&self.key(), &self.message(label, about))
    }

    fn key(&self) -> Key {
        Key::new(HMAC_SHA256, self.secret.as_bytes())
    }

    fn message(&self, label: &str, about: &[u8]) -> Vec<u8> {
        let parts = [label, self.issuer, self.client_id].map(str::as_bytes);
        let [label, issuer, client_id] = parts;
        with_lengths(&[label, issuer, client_id, about])
    }
}

const CONFIRM: &str = "portier-client:confirm:1";
const SIGNED_IN: &str = "portier-client:signed-in:1";

fn login_and_page(session: &SessionKey, next: &str) -> Vec<u8> {
    with_lengths(&[session.as_bytes(), next.as_bytes()])
}

/// The relation of a login to the browser that completes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binding {
    /// The login is not bound to a browser.
    None,
    /// The login was started in this browser.
    SameBrowser,
    /// The login was started in another browser.
    OtherBrowser,
}

impl Binding {
    /// Reads the binding from a nonce that this library made.
    pub(crate) fn of(nonce: &str, browser: Option<&Browser<'_>>) -> Self {
        let mut bytes = [0; RANDOM_BYTES + TAG_BYTES];
        // An unbound nonce is shorter, so nearly all of them are told apart by their length.
        let is_bound = nonce.len() == BOUND_NONCE_BYTES
            && URL_SAFE_NO_PAD.decode_slice(nonce, &mut bytes) == Ok(bytes.len());
        let (random, tag) = bytes.split_at(RANDOM_BYTES);
        match browser {
            _ if !is_bound => Self::None,
            Some(browser) if browser.has_tagged(random, tag) => Self::SameBrowser,
            _ => Self::OtherBrowser,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://broker.example";
    const CLIENT_ID: &str = "https://example.com";
    const RANDOM: &[u8; RANDOM_BYTES] = b"twenty-four octets of it";

    fn browser(secret: &'static str) -> Browser<'static> {
        Browser::new(secret, ISSUER, CLIENT_ID).unwrap()
    }

    fn nonce(browser: &Browser<'_>) -> String {
        URL_SAFE_NO_PAD.encode([RANDOM.as_slice(), &browser.tag(RANDOM)].concat())
    }

    #[test]
    fn codes_equal_those_of_another_implementation() {
        // By Python's hmac module.
        let browser = browser("a secret");
        assert_eq!(
            nonce(&browser),
            "dHdlbnR5LWZvdXIgb2N0ZXRzIG9mIGl0-8w-MRf1CPtV37PcYNfFcw"
        );
        assert_eq!(
            browser.confirmation("a.b.c"),
            "YaJ9um5xz9Ztx3NPs19uYWrTLJASNAiTBDs-dqJL7Og"
        );
    }

    #[test]
    fn a_nonce_belongs_to_the_browser_it_was_made_for() {
        let here = browser("a secret");
        let nonce = nonce(&here);
        assert_eq!(Binding::of(&nonce, Some(&here)), Binding::SameBrowser);
        let others = [
            Some(browser("another secret")),
            Browser::new("a secret", "https://other.example", CLIENT_ID),
            Browser::new("a secret", ISSUER, "https://other.example"),
            None,
        ];
        for other in others {
            assert_eq!(Binding::of(&nonce, other.as_ref()), Binding::OtherBrowser);
        }
    }

    #[test]
    fn every_bit_of_a_tag_counts() {
        let here = browser("a secret");
        let tag = here.tag(RANDOM);
        for bit in 0..8 * TAG_BYTES {
            let mut forged = tag;
            forged[bit / 8] ^= 1 << (bit % 8);
            let nonce = URL_SAFE_NO_PAD.encode([RANDOM.as_slice(), &forged].concat());
            assert_eq!(
                Binding::of(&nonce, Some(&here)),
                Binding::OtherBrowser,
                "{bit}"
            );
        }
    }

    #[test]
    fn other_nonces_are_bound_to_no_browser() {
        let here = browser("a secret");
        let plain = URL_SAFE_NO_PAD.encode(RANDOM);
        let long = URL_SAFE_NO_PAD.encode([0; RANDOM_BYTES + TAG_BYTES + 1]);
        for nonce in [&plain, &long, "", "not base64url!"] {
            assert_eq!(Binding::of(nonce, Some(&here)), Binding::None, "{nonce}");
        }
    }

    #[test]
    fn a_confirmation_is_valid_for_one_browser_and_one_token() {
        let here = browser("a secret");
        let confirmation = here.confirmation("a.b.c");
        assert!(here.confirms(&confirmation, "a.b.c"));
        assert!(!here.confirms(&confirmation, "a.b.d"));
        assert!(!browser("another secret").confirms(&confirmation, "a.b.c"));
        for forged in ["", &confirmation[..42], &format!("{confirmation}="), "é"] {
            assert!(!here.confirms(forged, "a.b.c"), "{forged}");
        }
        // The tag in a nonce is not a confirmation, and a confirmation does not begin with the tag.
        let tag = URL_SAFE_NO_PAD.encode(here.tag(b"a.b.c"));
        assert!(!here.confirms(&tag, "a.b.c"));
        assert!(!confirmation.starts_with(&tag[..21]));
    }

    #[test]
    fn a_proof_of_signing_in_is_valid_for_one_browser_login_and_page() {
        let here = browser("a secret");
        let session = SessionKey::new(ISSUER, CLIENT_ID, "nonce");
        let code = here.signed_in(&session, "/members");
        assert!(here.was_signed_in(&session, "/members", &code));
        assert!(!here.was_signed_in(&session, "/other", &code));
        let other = SessionKey::new(ISSUER, CLIENT_ID, "another nonce");
        assert!(!here.was_signed_in(&other, "/members", &code));
        assert!(!browser("another secret").was_signed_in(&session, "/members", &code));
        for forged in ["", &code[..42], &format!("{code}="), "é"] {
            assert!(
                !here.was_signed_in(&session, "/members", forged),
                "{forged}"
            );
        }
    }

    #[test]
    fn an_empty_secret_is_refused() {
        assert!(Browser::new("", ISSUER, CLIENT_ID).is_none());
    }
}
