//! Sealed sessions. The first byte decides: the rest is a `Cookie` header, or the content of a cookie that is
//! sealed here, by another implementation.

use std::sync::{Arc, LazyLock};

use portier_client::Client;
use portier_client::testing::ManualClock;
use portier_client::web::{Body, FlowOptions, LoginFlow, SessionOptions, Visit, WebRequest};

use crate::seal::{SECRET, seal};
use crate::setting::usual_network;

const VECTORS: &str = include_str!("../../vectors/sealed_sessions.json");
const SITE: &str = "https://site.test";
const NAME: &str = "__Host-portier-session";
const NOW: u64 = 1_790_000_000;
const DAY: u64 = 24 * 60 * 60;

/// A cookie that was not sealed here is no session. Content that was sealed here is the session that follows
/// from it.
pub fn run(bytes: &[u8]) {
    match bytes.split_first() {
        Some((first, rest)) if first % 2 == 0 => {
            let header = String::from_utf8_lossy(rest);
            // Only the vectors have cookies that open, and the fuzzer begins with these.
            if read(&header).is_some() {
                let cookies = header.split(';').map(|pair| pair.trim_matches([' ', '\t']));
                let ours: Vec<_> = cookies.filter(|pair| pair.starts_with(NAME)).collect();
                assert!(ours.iter().any(|pair| VECTORS.contains(*pair)), "{header}");
            }
        }
        Some((_, content)) if content.len() <= 1400 => {
            let sealed = seal(&["portier-client:session:1", SITE], content);
            let visit = read(&format!("a=b; {NAME}={sealed}"));
            let found = visit.map(|visit| {
                assert!(
                    !visit
                        .renewal
                        .is_some_and(|cookie| cookie.contains(['\r', '\n']))
                );
                (
                    visit.session.email,
                    visit.session.signed_in_at,
                    visit.session.expires_at,
                )
            });
            assert_eq!(found, expected(content), "{content:?}");
        }
        _ => {}
    }
}

fn read(cookie: &str) -> Option<Visit> {
    static FLOW: LazyLock<LoginFlow> = LazyLock::new(|| {
        let client = Client::builder(format!("{SITE}/verify"))
            .transport(usual_network())
            .clock(Arc::new(ManualClock::at(NOW)))
            .build()
            .unwrap();
        let mut options = FlowOptions::default();
        // That of the vectors, which is the first of two.
        options.session = Some(SessionOptions::new(vec![SECRET.into()]));
        LoginFlow::new(client, options).unwrap()
    });
    let mut request = WebRequest::new("GET", Body::Empty);
    request.set_header("cookie", cookie);
    FLOW.session(&request)
}

/// The session, read a second time: the address, the start and the end.
fn expected(content: &[u8]) -> Option<(String, u64, u64)> {
    let time = |at: usize| {
        Some(u64::from_be_bytes(
            content.get(at..at + 8)?.try_into().ok()?,
        ))
    };
    let (signed_in_at, renewed_at) = (time(0)?, time(8)?);
    let email = std::str::from_utf8(content.get(32..)?).ok()?;
    let sliding = u128::from(renewed_at) + u128::from(14 * DAY);
    let absolute = u128::from(signed_in_at) + u128::from(90 * DAY);
    let expires_at = u64::try_from(sliding.min(absolute)).unwrap_or(u64::MAX);
    let is_current = renewed_at <= NOW + 5 * 60 && NOW < expires_at;
    is_current.then(|| (email.to_owned(), signed_in_at, expires_at))
}
