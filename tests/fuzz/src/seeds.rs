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
        "session_cookie" => cases("sealed_sessions").iter().flat_map(session).collect(),
        "token" => tokens()
            .iter()
            .map(|token| token.clone().into_bytes())
            .collect(),
        "token_answer" => cases("web_codes").iter().flat_map(token_answers).collect(),
        "verify" => {
            let signed = tokens().into_iter().filter_map(|token| signed(&token));
            signed.chain("uilre".chars().map(with_rsa)).collect()
        }
        "web_request" => ["web", "web_codes", "web_sessions"]
            .into_iter()
            .flat_map(cases)
            .flat_map(|case| list(&case["steps"]).filter_map(request).collect::<Vec<_>>())
            .collect(),
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

/// A header as text, and the content of a session.
fn session(case: &Value) -> Vec<Vec<u8>> {
    let content = b"\x01\0\0\0\0\x6a\xb1\x3b\x80\0\0\0\0\x6a\xb1\x3b\x80an id of 16 bytesa@b.c";
    vec![
        [b"\0", text(&case["cookie"]).as_bytes()].concat(),
        content.to_vec(),
    ]
}

/// Answers of the broker that a case has by itself, and the usual ones.
fn token_answers(case: &Value) -> Vec<Vec<u8>> {
    let usual = ["{\"id_token\":\"TOKEN\"}", "{\"error\":\"invalid_grant\"}"];
    let usual = usual.map(|body| format!("200\napplication/json\n{body}").into_bytes());
    let answers = list(&case["steps"]).filter_map(|step| {
        let answer = step["token_endpoint"].as_array()?;
        let body = &answer[1];
        let body = body
            .as_str()
            .map_or_else(|| body.to_string(), str::to_owned);
        let body = body.replace("{token}", "TOKEN");
        Some(format!("{}\napplication/json\n{body}", answer[0]).into_bytes())
    });
    answers.chain(usual).collect()
}

/// The request of a step, with its placeholders as they are.
fn request(step: &Value) -> Option<Vec<u8>> {
    let operation = match text(&step["do"]) {
        "login" => 'l',
        "logout" => 'o',
        "require_login" => 'r',
        "start" => 's',
        "callback" => 'c',
        _ => return None,
    };
    let given = match step["given"].as_str() {
        Some("fields") => 'f',
        Some("too_large") => 't',
        Some("unreadable") => 'u',
        _ => 'b',
    };
    let or = |name: &str, default: &str| step[name].as_str().unwrap_or(default).to_owned();
    let (method, query) = (or("method", "POST"), or("query", ""));
    let headers = step["headers"].as_object().into_iter().flatten();
    let headers: String = headers
        .filter_map(|(name, value)| Some(format!("{name}:{}\n", value.as_str()?)))
        .collect();
    let usual = "content-type:application/x-www-form-urlencoded\nsec-fetch-site:same-origin\n\
                 cookie:__Host-portier=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
    let pairs = list(&step["form"]).filter_map(|pair| Some((text(&pair[0]), pair[1].as_str()?)));
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    let form = form.extend_pairs(pairs).finish();
    let body = step["body"].as_str().unwrap_or(&form);
    Some(format!("{operation}{given}c{method}\n{query}\n{usual}{headers}\n{body}").into_bytes())
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
