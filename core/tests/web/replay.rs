//! The steps of a case, one after the other. `tests/vectors/web.md` describes them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use portier_client::web::{Body, LoginFlow, Step, WebRequest};
use portier_client::{AuthenticateOptions, Code, FieldValue};
use serde_json::{Map, Value, json};
use url::{Url, form_urlencoded};

use crate::broker::Codes;
use crate::browser::Browser;
use crate::expect::{self, Answer, Seen};
use crate::setting::{Mode, Surroundings};

pub(crate) struct Replay<'a> {
    pub(crate) vectors: &'a Value,
    surroundings: &'a Surroundings,
    flow: LoginFlow,
    store_is_down: Arc<AtomicBool>,
    browsers: BTreeMap<String, Browser>,
    /// The URLs at the broker of the started logins, by name.
    logins: Vec<(String, String)>,
    tokens: HashMap<(String, String), String>,
    codes: Codes,
}

impl<'a> Replay<'a> {
    pub(crate) fn new(
        vectors: &'a Value,
        surroundings: &'a Surroundings,
        flow: LoginFlow,
        store_is_down: Arc<AtomicBool>,
    ) -> Self {
        Self {
            vectors,
            surroundings,
            flow,
            store_is_down,
            browsers: BTreeMap::new(),
            logins: Vec::new(),
            tokens: HashMap::new(),
            codes: Codes::new(
                Arc::clone(&surroundings.transport),
                surroundings.broker.origin(),
            ),
        }
    }

    /// Runs a step and describes how its result differs.
    pub(crate) async fn take(&mut self, step: &Value) -> Result<(), String> {
        let clock = &self.surroundings.clock;
        clock.advance(Duration::from_secs(
            step["advance"].as_u64().unwrap_or_default(),
        ));
        match step["do"].as_str().unwrap() {
            "ask" => return self.ask(step),
            "authenticate" => {
                let mut options = AuthenticateOptions::for_email("alice@example.com");
                options.session = step["session"].as_str().map(str::to_owned);
                let url = self.flow.client().authenticate_with(options).await;
                self.started(step, url.unwrap());
                return Ok(());
            }
            _ => {}
        }
        let name = step["browser"].as_str().unwrap_or("desk").to_owned();
        self.browsers.entry(name.clone()).or_default();
        for (cookie, value) in members(&step["cookies"]) {
            let value = value.as_str().map(|text| self.filled(text, &name));
            self.browsers
                .get_mut(&name)
                .unwrap()
                .set_cookie(cookie, value);
        }
        let secret = self.secret(&name);
        let (request, text) = self.request(step, &name);
        let token_endpoint = self.filled_value(&step["token_endpoint"], &name);
        self.codes.expect(&text, &token_endpoint);
        if step["do"] == "session" {
            return self.session(&request, step, &name);
        }
        self.store_is_down
            .store(step["store"] == "down", Ordering::Relaxed);
        let taken = match step["do"].as_str().unwrap() {
            "login" => self.flow.login(request).await,
            "start" => {
                let text = |name: &str| step[name].as_str().unwrap();
                self.flow.start(request, text("email"), text("next")).await
            }
            "require_login" => {
                let page = step["page"].as_str().unwrap();
                self.flow.require_login(&request, page)
            }
            "logout" => self.flow.logout(request),
            "health" => self.flow.health(&request),
            _ => self.flow.callback(request).await,
        };
        self.store_is_down.store(false, Ordering::Relaxed);
        let expected = self.filled_value(&step["expect"], &name);
        let mode = self.surroundings.mode;
        let answer = answer(taken, &step["hook"], mode);
        if let Some(url) = &answer.to_broker(self.surroundings.broker.origin()) {
            self.started(step, url.clone());
        }
        let now = self.surroundings.now();
        let browser = self.browsers.get_mut(&name).unwrap();
        if step["keeps"] != false {
            for cookie in &answer.cookies {
                browser.keep(cookie, now);
            }
        }
        if answer.shows().is_some() || answer.json.is_some() {
            browser.fields = answer.fields();
        }
        let is_kept = secret == self.secret(&name);
        let seen = Seen {
            answer: &answer,
            is_secret_kept: is_kept,
            broker: self.surroundings.broker.origin(),
            has_body: step["method"] != "HEAD",
            token_requests: self.codes.requests(),
        };
        expect::check(self.vectors, &seen, &expected)
    }

    /// Asks for the session of a request, and keeps the cookie that renews it.
    fn session(&mut self, request: &WebRequest, step: &Value, name: &str) -> Result<(), String> {
        let visit = self.flow.session(request);
        let found = visit.as_ref().map(|visit| visit.session.email.clone());
        let renewal = visit.and_then(|visit| visit.renewal);
        let expected = &step["expect"];
        let is_renewed = expected["sets"].is_array();
        if json!(found) != expected["session"]["email"] || renewal.is_some() != is_renewed {
            let renewed = renewal.is_some();
            return Err(format!("session={found:?} renewed={renewed}"));
        }
        if let (Some(cookie), true) = (renewal, step["keeps"] != false) {
            let now = self.surroundings.now();
            self.browsers.get_mut(name).unwrap().keep(&cookie, now);
        }
        Ok(())
    }

