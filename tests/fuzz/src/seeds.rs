//! The first inputs of the fuzzers: the vectors, in the format of each target.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::reference::base64url;

/// The inputs for a target.
///
/// # Panics
/// If there is no such target, or a vector is not as it should be.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "cache_headers" => cases("cache_headers").iter().map(headers).collect(),
        "callback" => cases("callbacks").iter().flat_map(forms).collect(),
        "discovery" => {
            let documents = cases("discovery")
                .into_iter()
                .chain(cases("broken_documents"));
            documents.map(|case| bytes_of(&case["body"])).collect()
        }
        "email" => cases("emails")
            .iter()
            .map(|case| bytes_of(&case["input"]))
            .collect(),
        "key_set" => cases("key_sets")
            .iter()
            .map(|case| bytes_of(&case["body"]))
            .collect(),
        "next" => cases("next").iter().map(next).collect(),
        "sealed_login" => cases("sealed_logins").iter().flat_map(login).collect(),
        "token" => tokens()
            .iter()
            .map(|token| token.clone().into_bytes())
            .collect(),
        "verify" => {
            let signed = tokens().into_iter().filter_map(|token| signed(&token));
            signed.chain("uilre".chars().map(with_rsa)).collect()
        }
        _ => panic!("no such target: {target}"),
    }
}

fn cases(file: &str) -> Vec<Value> {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let text = fs::read_to_string(vectors.join(file).with_extension("json")).unwrap();
    let mut file: Value = serde_json::from_str(&text).unwrap();
    let Value::Array(cases) = file["cases"].take() else {
        panic!("no cases");
    };
    cases
}

fn bytes_of(text: &Value) -> Vec<u8> {
    text.as_str().unwrap().as_bytes().to_vec()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn headers(case: &Value) -> Vec<u8> {
    let pair = |pair: &Value| format!("{}: {}\n", text(&pair[0]), text(&pair[1]));
    let lines: String = list(&case["headers"]).map(pair).collect();
    format!("{lines}\n{lines}").into_bytes()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn forms(case: &Value) -> Vec<Vec<u8>> {
    let attempts = list(&case["attempts"]);
    let form = |attempt: &Value| {
        // A file is not text, and cannot occur in a form of this type.
        let pairs = list(&attempt["params"]).filter_map(|pair| {
            let value = pair[1].as_str()?;
            let value = if value.matches('.').count() == 2 {
                "TOKEN"
            } else {
                value
            };
            Some((text(&pair[0]), value))
        });
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs).finish().into_bytes()
    };
    attempts.map(form).collect()
}

/// A state as text, and its content where the vector is genuine.
fn login(case: &Value) -> Vec<Vec<u8>> {
    let Some(state) = case["params"]["state"]
        .as_str()
        .filter(|text| !text.is_empty())
    else {
        return Vec::new();
    };
    let content = b"\x01\x01\x01\x00\x00\x01\x8b\xcf\xe6\x52\x60\0\x05a@b.c";
    vec![[b"\0", state.as_bytes()].concat(), content.to_vec()]
}

fn next(case: &Value) -> Vec<u8> {
    let hosts: Vec<_> = list(&case["allowed_hosts"]).map(text).collect();
    let next = text(&case["next"]);
    if hosts.is_empty() {
        return next.as_bytes().to_vec();
    }
    format!("{next}\0{}", hosts.join(",")).into_bytes()
}

fn tokens() -> Vec<String> {
    let cases = cases("tokens");
    cases
        .iter()
        .map(|case| text(&case["token"]).to_owned())
        .collect()
}

/// The parts of a token to be signed again, always with Ed25519, which is fast.
fn signed(token: &str) -> Option<Vec<u8>> {
    let parts: Vec<_> = token.split('.').collect();
    let [header, payload, _] = parts.as_slice() else {
        return None;
    };
    let header = String::from_utf8(base64url(header)?).ok()?;
    let header = header.replace("RS256", "EdDSA").replace("rsa-a", "ed-a");
    let payload = base64url(payload)?;
    Some([&b"au"[..], header.as_bytes(), b"\0", &payload].concat())
}

/// Parts that are signed with RSA.
fn with_rsa(options: char) -> Vec<u8> {
    let cases = cases("tokens");
    let case = cases
        .iter()
        .find(|case| case["id"] == "rs256-2048")
        .unwrap();
    let token = text(&case["token"]);
    let mut parts = token.split('.').map(|part| base64url(part).unwrap());
    let (header, payload) = (parts.next().unwrap(), parts.next().unwrap());
    [format!("r{options}").as_bytes(), &header, b"\0", &payload].concat()
}
