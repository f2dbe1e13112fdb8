//! Token requests to the development broker (RFC 6749, section 4.1.3).

use std::sync::Arc;

use ::http::StatusCode;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::authorize::Params;
use super::reply::{self, Reply};
use super::state::State;
use crate::error::Result;

/// Redeems the code of a request for a token.
pub(super) async fn answer(state: &Arc<State>, encoded: &[u8]) -> Result<Reply> {
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