    fn ask(&mut self, step: &Value) -> Result<(), String> {
        let of = step["of"].as_str().unwrap_or_default();
        let found = match step["name"].as_str().unwrap() {
            "callback_path" => json!(self.flow.callback_path()),
            "is_callback" => json!(self.flow.is_callback(of)),
            "form_policy" => json!(self.flow.form_policy()),
            "form_targets" => json!(self.flow.form_targets()),
            "is_secure" => json!(self.flow.is_secure()),
            "safe_next" => json!(self.flow.safe_next(of)),
            name => panic!("a question that is unknown: {name}"),
        };
        let expected = self.filled_value(&step["expect"]["answer"], "");
        if found == expected {
            return Ok(());
        }
        Err(format!(
            "{} {of} answered={found} expected={expected}",
            step["name"]
        ))
    }

    fn started(&mut self, step: &Value, url: String) {
        let name = step["as"].as_str().unwrap_or_default().to_owned();
        self.logins.push((name, url));
    }

    fn secret(&self, browser: &str) -> Option<String> {
        let name = if self.flow.is_secure() {
            "__Host-portier"
        } else {
            "portier"
        };
        self.browsers[browser].cookie(name).map(str::to_owned)
    }

    /// The request of a step, and the text in which a code is looked for.
    fn request(&mut self, step: &Value, name: &str) -> (WebRequest, String) {
        let is_callback = step["do"] == "callback";
        let source = step["from"].as_str();
        let source = source.unwrap_or(if is_callback { "broker" } else { "site" });
        let source = &self.vectors["from"][source];
        let mut headers = source["headers"].as_object().unwrap().clone();
        if source["lax_cookies"] == true {
            let now = self.surroundings.now();
            let browser = self.browsers.get_mut(name).unwrap();
            if let Some(cookies) = browser.cookie_header(now) {
                headers.insert("cookie".to_owned(), cookies.into());
            }
        }
        let method = step["method"].as_str().unwrap_or("POST");
        if method == "POST" {
            let form = "application/x-www-form-urlencoded";
            headers.insert("content-type".to_owned(), form.into());
        }
        headers
            .extend(members(&step["headers"]).map(|(name, value)| (name.clone(), value.clone())));
        let body = if method == "POST" {
            self.body(step, name)
        } else {
            Body::Empty
        };
        let checked = step["form_token_checked"] == true;
        let query = self.filled(step["query"].as_str().unwrap_or_default(), name);
        let text = match &body {
            Body::Bytes(bytes) => format!("{query}&{}", String::from_utf8_lossy(bytes)),
            _ => query.clone(),
        };
        let mut request = WebRequest::new(method, body)
            .with_checked_form_token(checked)
            .with_query(query);
        for (header, value) in &headers {
            let one = std::slice::from_ref(value);
            for value in value.as_array().map_or(one, Vec::as_slice) {
                if let Some(text) = value.as_str() {
                    request.set_header(header, &self.filled(text, name));
                }
            }
        }
        (request, text)
    }

    fn body(&mut self, step: &Value, name: &str) -> Body {
        match step["given"].as_str() {
            Some("too_large") => return Body::TooLarge,
            Some("unreadable") => return Body::Unreadable,
            _ => {}
        }
        if let Some(text) = step["body"].as_str() {
            let text = self.filled(text, name);
            return Body::Bytes(text.chars().map(|c| u8::try_from(c).unwrap()).collect());
        }
        let pairs: Vec<(String, Option<String>)> = if step["do"] == "resend" {
            let fields = self.browsers[name].fields.clone();
            fields.into_iter().map(|(k, v)| (k, Some(v))).collect()
        } else {
            let form = step["form"].as_array().cloned().unwrap_or_default();
            let filled = |pair: &Value| {
                let value = pair[1].as_str().map(|text| self.filled(text, name));
                (pair[0].as_str().unwrap().to_owned(), value)
            };
            form.iter().map(filled).collect()
        };
        if step["given"] == "fields" {
            let value = |text: Option<String>| text.map_or(FieldValue::NotText, FieldValue::Text);
            return Body::Fields(pairs.into_iter().map(|(k, v)| (k, value(v))).collect());
        }
        let pairs = pairs.into_iter().map(|(k, v)| (k, v.unwrap()));
        let encoded = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        Body::Bytes(encoded.into_bytes())
    }

