//! The expectations of a case.

use std::borrow::Cow;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portier_client::Code;
use portier_client::web::{Page, Reply};
use serde_json::{Value, json};

use crate::page;
use crate::replay::query_of;

/// The response that an integration sends.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(&'static str, Cow<'static, str>)>,
    pub(crate) cookies: Vec<String>,
    policy: Option<String>,
    body: String,
    pub(crate) json: Option<Value>,
    error: Option<Code>,
    pub(crate) login: Option<Value>,
    /// What the problem says was typed into the login form.
    typed: Value,
    is_ours: bool,
}

impl Answer {
    pub(crate) fn new(
        reply: Reply,
        page: Option<Page>,
        error: Option<Code>,
        login: Option<Value>,
    ) -> Self {
        let kind = reply
            .headers
            .iter()
            .find(|(name, _)| *name == "content-type");
        let is_json = kind.is_some_and(|(_, value)| value.contains("json"));
        Self {
            json: is_json.then(|| serde_json::from_str(&reply.body).unwrap()),
            status: reply.status,
            headers: reply.headers,
            cookies: reply.cookies,
            policy: reply.policy,
            body: reply.body,
            error,
            login,
            typed: match page {
                Some(Page::Problem(problem)) => {
                    json!({"typed_email": problem.typed_email, "next": problem.next})
                }
                _ => Value::Null,
            },
            is_ours: true,
        }
    }

    /// The site has sent the response itself.
    pub(crate) fn replaced(self, status: u16, body: String) -> Self {
        let cookies = if status < 400 {
            self.cookies
        } else {
            Vec::new()
        };
        Self {
            status,
            headers: Vec::new(),
            cookies,
            policy: None,
            body,
            json: None,
            is_ours: false,
            ..self
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| *known == name);
        let value = found.next().map(|(_, value)| &**value);
        assert!(found.next().is_none(), "{name} is there twice");
        value
    }

    /// The URL at the broker, if the response redirects there.
    pub(crate) fn to_broker(&self, broker: &str) -> Option<String> {
        let json = self.json.as_ref().and_then(|json| json["url"].as_str());
        let url = self.header("location").or(json)?;
        url.starts_with(&format!("{broker}/auth?"))
            .then(|| url.to_owned())
    }

    pub(crate) fn shows(&self) -> Option<String> {
        page::attribute(&self.body, "main", "data-portier")
    }

    pub(crate) fn fields(&self) -> Vec<(String, String)> {
        let Some(json) = &self.json else {
            return page::hidden_fields(&self.body);
        };
        let fields = json["fields"].as_object().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        fields
            .map(|(name, value)| (name.clone(), text(value)))
            .collect()
    }
}

/// The facts that an expectation is checked against.
pub(crate) struct Seen<'a> {
    pub(crate) answer: &'a Answer,
    pub(crate) is_secret_kept: bool,
    pub(crate) broker: &'a str,
    pub(crate) has_body: bool,
    pub(crate) token_requests: usize,
}

