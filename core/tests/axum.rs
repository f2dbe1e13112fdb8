//! Logs in to the example site on axum, over HTTP.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[allow(dead_code, reason = "it is a program with a main function")]
#[path = "../examples/axum.rs"]
mod site;

use std::collections::BTreeMap;

use portier_client::Client;
use portier_client::doctor::{DoctorOptions, FindingId, examine};
use portier_client::testing::{DevBroker, DevBrokerOptions};
use portier_client::web::MAX_FORM_BYTES;
use reqwest::Method;
use reqwest::redirect::Policy;
use tokio::net::TcpListener;
use url::{Url, form_urlencoded};

const SAME_ORIGIN: (&str, &str) = ("sec-fetch-site", "same-origin");
const CROSS_SITE: (&str, &str) = ("sec-fetch-site", "cross-site");
const SCRIPT: (&str, &str) = ("sec-fetch-mode", "cors");

struct Browser {
    origin: String,
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
    broker: DevBroker,
}

struct Answer {
    status: u16,
    location: String,
    policy: String,
    body: String,
}

impl Browser {
    async fn new() -> Self {
        let broker = DevBroker::spawn(DevBrokerOptions::default()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let client = Client::builder(format!("{origin}/verify"))
            .broker(broker.origin())
            .build()
            .unwrap();
        let secret = (0..32).map(|byte| byte * 7 + 3).collect();
        let app = site::app(client, secret).unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            origin,
            http,
            cookies: BTreeMap::new(),
            broker,
        }
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], &[]).await
    }

    async fn post(
        &mut self,
        path: &str,
        header: (&str, &str),
        form: &[(String, String)],
    ) -> Answer {
        self.send(Method::POST, path, &[header], form).await
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        form: &[(String, String)],
    ) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.origin))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !headers.contains(&CROSS_SITE) && !self.cookies.is_empty() {
            let pairs = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"));
            request = request.header("cookie", pairs.collect::<Vec<_>>().join("; "));
        }
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let (name, value) = cookie.to_str().unwrap().split_once('=').unwrap();
            let (value, flags) = value.split_once(';').unwrap();
            if flags.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let header = |name| {
            let value = response.headers().get(name);
            value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
        };
        Answer {
            status: response.status().as_u16(),
            location: header("location"),
            policy: header("content-security-policy"),
            body: response.text().await.unwrap(),
        }
    }

    /// The path and the query to which the broker redirects the browser.
    fn answer_of_the_broker(&self, url: &str) -> String {
        let (target, fields) = self.broker.sign_in(url).unwrap();
        let path = target.strip_prefix(&self.origin).unwrap();
        let mut query = form_urlencoded::Serializer::new(format!("{path}?"));
        query.extend_pairs(fields).finish()
    }
}

fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

#[tokio::test]
async fn somebody_logs_in_visits_the_members_page_and_signs_out() {
    let mut browser = Browser::new().await;
    let refused = browser.get("/members").await;
    assert_eq!(
        (refused.status, &*refused.location),
        (303, "/?next=%2Fmembers")
    );
    let page = browser.get(&refused.location).await;
    assert!(page.body.contains(r#"name="next" value="/members""#));
    assert!(page.policy.contains(browser.broker.origin()));

    let form = fields(&[("email", "Alice@example.com"), ("next", "/members?page=2")]);
    let started = browser.post("/login", SAME_ORIGIN, &form).await;
    assert_eq!(started.status, 303);
    assert!(started.location.starts_with(browser.broker.origin()));

    assert!(!browser.cookies.contains_key("portier-session"));
    let answer = browser.answer_of_the_broker(&started.location);
    // The second time, it is a reload.
    for _ in 0..2 {
        let done = browser.get(&answer).await;
        assert_eq!((done.status, &*done.location), (303, "/members?page=2"));
    }

    assert!(
        browser
            .get("/members")
            .await
            .body
            .contains("You are alice@example.com.")
    );
    browser.post("/logout", CROSS_SITE, &[]).await;
    assert_eq!(browser.get("/members").await.status, 200);
    let out = browser.post("/logout", SAME_ORIGIN, &[]).await;
    assert_eq!((out.status, &*out.location), (303, "/"));
    assert_eq!(browser.get("/members").await.status, 303);
}

#[tokio::test]
async fn the_form_comes_back_with_a_mistyped_address() {
    let mut browser = Browser::new().await;
    let form = fields(&[("email", "alice@\"example"), ("next", "/members")]);
    let again = browser.post("/login", SAME_ORIGIN, &form).await;
    assert_eq!(again.status, 400);
    assert!(
        again
            .body
            .contains(r#"name="email" value="alice@&quot;example""#)
    );
    assert!(again.body.contains(r#"name="next" value="/members""#));
    assert!(again.body.contains("does not look like an e-mail address"));
}

#[tokio::test]
async fn a_script_gets_the_address_to_go_to_as_json() {
    let mut browser = Browser::new().await;
    let form = fields(&[("email", "alice@example.com")]);
    let headers = [SAME_ORIGIN, SCRIPT];
    let started = browser.send(Method::POST, "/login", &headers, &form).await;
    assert_eq!(started.status, 200);
    let answer: serde_json::Value = serde_json::from_str(&started.body).unwrap();
    let url = Url::parse(answer["url"].as_str().unwrap()).unwrap();
    assert_eq!(url.origin().ascii_serialization(), browser.broker.origin());
}

#[tokio::test]
async fn requests_that_start_no_login_have_their_status() {
    let mut browser = Browser::new().await;
    let form = fields(&[("email", "alice@example.com")]);
    assert_eq!(browser.post("/login", CROSS_SITE, &form).await.status, 403);
    let nobody = fields(&[("email", "nobody")]);
    assert_eq!(
        browser.post("/login", SAME_ORIGIN, &nobody).await.status,
        400
    );
    let large = fields(&[("email", &"a".repeat(MAX_FORM_BYTES))]);
    assert_eq!(
        browser.post("/login", SAME_ORIGIN, &large).await.status,
        413
    );
    assert_eq!(browser.get("/verify").await.status, 405);
}

#[tokio::test]
async fn the_doctor_finds_nothing_wrong() {
    let site = Browser::new().await;
    let mut options = DoctorOptions::new(format!("{}/verify", site.origin));
    options.broker = Some(site.broker.origin().to_owned());
    options.login_page = Some(format!("{}/", site.origin));
    let report = examine(options).await;
    let is_good = report.is_healthy() && report.has(FindingId::Callback);
    assert!(is_good, "{}", report.to_text(false));
}
