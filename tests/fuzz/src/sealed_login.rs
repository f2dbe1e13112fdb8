//! Pending logins that travel sealed. The first byte decides: the rest is the text of a `state`, or the content
//! of one that is sealed here, by another implementation.

use std::sync::{Arc, LazyLock};

use portier_client::testing::ManualClock;
use portier_client::{CallbackParams, Client, Code, Error, Flow};

use crate::quiet::says_nothing_of;
use crate::seal::{SECRET, seal};
use crate::setting::{BROKER, NOW, REDIRECT_URI, usual_network, wait};

const ABOUT: [&str; 3] = ["portier-client:login:1", BROKER, REDIRECT_URI];
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
            let refusal = refused(&seal(&ABOUT, content));
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

fn is_genuine(text: &str) -> bool {
    static VECTORS: &str = include_str!("../../vectors/sealed_logins.json");
    text.len() > 40 && VECTORS.contains(text)
}
