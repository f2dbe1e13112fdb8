//! Examples from RFCs. None of them is a login token, so only the signatures are checked here. The
//! vectors contain their results as tokens.

use serde_json::Value as Json;

use super::*;

#[test]
fn signatures_of_rfcs_are_valid() {
    let text = include_str!("../../../vectors/rfc_examples.json");
    let file: Json = serde_json::from_str(text).unwrap();
    let mut seen = 0;
    for case in file["cases"].as_array().unwrap() {
        let Some(members) = case["key"].as_object() else {
            continue;
        };
        let mut jwk = members.clone();
        // RFC 7517 requires neither; a broker's RSA key has both.
        jwk.entry("kid").or_insert(json!("a"));
        let algorithm = if jwk["kty"] == "RSA" {
            "RS256"
        } else {
            "EdDSA"
        };
        jwk.entry("alg").or_insert(json!(algorithm));
        let key = published(&jwk.into()).unwrap();
        assert_eq!(key.algorithm().as_str(), algorithm, "{}", case["id"]);

        let (message, signature) = case["token"].as_str().unwrap().rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert!(key.verify(message.as_bytes(), &signature), "{}", case["id"]);
        assert!(
            !key.verify(format!("{message}A").as_bytes(), &signature),
            "{}",
            case["id"]
        );
        seen += 1;
    }
    assert_eq!(seen, 3);
}
