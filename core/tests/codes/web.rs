//! The code flow in the web flow: the broker's answer is the query of a `GET`.

use portier_client::testing::MintOptions;
use portier_client::web::{Body, FlowOptions, LoginFlow, SessionOptions, Step, WebRequest};
use url::form_urlencoded;

use crate::Site;

const FORM: &str = "application/x-www-form-urlencoded";

/// A browser with its cookies.
struct Browser<'a> {
    flow: &'a LoginFlow,
    cookies: Vec<(String, String)>,
}

impl<'a> Browser<'a> {
    fn of(flow: &'a LoginFlow) -> Self {
        Self {
            flow,
            cookies: Vec::new(),
        }
    }

    async fn login(&mut self, email: &str) -> String {
        let body = Body::Bytes(format!("email={email}&next=/members").into_bytes());
        let step = self.flow.login(self.request("POST", body, &[])).await;
        self.keep(&step.reply.cookies);
        location(&step)
    }

    async fn get(&mut self, query: &str, headers: &[(&str, &str)]) -> Step {
        self.callback("GET", query, headers).await
    }

    async fn callback(&mut self, method: &str, query: &str, headers: &[(&str, &str)]) -> Step {
        let request = self.request(method, Body::Empty, headers).with_query(query);
        self.completed(request).await
    }

    async fn post(&mut self, form: &[(String, String)]) -> Step {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = self.request("POST", Body::Bytes(body.into_bytes()), &[]);
        self.completed(request).await
    }

    async fn completed(&mut self, request: WebRequest) -> Step {
        let step = self.flow.callback(request).await;
        self.keep(&step.reply.cookies);
        self.keep(&step.login_cookies);
        step
    }

    fn request(&self, method: &str, body: Body, headers: &[(&str, &str)]) -> WebRequest {
        let mut request = WebRequest::new(method, body);
        request.set_header("content-type", FORM);
        for (name, value) in &self.cookies {
            request.set_header("cookie", &format!("{name}={value}"));
        }
        for (name, value) in headers {
            request.set_header(name, value);
        }
        request
    }

    fn keep(&mut self, set_cookies: &[String]) {
        for set_cookie in set_cookies {
            let (name, value) = set_cookie
                .split(';')
                .next()
                .unwrap()
                .split_once('=')
                .unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }
}

fn location(step: &Step) -> String {
    let mut headers = step.reply.headers.iter();
    let found = headers.find(|(name, _)| *name == "location");
    found.map(|(_, value)| value.clone()).unwrap_or_default()
}

impl Site {
    fn flow(&self) -> LoginFlow {
        let mut options = FlowOptions::default();
        let secret = b"WkT1vS7mQ9x4LhR2nYcB8dGpJ6fZaE3u".to_vec();
        options.session = Some(SessionOptions::new(vec![secret]));
        LoginFlow::new(self.client.clone(), options).unwrap()
    }

