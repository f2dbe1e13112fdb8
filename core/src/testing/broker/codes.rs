//! Authorization codes of the development broker (RFC 6749, section 4.1).

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::http::StatusCode;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::authorize::Params;
use super::mint::MintOptions;
use super::reply::{self, Reply};
use super::state::State;
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

    /// Uses a code up, whatever comes of it.
    fn redeem(&self, code: &str, now: Duration) -> Option<Grant> {
        let issued = lock(&self.0).remove(code)?;
        (now < issued.expires).then_some(issued.grant)
    }
}

/// Answers a token request (RFC 6749, section 4.1.3).
pub(super) async fn token(state: &Arc<State>, encoded: &[u8]) -> Result<Reply> {
    let refused = |error: &str, description: &str| {
        let body = json!({ "error": error, "error_description": description });
        Ok(reply::token(StatusCode::BAD_REQUEST, &body))
    };
    let params = match Params::parse(encoded) {
        Ok(params) => params,
        Err(problem) => return refused("invalid_request", problem),
    };
    if params.get("grant_type") != Some("authorization_code") {
        return refused(
            "unsupported_grant_type",
            "grant_type must be authorization_code",
        );
    }
    let (Some(code), Some(redirect_uri), Some(client_id)) = (
        params.get("code"),
        params.get("redirect_uri"),
        params.get("client_id"),
    ) else {
        return refused(
            "invalid_request",
            "code, redirect_uri or client_id is missing",
        );
    };
    let Some(grant) = state.codes.redeem(code, state.clock.monotonic()) else {
        return refused(
            "invalid_grant",
            "the code is unknown, was redeemed before, or has expired",
        );
    };
    let is_verified = match &grant.code_challenge {
        None => true,
        Some(challenge) => params.get("code_verifier").is_some_and(|verifier| {
            URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())) == *challenge
        }),
    };
    if grant.redirect_uri != redirect_uri || grant.token.client_id != client_id || !is_verified {
        return refused("invalid_grant", "the code was issued for another request");
    }
    let id_token = state
        .blocking(move |state| state.mint(&grant.token))
        .await?;
    let body = json!({ "access_token": "UNUSED", "token_type": "bearer", "id_token": id_token });
    Ok(reply::token(StatusCode::OK, &body))
}
