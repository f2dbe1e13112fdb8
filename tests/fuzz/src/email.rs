//! E-mail addresses: bytes as text, as somebody types it.

use std::sync::Arc;

use portier_client::testing::ManualClock;
use portier_client::{Code, normalize_email};
use url::Url;

use crate::quiet::says_nothing_of;
use crate::reference::normalized;
use crate::setting::{self, BROKER, NOW, wait};

/// Normalizing is idempotent and agrees with the URL parser and the real broker's library. An
/// address that is sent to the broker can be normalized, and is sent as it was typed.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match normalize_email(&text) {
        Ok(once) => {
            assert_eq!(normalize_email(&once).as_ref().ok(), Some(&once));
            assert_eq!(Some(once), normalized(&text));
        }
        Err(error) => {
            assert_eq!(error.code(), Code::InvalidEmail);
            assert_eq!(normalized(&text), None);
            says_nothing_of(&error, &[&text]);
        }
    }
    authenticate(&text);
}

fn authenticate(text: &str) {
    let network = setting::usual_network();
    let clock = Arc::new(ManualClock::at(NOW));
    let client = setting::client(&network, &clock).build().unwrap();
    let typed = text.trim();
    match wait(client.authenticate(text)) {
        Ok(url) => {
            assert!(normalize_email(typed).is_ok());
            let url = Url::parse(&url).unwrap();
            assert_eq!(url.origin().ascii_serialization(), BROKER);
            let hints: Vec<_> = url
                .query_pairs()
                .filter(|(name, _)| name == "login_hint")
                .collect();
            assert_eq!(hints.len(), 1);
            assert_eq!(hints[0].1, typed);
        }
        Err(error) => {
            assert_eq!(error.code(), Code::InvalidEmail);
            says_nothing_of(&error, &[text, typed]);
        }
    }
}
