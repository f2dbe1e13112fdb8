//! The verdicts of the crate `jsonwebtoken` on tokens, for `tests/differential`.
//!
//! The first line of input has the issuer and the audience, every other line a token and its key
//! set. The output for each of these is "accepted" or a reason.

use std::io::{BufRead as _, stdin};

use jsonwebtoken::errors::{Error, ErrorKind, Result};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut lines = stdin().lock().lines();
    let setting = lines.next().ok_or("no setting")??;
    let [issuer, audience]: [String; 2] = serde_json::from_str(&setting)?;
    for line in lines {
        let [token, key_set]: [String; 2] = serde_json::from_str(&line?)?;
        let verdict = match verify(&token, &key_set, &issuer, &audience) {
            Ok(()) => "accepted".to_owned(),
            Err(error) => error.to_string(),
        };
        println!("{}", Value::from(verdict));
    }
    Ok(())
}

/// Verifies as the crate's documentation says, with the key that the token names.
fn verify(token: &str, key_set: &str, issuer: &str, audience: &str) -> Result<()> {
    let header = decode_header(token)?;
    let jwk: Jwk = serde_json::from_value(named(key_set, header.kid.as_deref())?)?;
    let mut validation = Validation::new(match jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(_) => Algorithm::EdDSA,
        _ => Algorithm::RS256,
    });
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["iss", "aud", "exp"]);
    // It uses the system's clock, for which these tokens have another age.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    decode::<Value>(token, &DecodingKey::from_jwk(&jwk)?, &validation).map(drop)
}

/// The only key with that id; the crate cannot read some of the other keys.
fn named(key_set: &str, id: Option<&str>) -> Result<Value> {
    let document: Value = serde_json::from_str(key_set)?;
    let keys = document.get("keys").and_then(Value::as_array);
    let has_id = |jwk: &&Value| {
        jwk.get("kid")
            .is_some_and(|kid| kid.as_str() == id && id.is_some())
    };
    let mut found = keys.into_iter().flatten().filter(has_id);
    match (found.next(), found.next()) {
        (Some(jwk), None) => Ok(jwk.clone()),
        _ => Err(Error::from(ErrorKind::InvalidKeyFormat)),
    }
}
