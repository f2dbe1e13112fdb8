//! The code flow in the web flow: the broker's answer is the query of a `GET`.

use portier_client::web::{Body, FlowOptions, LoginFlow, SessionOptions, Step, WebRequest};
use portier_client::{Client, Code, Flow};
use url::form_urlencoded;

use crate::sealed::sealed;
use crate::{Site, sites};

const FORM: &str = "application/x-www-form-urlencoded";

/// A browser with its cookies.
#[derive(Clone)]
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

    /// Brings the broker's answer: as a query, or as a form in the implicit flow.
    async fn get(&mut self, answer: &str) -> Step {
        let request = if answer.contains("id_token=") {
            self.request("POST", Body::Bytes(answer.as_bytes().to_vec()))
        } else {
            self.request("GET", Body::Empty).with_query(answer)
        };
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
    found
        .map(|(_, value)| value.to_string())
        .unwrap_or_default()
}

fn flow(client: Client, kind: Option<Flow>) -> LoginFlow {
    let mut options = FlowOptions::default();
    options.flow = kind;
    let secret = b"WkT1vS7mQ9x4LhR2nYcB8dGpJ6fZaE3u".to_vec();
    options.session = Some(SessionOptions::new(vec![secret]));
    LoginFlow::new(client, options).unwrap()
}

impl Site {
    fn flow(&self) -> LoginFlow {
        flow(self.client.clone(), None)
    }

    /// The flow of another process of a site with a secret and without a store.
    fn flow_of_another(&self, kind: Flow) -> LoginFlow {
        flow(self.another(sealed), Some(kind))
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

#[tokio::test]
async fn a_second_click_redirects_in_every_process_without_a_question() {
    for kind in [Flow::Code, Flow::Implicit] {
        let site = Site::sealed();
        let processes: Vec<_> = (0..3).map(|_| site.flow_of_another(kind)).collect();
        let mut desk = Browser::of(&processes[0]);
        let answer = site.query(&desk.login("alice@example.com").await);
        desk.flow = &processes[1];
        let step = desk.get(&answer).await;
        assert_eq!((step.reply.status, &*location(&step)), (303, "/members"));
        assert!(step.login.is_some());
        let requests = site.token_requests();
        for process in &processes {
            desk.flow = process;
            let step = desk.get(&answer).await;
            assert_eq!((step.reply.status, &*location(&step)), (303, "/members"));
            assert!(step.login.is_none() && step.session.is_none() && step.error.is_none());
            assert_eq!(process.client().stats().failures["session_used"], 1);
        }
        assert_eq!(site.token_requests(), requests);
    }
}

#[tokio::test]
async fn a_second_click_redirects_as_soon_as_the_first_was_answered() {
    for site in sites() {
        let here = site.flow();
        // Another process only if the login is sealed.
        let is_sealed = site.client.stats().pending.is_none();
        let elsewhere = if is_sealed {
            site.flow_of_another(Flow::Code)
        } else {
            here.clone()
        };
        let mut desk = Browser::of(&here);
        let answer = site.query(&desk.login("alice@example.com").await);
        let mut second_tab = desk.clone();
        second_tab.flow = &elsewhere;
        desk.get(&answer).await;
        let step = second_tab.get(&answer).await;
        assert_eq!(step.reply.status, 303);
        let once_more = location(&step);
        assert!(once_more.starts_with('?'));
        // The tabs share their cookies.
        second_tab.cookies.clone_from(&desk.cookies);
        let step = second_tab.get(&once_more).await;
        assert_eq!((step.reply.status, &*location(&step)), (303, "/members"));
        // A browser that has not received them is told so, and not sent around.
        let mut lost = Browser {
            flow: &elsewhere,
            cookies: desk.cookies.clone(),
        };
        lost.cookies
            .retain(|(name, _)| !name.ends_with("signed-in"));
        let step = lost.get(&once_more).await;
        assert_eq!(step.reply.status, 400);
        assert!(matches!(
            step.error.unwrap().code(),
            Code::CodeRefused | Code::SessionUsed
        ));
    }
}

#[tokio::test]
async fn the_proof_of_one_login_redirects_no_other_login() {
    let site = Site::sealed();
    let (here, elsewhere) = (
        site.flow_of_another(Flow::Code),
        site.flow_of_another(Flow::Code),
    );
    let mut desk = Browser::of(&here);
    let first = site.query(&desk.login("alice@example.com").await);
    let second = site.query(&desk.login("alice@example.com").await);
    desk.get(&first).await;
    desk.get(&second).await;
    desk.flow = &elsewhere;
    let once_more = location(&desk.get(&first).await);
    let step = desk.get(&once_more).await;
    assert_eq!(
        (step.reply.status, step.error.unwrap().code()),
        (400, Code::CodeRefused)
    );
    let step = desk.get(&second).await;
    assert_eq!((step.reply.status, &*location(&step)), (303, "/members"));
}
