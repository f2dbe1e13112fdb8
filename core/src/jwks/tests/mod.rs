//! Key sets of the vectors, and published keys and signatures.

mod rfcs;
mod wycheproof;

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// For the messages of tests.
impl fmt::Debug for KeySet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.infos()).finish()
    }
}

/// The usable key of a set that contains this one, as a broker would publish it.
fn published(jwk: &serde_json::Value) -> Option<Key> {
    let body = json!({ "keys": [jwk] }).to_string();
    KeySet::parse(body.as_bytes()).ok()?.keys.pop()
}

#[derive(serde::Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    id: String,
    body: String,
    expect: serde_json::Value,
}

#[test]
fn vectors() {
    let text = include_str!("../../../vectors/key_sets.json");
    let file: File = serde_json::from_str(text).unwrap();
    for case in &file.cases {
        let outcome = match KeySet::parse(case.body.as_bytes()) {
            Ok(keys) => json!({ "keys": keys.infos() }),
            Err(error) => json!({ "code": error.code().as_str() }),
        };
        assert_eq!(outcome, case.expect, "{}", case.id);
    }
}

proptest! {
    #[test]
    fn no_members_cause_a_panic(
        kty in "RSA|OKP|.{0,4}",
        n in "[A-Za-z0-9_-]{0,1400}",
        e in "[A-Za-z0-9_-]{0,8}",
    ) {
        let rsa = json!({ "kty": kty, "alg": "RS256", "kid": "a", "n": n, "e": e });
        let okp = json!({ "kty": kty, "crv": "Ed25519", "kid": "b", "x": n });
        let body = json!({ "keys": [rsa, okp] }).to_string();
        if let Ok(keys) = KeySet::parse(body.as_bytes()) {
            for key in &keys.keys {
                prop_assert!(!key.verify(b"", n.as_bytes()));
            }
        }
    }
}