    /// The query that the broker sends with the browser.
    fn query(&self, url: &str) -> String {
        let (_, fields) = self.broker.sign_in(url).unwrap();
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(fields).finish()
    }
}

#[tokio::test]
async fn a_get_completes_a_login_and_begins_a_session() {
    let site = Site::new();
    let flow = site.flow();
    let mut desk = Browser::of(&flow);
    let url = desk.login("alice@example.com").await;
    assert!(url.contains("response_type=code"), "{url}");
    let query = site.query(&url);
    let cross_site = [("sec-fetch-site", "cross-site")];
    let step = desk.get(&format!("?{query}"), &cross_site).await;
    assert_eq!((step.reply.status, &*location(&step)), (303, "/members"));
    assert_eq!(step.login.unwrap().email, "alice@example.com");
    let session = step.session.unwrap();
    let found = flow
        .session(&desk.request("GET", Body::Empty, &[]))
        .unwrap();
    assert_eq!(found.session, session);
    // A second click on the link, and a reload.
    let again = desk.get(&query, &[]).await;
    assert_eq!((again.reply.status, &*location(&again)), (303, "/members"));
    assert!(again.login.is_none() && again.session.is_none());
    assert_eq!(site.token_requests(), 1);
}

#[tokio::test]
async fn every_login_begins_another_session() {
    let site = Site::new();
    let flow = site.flow();
    let mut desk = Browser::of(&flow);
    let mut ids = Vec::new();
    for _ in 0..2 {
        let url = desk.login("alice@example.com").await;
        let step = desk.get(&site.query(&url), &[]).await;
        ids.push(step.session.unwrap().id);
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn what_only_looks_at_a_link_completes_nothing() {
    let site = Site::new();
    let flow = site.flow();
    let mut desk = Browser::of(&flow);
    let url = desk.login("alice@example.com").await;
    let query = site.query(&url);
    for (method, headers, status) in [
        ("HEAD", &[][..], 405),
        ("OPTIONS", &[], 405),
        ("PUT", &[], 405),
        ("GET", &[("sec-purpose", "prefetch")], 503),
        ("GET", &[("sec-purpose", "prefetch;prerender")], 503),
        ("GET", &[("purpose", "prefetch")], 503),
    ] {
        let step = desk.callback(method, &query, headers).await;
        assert_eq!(step.reply.status, status, "{method} {headers:?}");
        assert!(step.login.is_none() && step.reply.cookies.is_empty());
    }
    // A mail scanner keeps no cookies, or is another browser.
    let mut scanner = Browser::of(&flow);
    let first = scanner.get(&query, &[]).await;
    assert_eq!(first.reply.status, 303);
    let without = Browser::of(&flow).get(&location(&first), &[]).await;
    assert_eq!(without.reply.status, 400);
    let asked = scanner.get(&location(&first), &[]).await;
    assert!(asked.login.is_none() && asked.reply.status == 200);
    assert_eq!(site.token_requests(), 0);
    assert!(desk.get(&query, &[]).await.login.is_some());
}

#[tokio::test]
async fn a_person_goes_on_in_another_browser_with_a_form_and_not_with_a_link() {
    let site = Site::new();
    let flow = site.flow();
    let url = Browser::of(&flow).login("alice@example.com").await;
    let query = site.query(&url);
    let mut phone = Browser::of(&flow);
    let first = phone.get(&query, &[]).await;
    let asked = phone.get(&location(&first), &[]).await;
    let Some(portier_client::web::Page::Confirmation(question)) = asked.page else {
        panic!("{asked:?}");
    };
    assert_eq!(question.email, "alice@example.com");
    let fields = question.fields;
    let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["code", "state", "portier_again", "portier_confirmation"]
    );
    let link = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&fields)
        .finish();
    assert!(phone.get(&link, &[]).await.login.is_none());
    assert_eq!(site.token_requests(), 0);
    let step = phone.post(&fields).await;
    assert!(!step.login.unwrap().same_browser);
}

#[tokio::test]
async fn a_token_in_a_query_completes_nothing() {
    let site = Site::new();
    let mut options = FlowOptions::default();
    options.flow = None;
    let client = site.client.clone();
    let flow = LoginFlow::new(client, options).unwrap();
    let mut desk = Browser::of(&flow);
    let url = desk.login("alice@example.com").await;
    let token = site.broker.mint(&MintOptions::for_url(&url).unwrap());
    let query = site.query(&url);
    for query in [
        format!("id_token={}&state=", token.clone().unwrap()),
        format!("id_token={}&{query}", token.unwrap()),
    ] {
        let step = desk.get(&query, &[]).await;
        assert_eq!(step.reply.status, 405);
    }
    assert!(desk.get(&query, &[]).await.login.is_some());
}

#[tokio::test]
async fn a_refusal_of_the_broker_comes_in_the_query_too() {
    let site = Site::new();
    let flow = site.flow();
    let mut desk = Browser::of(&flow);
    let url = desk.login("alice@example.com").await;
    let query = site.query(&url);
    let (_, state) = query.split_once("state=").unwrap();
    for (given, status) in [
        (format!("error=access_denied&state={state}"), 403),
        (format!("error=server_error&state={state}"), 400),
        (format!("{query}&state=a"), 400),
        (format!("{query}&code=a"), 400),
        ("code=a".to_owned(), 400),
        (format!("code=%FF&state={state}"), 400),
        (format!("state={state}"), 400),
        (format!("code={}&state={state}", "a".repeat(70_000)), 413),
        (String::new(), 405),
        ("utm_source=mail".to_owned(), 405),
    ] {
        let step = desk.get(&given, &[]).await;
        let start: String = given.chars().take(40).collect();
        assert_eq!(step.reply.status, status, "{start}");
        let private = ("referrer-policy", "no-referrer".to_owned());
        assert!(step.reply.headers.contains(&private));
    }
    assert!(desk.get(&query, &[]).await.login.is_some());
}