    /// Replaces the placeholders in all texts.
    fn filled_value(&mut self, value: &Value, browser: &str) -> Value {
        match value {
            Value::String(text) => self.filled(text, browser).into(),
            Value::Array(values) => values
                .iter()
                .map(|v| self.filled_value(v, browser))
                .collect(),
            Value::Object(members) => {
                let filled = members.iter();
                let filled = filled.map(|(k, v)| (k.clone(), self.filled_value(v, browser)));
                Value::Object(filled.collect::<Map<_, _>>())
            }
            other => other.clone(),
        }
    }

    /// Replaces the placeholders in a text.
    fn filled(&mut self, text: &str, browser: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, (inner, after))) = rest
            .split_once('{')
            .and_then(|(before, tail)| Some((before, tail.split_once('}')?)))
        {
            let parts: Vec<_> = inner.split(':').collect();
            filled.push_str(before);
            match parts[..] {
                ["site"] => filled.push_str(self.flow.client().client_id()),
                ["broker"] => filled.push_str(self.surroundings.broker.origin()),
                ["token"] => filled.push_str(&self.token("genuine", None)),
                ["token", kind] => filled.push_str(&self.token(kind, None)),
                ["token", kind, login] => filled.push_str(&self.token(kind, Some(login))),
                ["code"] => filled.push_str(&self.code("genuine", None)),
                ["code", kind, login] => filled.push_str(&self.code(kind, Some(login))),
                ["state"] => filled.push_str(&self.state(None)),
                ["state", login] => filled.push_str(&self.state(Some(login))),
                ["cookie", name] => filled.push_str(self.cookie(browser, name)),
                ["cookie", other, name] => filled.push_str(self.cookie(other, name)),
                ["field", name] => filled.push_str(self.field(browser, name)),
                ["field", other, name] => filled.push_str(self.field(other, name)),
                ["repeat", text, times] => filled.push_str(&text.repeat(times.parse().unwrap())),
                _ => {
                    filled.push('{');
                    rest = &rest[before.len() + 1..];
                    continue;
                }
            }
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    fn cookie(&self, browser: &str, name: &str) -> &str {
        let found = self.browsers.get(browser);
        let found = found.and_then(|browser| browser.cookie(name));
        found.unwrap_or_else(|| panic!("{browser} has no cookie {name}"))
    }

    fn field(&self, browser: &str, name: &str) -> &str {
        let mut fields = self.browsers[browser].fields.iter();
        &fields.find(|(known, _)| known == name).unwrap().1
    }

    fn code(&mut self, kind: &str, login: Option<&str>) -> String {
        let token = self.token(kind, login);
        self.codes.code(token)
    }

    /// What the broker sends back unchanged.
    fn state(&self, login: Option<&str>) -> String {
        query_of(self.login(login)).remove("state").unwrap()
    }

    /// The URL of a login at the broker: the one of that name, or the one started last.
    fn login(&self, name: Option<&str>) -> &String {
        let mut logins = self.logins.iter();
        let found = match name {
            None => logins.next_back(),
            Some(name) => logins.find(|(known, _)| known == name),
        };
        &found.unwrap().1
    }

    /// A token for a login; the same text every time.
    fn token(&mut self, kind: &str, login: Option<&str>) -> String {
        let url = self.login(login).clone();
        let key = (kind.to_owned(), url.clone());
        let kind = &self.vectors["tokens"][kind];
        let minted = || self.surroundings.mint(kind, &url);
        self.tokens.entry(key).or_insert_with(minted).clone()
    }
}

/// The response of an integration, with a hook that behaves as the case says.
fn answer(mut step: Step, hook: &Value, mode: Mode) -> Answer {
    let login = step.login.as_ref().map(|login| {
        let (email, same_browser) = (&login.email, login.same_browser);
        let (state, session) = (&login.state, &login.session);
        json!({ "email": email, "same_browser": same_browser, "state": state, "session": session })
    });
    let refusal = hook["refuses"].as_str().and_then(Code::from_text);
    if let Some(code) = refusal {
        step = step.refuse(code);
    }
    let error = step.error.as_ref();
    let error = error.map(|error| mode.code_of_store(error.code()));
    let mut answer = Answer::new(step.reply, step.page, error, login);
    if answer.login.is_none() || refusal.is_some() {
        return answer;
    }
    if hook == "throws" {
        return answer.replaced(500, String::new());
    }
    let answered = hook[0].as_u64();
    if let Some(status) = answered {
        let text = hook[1].as_str().unwrap().to_owned();
        answer = answer.replaced(u16::try_from(status).unwrap(), text);
    }
    if answered.is_none_or(|status| status < 400) {
        answer.cookies.extend(step.login_cookies);
    }
    answer
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The members of a query.
pub(crate) fn query_of(url: &str) -> BTreeMap<String, String> {
    Url::parse(url)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect()
}
