//! A site, a broker, and a browser.

use std::sync::Arc;
use std::time::Duration;

use portier_client::testing::{DevBroker, DevBrokerOptions, ManualClock, MintOptions, Mode};
use portier_client::{Builder, CallbackParams, Client, Error, Login, Result};
use reqwest::redirect::Policy;
use url::{Url, form_urlencoded};

pub(crate) const DISCOVERY: &str = "/.well-known/openid-configuration";
pub(crate) const KEYS: &str = "/keys.json";

const REDIRECT_URI: &str = "http://localhost:8888/verify";

/// A relying party and its broker, with the same time.
pub(crate) struct Site {
    pub(crate) broker: DevBroker,
    pub(crate) client: Client,
    pub(crate) clock: Arc<ManualClock>,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(Mode::Accept, |builder| builder)
    }

    pub(crate) fn with(mode: Mode, configure: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = Arc::new(ManualClock::at(1_800_000_000));
        let broker = DevBroker::spawn(DevBrokerOptions {
            mode,
            clock: Some(clock.clone()),
            ..DevBrokerOptions::default()
        })
        .unwrap();
        let builder = Client::builder(REDIRECT_URI)
            .broker(broker.origin())
            .clock(clock.clone());
        let client = configure(builder).build().unwrap();
        Self {
            broker,
            client,
            clock,
        }
    }

    /// Another process of the site.
    pub(crate) fn client_of(broker: &DevBroker, clock: &Arc<ManualClock>) -> Client {
        let builder = Client::builder(REDIRECT_URI).broker(broker.origin());
        builder.clock(clock.clone()).build().unwrap()
    }

    /// Starts a login and returns the token that would complete it, with changes.
    pub(crate) async fn token(&self, change: impl FnOnce(&mut MintOptions)) -> String {
        let url = self.client.authenticate("alice@example.com").await.unwrap();
        let mut options = MintOptions::for_url(&url).unwrap();
        change(&mut options);
        self.broker.mint(&options).unwrap()
    }

    /// Logs in as a browser would.
    pub(crate) async fn log_in(&self, email: &str) -> Result<Login> {
        let url = self.client.authenticate(email).await?;
        let callback = Browser::new().open(&url).await.callback();
        self.client.complete(callback, None).await
    }

    pub(crate) fn requests(&self, path: &str) -> u64 {
        self.broker.requests().get(path).copied().unwrap_or(0)
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

pub(crate) fn code<T>(result: Result<T>) -> &'static str {
    result.map_or_else(|error: Error| error.code().as_str(), |_| "no error")
}

/// A browser that can fill in forms, press buttons and follow redirects.
pub(crate) struct Browser(reqwest::Client);

impl Browser {
    pub(crate) fn new() -> Self {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(Duration::from_secs(30));
        Self(client.build().unwrap())
    }

    pub(crate) async fn open(&self, url: &str) -> Page {
        Page::read(self.0.get(url).send().await.unwrap()).await
    }

    /// `None` if there is no response.
    pub(crate) async fn try_open(&self, url: &str) -> Option<Page> {
        let response = self.0.get(url).send().await.ok()?;
        Some(Page::read(response).await)
    }

    /// Posts the form of a page, with additional values of the person.
    pub(crate) async fn submit(&self, page: &Page, added: &[(&str, &str)]) -> Page {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(page.hidden_fields()).extend_pairs(added);
        let request = self
            .0
            .post(page.url.join(&page.action()).unwrap())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.finish());
        Page::read(request.send().await.unwrap()).await
    }
}

/// A page.
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Page {
    async fn read(response: reqwest::Response) -> Self {
        Self {
            url: response.url().clone(),
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// The parameters that the page sends to the relying party: the form that it posts, or the fragment of the
    /// URL to which it redirects.
    pub(crate) fn callback(&self) -> CallbackParams {
        if self.status == 303 {
            let (to, fragment) = self.header("location").split_once('#').unwrap();
            assert_eq!(to, REDIRECT_URI);
            return CallbackParams::from_pairs(form_urlencoded::parse(fragment.as_bytes()))
                .unwrap();
        }
        assert_eq!(self.status, 200, "{}", self.text);
        assert_eq!(self.action(), REDIRECT_URI);
        CallbackParams::from_pairs(self.hidden_fields()).unwrap()
    }

    pub(crate) fn hidden_fields(&self) -> Vec<(String, String)> {
        let inputs = self.text.split("<input type=\"hidden\"").skip(1);
        inputs
            .map(|input| (attribute(input, "name"), attribute(input, "value")))
            .collect()
    }

    fn action(&self) -> String {
        attribute(self.text.split_once("<form").unwrap().1, "action")
    }
}

/// The first attribute of this name in a piece of HTML.
fn attribute(html: &str, name: &str) -> String {
    let (_, after) = html.split_once(&format!(" {name}=\"")).unwrap();
    let (value, _) = after.split_once('"').unwrap();
    value
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#38;", "&")
}
