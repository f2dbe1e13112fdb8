//! The code flow in the web flow: the broker's answer is the query of a `GET`.

use portier_client::web::{Body, FlowOptions, LoginFlow, SessionOptions, Step, WebRequest};
use url::form_urlencoded;

use crate::{Site, sites};

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
        let step = self.flow.login(self.request("POST", body)).await;
        self.keep(&step.reply.cookies);
        location(&step)
    }

    async fn get(&mut self, query: &str) -> Step {
        let request = self.request("GET", Body::Empty).with_query(query);
        let step = self.flow.callback(request).await;
        self.keep(&step.reply.cookies);
        self.keep(&step.login_cookies);
        step
    }

    fn request(&self, method: &str, body: Body) -> WebRequest {
        let mut request = WebRequest::new(method, body);
        request.set_header("content-type", FORM);
        for (name, value) in &self.cookies {
            request.set_header("cookie", &format!("{name}={value}"));
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

    /// The query with which the broker sends a browser back.
    fn query(&self, url: &str) -> String {
        let (_, fields) = self.broker.sign_in(url).unwrap();
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(fields).finish()
    }
}

#[tokio::test]
async fn the_session_that_begins_with_a_login_is_found_in_the_next_request() {
    for site in sites() {
        let flow = site.flow();
        let mut desk = Browser::of(&flow);
        let url = desk.login("alice@example.com").await;
        let query = site.query(&url);
        // With the question mark, as some frameworks give a query.
        let step = desk.get(&format!("?{query}")).await;
        assert_eq!((step.reply.status, &*location(&step)), (303, "/members"));
        let found = flow.session(&desk.request("GET", Body::Empty)).unwrap();
        assert_eq!(found.session, step.session.unwrap());
        let again = desk.get(&query).await;
        assert!(again.login.is_none() && again.session.is_none());
    }
}

#[tokio::test]
async fn every_login_begins_a_session_with_an_id_of_its_own() {
    for site in sites() {
        let flow = site.flow();
        let mut desk = Browser::of(&flow);
        let mut ids = Vec::new();
        for _ in 0..2 {
            let url = desk.login("alice@example.com").await;
            let step = desk.get(&site.query(&url)).await;
            ids.push(step.session.unwrap().id);
        }
        assert_ne!(ids[0], ids[1]);
    }
}