/// Describes how a response differs from the expectation.
pub(crate) fn check(setting: &Value, seen: &Seen<'_>, expected: &Value) -> Result<(), String> {
    let answer = seen.answer;
    let mut wrong = Vec::new();
    let mut same = |what: &str, found: Value, expected: &Value| {
        if found != *expected {
            wrong.push(format!(
                "{what} found={found:.300} expected={expected:.300}"
            ));
        }
    };
    same("status", answer.status.into(), &expected["status"]);
    if expected["fails"].is_string() {
        let code = answer.error.map(Code::as_str);
        same("error", code.into(), &expected["fails"]);
        let location = answer.header("location");
        same("location", location.into(), &Value::Null);
        same("cookies", answer.cookies.clone().into(), &json!([]));
        return wrong
            .is_empty()
            .then_some(())
            .ok_or_else(|| wrong.join("\n"));
    }
    let token_requests = &expected["token_requests"];
    let token_requests = token_requests.as_u64().unwrap_or_default();
    same(
        "token requests",
        seen.token_requests.into(),
        &token_requests.into(),
    );
    let leads = answer.to_broker(seen.broker);
    same(
        "to_broker",
        leads.is_some().into(),
        &expected["to_broker"].is_object().into(),
    );
    if let Some(url) = &leads {
        let query = query_of(url);
        for (name, value) in members(&expected["to_broker"]) {
            same(name, query.get(name).cloned().into(), value);
        }
        for text in list(&expected["lacks_location"]) {
            same("location", url.contains(text).into(), &false.into());
        }
    } else {
        same(
            "location",
            answer.header("location").into(),
            &expected["location"],
        );
    }
    let error = answer.error.map(Code::as_str);
    if expected.get("error") != Some(&Value::Null) || error.is_none() {
        same("error", error.into(), &expected["error"]);
    }
    if expected["typed"].is_object() {
        same("typed", answer.typed.clone(), &expected["typed"]);
    }
    let login = answer.login.as_ref();
    same(
        "login",
        login.is_some().into(),
        &expected["login"].is_object().into(),
    );
    for (name, value) in members(&expected["login"]) {
        same(
            name,
            login.map_or(Value::Null, |login| login[name].clone()),
            value,
        );
    }
    for (name, value) in members(&expected["headers"]) {
        same(name, answer.header(name).into(), value);
    }
    if expected["hx_redirect"] == true {
        same(
            "hx-redirect",
            answer.header("hx-redirect").into(),
            &leads.into(),
        );
    }
    cookies(setting, answer, expected, &mut same);
    if let Some(secret) = expected["secret"].as_str() {
        same(
            "secret",
            seen.is_secret_kept.into(),
            &(secret == "kept").into(),
        );
    }
    if answer.is_ours {
        headers(setting, answer, seen, expected, &mut same);
    }
    if seen.has_body {
        body(answer, expected, &mut same);
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(wrong.join("; "))
}

type Same<'a> = dyn FnMut(&str, Value, &Value) + 'a;

fn cookies(setting: &Value, answer: &Answer, expected: &Value, same: &mut Same<'_>) {
    let flags = |text: &str| {
        let mut flags: Vec<_> = text.split("; ").map(str::to_owned).collect();
        flags.sort_unstable();
        flags
    };
    let (mut set, mut cleared) = (Vec::new(), Vec::new());
    for cookie in &answer.cookies {
        let (pair, rest) = cookie.split_once("; ").unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let wanted = setting["cookies"][name].as_str().unwrap_or_default();
        if value.is_empty() {
            let (_, wanted) = wanted.split_once("; ").unwrap_or_default();
            let wanted = format!("Max-Age=0; {wanted}");
            same(name, flags(rest).into(), &flags(&wanted).into());
            cleared.push(name);
        } else {
            same(name, flags(rest).into(), &flags(wanted).into());
            set.push(name);
        }
    }
    for (what, mut names) in [("sets", set), ("clears", cleared)] {
        names.sort_unstable();
        let mut wanted: Vec<_> = list(&expected[what]).collect();
        wanted.sort_unstable();
        same(what, names.into(), &wanted.into());
    }
}

fn headers(
    setting: &Value,
    answer: &Answer,
    seen: &Seen<'_>,
    expected: &Value,
    same: &mut Same<'_>,
) {
    let kind = match &answer.json {
        // RFC 9457, unlike the answer to a health check.
        Some(json) if json["type"].is_string() => "problem",
        Some(_) => "json",
        None if expected["shows"].is_string() || expected["problem"].is_string() => "page",
        None => "every",
    };
    for kind in ["every", kind] {
        for (name, value) in members(&setting["headers"][kind]) {
            same(name, answer.header(name).into(), value);
        }
    }
    let policy = answer.policy.as_deref();
    same("policy", policy.is_some().into(), &(kind == "page").into());
    let Some(policy) = policy.filter(|_| seen.has_body) else {
        return;
    };
    for part in [
        "default-src 'none'; ",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        same(part, policy.contains(part).into(), &true.into());
    }
    for (element, directive) in [("style", "style-src"), ("script", "script-src")] {
        let source = page::element(&answer.body, element).map(|content| {
            let hash = STANDARD.encode(digest(&SHA256, content.as_bytes()));
            format!("{directive} 'sha256-{hash}'")
        });
        let found = policy.split("; ").find(|part| part.starts_with(directive));
        same(directive, found.into(), &source.into());
    }
}

fn body(answer: &Answer, expected: &Value, same: &mut Same<'_>) {
    let shows = match &expected["problem"] {
        Value::String(_) if expected["json"].is_null() => &"problem".into(),
        _ => &expected["shows"],
    };
    same("shows", answer.shows().into(), shows);
    if shows == "problem" {
        let id = page::attribute(&answer.body, "main", "data-id");
        same("problem", id.into(), &expected["problem"]);
    }
    if let Some(fields) = expected["fields"].as_array() {
        let known = |name: &str| {
            let mut wanted = fields.iter();
            wanted.any(|pair| pair[0] == name && pair[1].is_null())
        };
        let found = answer.fields().into_iter().map(|(name, value)| {
            let hidden = known(&name) && !value.is_empty();
            Value::from(vec![
                name.into(),
                if hidden { Value::Null } else { value.into() },
            ])
        });
        let mut found: Vec<_> = found.collect();
        let mut wanted = fields.clone();
        if answer.json.is_some() {
            // The order of an object's members does not matter.
            found.sort_by_key(Value::to_string);
            wanted.sort_by_key(Value::to_string);
        }
        same("fields", found.into(), &wanted.into());
    }
    same(
        "json",
        answer.json.is_some().into(),
        &expected["json"].is_object().into(),
    );
    for (name, value) in members(&expected["json"]) {
        let found = answer
            .json
            .as_ref()
            .map_or(Value::Null, |json| json[name].clone());
        same(name, found, value);
    }
    if let Some(lang) = expected["lang"].as_str() {
        same(
            "lang",
            page::attribute(&answer.body, "html", "lang").into(),
            &lang.into(),
        );
    }
    let text = page::decoded(&answer.body);
    for says in list(&expected["says"]) {
        same(
            &format!("says {says}"),
            text.contains(says).into(),
            &true.into(),
        );
    }
    for lacks in list(&expected["lacks"]) {
        same(
            &format!("lacks {lacks}"),
            answer.body.contains(lacks).into(),
            &false.into(),
        );
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn list(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}
