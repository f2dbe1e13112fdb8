//! Pending logins that travel sealed. The first byte decides: the rest is the text of a `state`, or the content
//! of one that is sealed here, by another implementation.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portier_client::testing::ManualClock;
use portier_client::{CallbackParams, Client, Code, Error, Flow};

use crate::quiet::says_nothing_of;
use crate::setting::{BROKER, NOW, REDIRECT_URI, usual_network, wait};

const SECRET: &str = "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA";
const LABEL: &[u8] = b"portier-client:login:1";
const SESSION_TTL: f64 = 1800.0;
const LEEWAY: f64 = 300.0;

/// A text that was not sealed here is refused. Content that was sealed here has the result that follows from it.
pub fn run(bytes: &[u8]) {
    match bytes.split_first() {
        Some((first, rest)) if first % 2 == 0 => {
            let text = String::from_utf8_lossy(rest);
            // Only the vectors have texts that open, and the fuzzer begins with these.
            if !is_genuine(&text) {
                let refusal = refused(&text);
                assert!(matches!(
                    refusal.code(),
                    Code::SessionUnknown
                        | Code::SessionSealed
                        | Code::MissingToken
                        | Code::TokenMalformed
                ));
            }
        }
        Some((_, content)) if content.len() <= 1400 => {
            let refusal = refused(&seal(content));
            assert_eq!(refusal.code(), expected(content), "{content:?}");
        }
        _ => {}
    }
}

/// What a callback with this state leads to, in another browser than any.
fn refused(state: &str) -> Error {
    static CLIENT: LazyLock<Client> = LazyLock::new(|| {
        Client::builder(REDIRECT_URI)
            .broker(BROKER)
            .flow(Flow::Code)
            .transport(usual_network())
            .clock(Arc::new(ManualClock::at(NOW)))
            .secret(SECRET)
            .build()
            .unwrap()
    });
    let params = CallbackParams::from_pairs([("code", "a code"), ("state", state)]).unwrap();
    let refusal = wait(CLIENT.complete(params, Some("the secret of a browser"))).unwrap_err();
    says_nothing_of(&refusal, &[state]);
    refusal
}

/// The result of content, read a second time.
fn expected(content: &[u8]) -> Code {
    let Some(started_at) = start(content) else {
        return Code::SessionUnknown;
    };
    #[expect(clippy::cast_precision_loss, reason = "seconds and years")]
    let (now, started_at) = (NOW as f64, started_at as f64 / 1000.0);
    if started_at > now + LEEWAY {
        Code::TokenClock
    } else if now >= started_at + SESSION_TTL {
        Code::SessionExpired
    } else {
        // No content is bound to this browser: a tag would have to be guessed.
        Code::SessionBrowser
    }
}

/// The start in milliseconds; `None` for content that is no login of the code flow.
fn start(content: &[u8]) -> Option<u64> {
    let record = match *content.first()? {
        1 => &content[1..],
        3 => content.get(17..)?,
        _ => return None,
    };
    let flags = *record.first()?;
    let started_at = u64::from_be_bytes(record.get(1..9)?.try_into().ok()?);
    let mut at = 9;
    for _ in 0..flags.count_ones() {
        let length = record.get(at..at + 2)?;
        let length = usize::from(length[0]) << 8 | usize::from(length[1]);
        std::str::from_utf8(record.get(at + 2..at + 2 + length)?).ok()?;
        at += 2 + length;
    }
    (flags < 16 && at == record.len()).then_some(started_at)
}

fn seal(content: &[u8]) -> String {
    let mut derived = [0; 36];
    Salt::new(HKDF_SHA256, b"portier-client")
        .extract(SECRET.as_bytes())
        .expand(&[LABEL], Derived)
        .and_then(|output| output.fill(&mut derived))
        .unwrap();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &derived[..32]).unwrap());
    let mut about = Vec::new();
    for part in [&[1][..], LABEL, BROKER.as_bytes(), REDIRECT_URI.as_bytes()] {
        about.extend((part.len() as u64).to_be_bytes());
        about.extend(part);
    }
    let mut sealed = content.to_vec();
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    key.seal_in_place_append_tag(nonce, Aad::from(about), &mut sealed)
        .unwrap();
    let head = [&[1][..], &derived[32..], &[0; 12]].concat();
    URL_SAFE_NO_PAD.encode([head, sealed].concat())
}

struct Derived;

impl KeyType for Derived {
    fn len(&self) -> usize {
        36
    }
}

fn is_genuine(text: &str) -> bool {
    static VECTORS: &str = include_str!("../../vectors/sealed_logins.json");
    text.len() > 40 && VECTORS.contains(text)
}
