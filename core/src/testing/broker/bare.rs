//! The baseline of benchmarks: only the verification of signatures.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::keys::KeyChoice;
use super::state::State;
use crate::algorithm::Algorithm;
use crate::error::{Code, Error, Result};
use crate::jwks::KeySet;

/// The time that AWS-LC needs to verify the signatures of all `tokens`, signed by the current RS256
/// key. The key is parsed and the tokens are decoded before the clock starts.
pub(super) fn time_signatures(state: &State, tokens: &[String]) -> Result<Duration> {
    let published = serde_json::to_vec(&state.keys.published()?).map_err(|cause| {
        Error::new(Code::Internal, "the development broker's keys failed").with_source(cause)
    })?;
    let keys = KeySet::parse(&published)?;
    let current = state.keys.key(KeyChoice::Current, Algorithm::Rs256)?;
    let key = keys.get(current.id()).ok_or_else(not_signed)?;
    let signed: Vec<_> = tokens
        .iter()
        .map(|token| {
            let (message, signature) = token.rsplit_once('.')?;
            Some((message, URL_SAFE_NO_PAD.decode(signature).ok()?))
        })
        .collect::<Option<_>>()
        .ok_or_else(not_signed)?;

    let start = state.clock.monotonic();
    let all_hold = signed
        .iter()
        .all(|(message, signature)| key.verify(message.as_bytes(), signature));
    let time = state.clock.monotonic().saturating_sub(start);
    all_hold.then_some(time).ok_or_else(not_signed)
}

fn not_signed() -> Error {
    Error::new(
        Code::TokenSignature,
        "a token is not signed with the current key",
    )
}
