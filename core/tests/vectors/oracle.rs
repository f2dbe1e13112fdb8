//! The crate `jsonwebtoken` as an oracle. It is more lenient, so it has to accept all tokens that are accepted
//! here, with the listed exceptions. The suite in `tests/differential` compares more libraries.

use jsonwebtoken::errors::Result;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::Vectors;

/// Tokens that it cannot read: some header members, which this library ignores, have types that it
/// does not accept, and some numbers are larger than a double.
const NOT_READ: [&str; 2] = ["header-1024-digits", "header-jku-number-ignored"];

#[tokio::test]
async fn accepted_tokens_are_accepted_by_another_verifier() {
    let vectors = Vectors::tokens();
    let mut accepted = 0;
    let mut refused = Vec::new();
    for case in vectors.cases() {
        if vectors.replay(case).await.is_ok() {
            accepted += 1;
            if accept(&vectors, case).is_err() {
                refused.push(case["id"].as_str().unwrap());
            }
        }
    }
    refused.sort_unstable();
    assert_eq!(refused, NOT_READ);
    assert!(accepted > 50, "{accepted}");
}

fn accept(vectors: &Vectors, case: &Value) -> Result<()> {
    let token = case["token"].as_str().unwrap();
    let header = decode_header(token)?;
    let mut keys = vectors.0["key_set"]["keys"].as_array().unwrap().iter();
    let jwk = keys.find(|jwk| jwk["kid"].as_str() == header.kid.as_deref());
    let jwk = serde_json::from_value(jwk.unwrap().clone()).unwrap();
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[vectors.text("broker")]);
    validation.set_audience(&[vectors.text("client_id")]);
    // It uses the system's clock.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    let key = DecodingKey::from_jwk(&jwk)?;
    decode::<IgnoredAny>(token, &key, &validation).map(drop)
}
