//! Authorization codes of the development broker (RFC 6749, section 4.1).

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::mint::MintOptions;
use crate::clock::{Random as _, SystemRandom};
use crate::error::Result;
use crate::fork::lock;

/// How long a code can be redeemed (RFC 6749, section 4.1.2, recommends ten minutes at most).
const LIFETIME: Duration = Duration::from_secs(600);

const CODE_BYTES: usize = 32;

/// Codes that can be redeemed, each once.
#[derive(Default)]
pub(super) struct Codes(Mutex<HashMap<String, Issued>>);

struct Issued {
    grant: Grant,
    /// On the monotonic clock.
    expires: Duration,
}

/// What a code stands for.
pub(super) struct Grant {
    pub(super) token: MintOptions,
    /// As it was in the authorization request.
    pub(super) redirect_uri: String,
    /// Of S256 (RFC 7636), if the request had one.
    pub(super) code_challenge: Option<String>,
}

impl Codes {
    pub(super) fn issue(&self, grant: Grant, now: Duration) -> Result<String> {
        let mut bytes = [0; CODE_BYTES];
        SystemRandom.fill(&mut bytes)?;
        let code = URL_SAFE_NO_PAD.encode(bytes);
        let mut grants = lock(&self.0);
        grants.retain(|_, issued| now < issued.expires);
        grants.insert(
            code.clone(),
            Issued {
                grant,
                expires: now.saturating_add(LIFETIME),
            },
        );
        Ok(code)
    }

    /// Uses a code up, even if no token follows.
    pub(super) fn redeem(&self, code: &str, now: Duration) -> Option<Grant> {
        let issued = lock(&self.0).remove(code)?;
        (now < issued.expires).then_some(issued.grant)
    }
}
