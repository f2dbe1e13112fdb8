//! Logins that are bound to the browser in which they were started.
#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;
use std::time::Duration;

use portier_client::testing::{DevBroker, DevBrokerOptions, ManualClock, MintOptions};
use portier_client::{
    AuthenticateOptions, BoxFuture, BrowserMismatch, CallbackParams, Client, Code, CompleteOptions,
    Error, Login, MemoryStore, Result, SessionKey, Store, Taken,
};

const HERE: &str = "the secret of a browser";
const THERE: &str = "the secret of another";

struct Site {
    clock: Arc<ManualClock>,
    broker: DevBroker,
    client: Client,
}

impl Site {
    fn new() -> Self {
        Self::with_store(|clock| Arc::new(MemoryStore::new(clock)))
    }

    fn with_store(store: impl FnOnce(Arc<ManualClock>) -> Arc<dyn Store>) -> Self {
        let clock = Arc::new(ManualClock::at(1_790_000_000));
        let broker = DevBroker::spawn(DevBrokerOptions {
            clock: Some(clock.clone()),
            ..DevBrokerOptions::default()
        })
        .unwrap();
        let client = Client::builder("https://example.com/verify")
            .broker(broker.origin())
            .clock(clock.clone())
            .store(store(clock.clone()))
            .build()
            .unwrap();
        Self {
            clock,
            broker,
            client,
        }
    }

    async fn start(&self, browser: Option<&str>) -> MintOptions {
        let mut options = AuthenticateOptions::for_email("Alice@example.com");
        options.browser = browser.map(str::to_owned);
        let url = self.client.authenticate_with(options).await.unwrap();
        MintOptions::for_url(&url).unwrap()
    }

    /// Starts a login in a browser and returns the token that answers it.
    async fn token(&self, browser: Option<&str>) -> String {
        self.broker.mint(&self.start(browser).await).unwrap()
    }

    async fn complete(&self, id_token: &str, browser: Option<&str>) -> Result<Login> {
        self.client.complete(params(id_token), browser).await
    }

    async fn confirm(&self, id_token: &str, browser: &str, confirmation: &str) -> Result<Login> {
        let options = CompleteOptions::in_browser(browser).confirmation(confirmation);
        self.client.complete_with(params(id_token), options).await
    }

    /// The mismatch for a browser that did not start the login.
    async fn mismatch(&self, id_token: &str, browser: Option<&str>) -> BrowserMismatch {
        let error = self.complete(id_token, browser).await.unwrap_err();
        assert_eq!(error.code(), Code::SessionBrowser);
        error.browser_mismatch().unwrap().clone()
    }
}

fn params(id_token: &str) -> CallbackParams {
    CallbackParams::from_pairs([("id_token", id_token)]).unwrap()
}

#[tokio::test]
async fn a_login_bound_to_a_browser_is_completed_there() {
    let site = Site::new();
    let login = site
        .complete(&site.token(Some(HERE)).await, Some(HERE))
        .await;
    assert!(login.unwrap().same_browser);
}

#[tokio::test]
async fn an_unbound_login_completes_without_a_secret() {
    let site = Site::new();
    let login = site.complete(&site.token(None).await, None).await;
    assert!(!login.unwrap().same_browser);
}

#[tokio::test]
async fn an_unbound_login_is_refused_with_a_secret() {
    let site = Site::new();
    let id_token = site.token(None).await;
    for browser in [HERE, ""] {
        let mismatch = site.mismatch(&id_token, Some(browser)).await;
        assert_eq!(mismatch.confirmation.is_some(), browser == HERE);
    }
    // The login is still pending.
    let login = site.complete(&id_token, None).await;
    assert!(!login.unwrap().same_browser);
}

#[tokio::test]
async fn another_browser_uses_nothing_up() {
    let site = Site::new();
    let id_token = site.token(Some(HERE)).await;
    for browser in [Some(THERE), None, Some(""), Some("1")] {
        let mismatch = site.mismatch(&id_token, browser).await;
        assert_eq!(mismatch.email, "alice@example.com");
        // An empty or short secret is not secret.
        assert_eq!(mismatch.confirmation.is_some(), browser == Some(THERE));
    }
    let error = site.client.verify(&id_token).await.unwrap_err();
    assert_eq!(error.code(), Code::SessionBrowser);
    assert_eq!(site.client.stats().pending, Some(1));
    assert!(
        site.complete(&id_token, Some(HERE))
            .await
            .unwrap()
            .same_browser
    );
}

#[tokio::test]
async fn a_person_confirms_to_go_on_in_another_browser() {
    let site = Site::new();
    let id_token = site.token(Some(HERE)).await;
    let confirmation = site.mismatch(&id_token, Some(THERE)).await.confirmation;
    let login = site.confirm(&id_token, THERE, &confirmation.unwrap()).await;
    let login = login.unwrap();
    assert_eq!(login.email, "alice@example.com");
    assert!(!login.same_browser);
}

#[tokio::test]
async fn a_confirmation_is_good_for_one_browser_and_one_token() {
    let site = Site::new();
    let (id_token, other) = (site.token(Some(HERE)).await, site.token(Some(HERE)).await);
    let given = site.mismatch(&id_token, Some(THERE)).await.confirmation;
    let given = given.unwrap();
    for (id_token, browser, confirmation) in [
        (&id_token, "a third browser", given.as_str()),
        (&id_token, "", &given),
        (&other, THERE, &given),
        (&id_token, THERE, ""),
        (&id_token, THERE, &given[1..]),
        (&id_token, THERE, HERE),
    ] {
        let error = site.confirm(id_token, browser, confirmation).await;
        assert_eq!(error.unwrap_err().code(), Code::SessionBrowser);
    }
    let options = CompleteOptions::default().confirmation(&given);
    let without = site.client.complete_with(params(&id_token), options).await;
    assert_eq!(without.unwrap_err().code(), Code::SessionBrowser);
    site.confirm(&id_token, THERE, &given).await.unwrap();
}

#[tokio::test]
async fn a_login_that_has_ended_is_ended_in_every_browser() {
    let site = Site::new();
    let id_token = site.token(Some(HERE)).await;
    let confirmation = site.mismatch(&id_token, Some(THERE)).await.confirmation;
    site.complete(&id_token, Some(HERE)).await.unwrap();
    for (browser, same) in [(Some(HERE), true), (Some(THERE), false), (None, false)] {
        let error = site.complete(&id_token, browser).await.unwrap_err();
        assert_eq!(error.code(), Code::SessionUsed);
        assert_eq!(error.same_browser(), same);
    }
    let late = site.confirm(&id_token, THERE, &confirmation.unwrap()).await;
    let late = late.unwrap_err();
    assert_eq!(
        (late.code(), late.same_browser()),
        (Code::SessionUsed, false)
    );
}

#[tokio::test]
async fn an_expired_login_is_not_confirmed_in_another_browser() {
    let site = Site::new();
    let mint = site.start(Some(HERE)).await;
    site.clock.advance(Duration::from_secs(30 * 60));
    let id_token = site.broker.mint(&mint).unwrap();
    for browser in [Some(HERE), Some(THERE), None] {
        let error = site.complete(&id_token, browser).await.unwrap_err();
        assert_eq!(error.code(), Code::SessionUnknown);
    }
}

#[tokio::test]
async fn a_self_made_bound_nonce_completes_no_login() {
    let site = Site::new();
    let mut mint = site.start(None).await;
    mint.nonce = "A".repeat(54);
    let id_token = site.broker.mint(&mint).unwrap();
    for browser in [Some(HERE), None] {
        let error = site.complete(&id_token, browser).await.unwrap_err();
        assert_eq!(error.code(), Code::SessionUnknown);
    }
}

#[tokio::test]
async fn a_confirmed_login_is_checked_like_any_other() {
    let site = Site::new();
    let mut mint = site.start(Some(HERE)).await;
    mint.email = "mallory@example.com".into();
    let id_token = site.broker.mint(&mint).unwrap();
    let confirmation = site.mismatch(&id_token, Some(THERE)).await.confirmation;
    let error = site.confirm(&id_token, THERE, &confirmation.unwrap()).await;
    assert_eq!(error.unwrap_err().code(), Code::SessionEmail);
}

#[tokio::test]
async fn nothing_secret_is_shown() {
    let site = Site::new();
    let id_token = site.token(Some(HERE)).await;
    let error = site.complete(&id_token, Some(THERE)).await.unwrap_err();
    let mismatch = error.browser_mismatch().unwrap();
    let mut options = CompleteOptions::in_browser(THERE);
    options.confirmation = mismatch.confirmation.as_deref();
    let shown = format!("{error} {error:?} {mismatch:?} {options:?}");
    assert!(shown.contains("CompleteOptions"));
    assert!(!shown.contains("alice"));
    assert!(!shown.contains(THERE));
    assert!(!shown.contains(mismatch.confirmation.as_deref().unwrap()));
}

/// A store without `peek` and `contains`, or one that is down.
struct Blind(MemoryStore, Option<Code>);

impl Store for Blind {
    fn put<'a>(
        &'a self,
        key: &'a SessionKey,
        record: String,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<()>> {
        assert!(!record.contains("\"b\""), "{record}");
        self.0.put(key, record, ttl)
    }

    fn take<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
        self.0.take(key)
    }

    fn contains<'a>(&'a self, _: &'a SessionKey) -> BoxFuture<'a, Result<Option<bool>>> {
        let outcome = self
            .1
            .map_or(Ok(None), |code| Err(Error::new(code, "down")));
        Box::pin(async { outcome })
    }
}

#[tokio::test]
async fn a_store_that_cannot_tell_keeps_a_login_for_its_browser() {
    let site = Site::with_store(|clock| Arc::new(Blind(MemoryStore::new(clock), None)));
    let id_token = site.token(Some(HERE)).await;
    site.mismatch(&id_token, Some(THERE)).await;
    site.complete(&id_token, Some(HERE)).await.unwrap();
    let confirmation = site.mismatch(&id_token, Some(THERE)).await.confirmation;
    let late = site.confirm(&id_token, THERE, &confirmation.unwrap()).await;
    assert_eq!(late.unwrap_err().code(), Code::SessionUsed);
}

#[tokio::test]
async fn a_store_that_is_down_is_not_another_browser() {
    let down = Some(Code::StoreUnavailable);
    let site = Site::with_store(|clock| Arc::new(Blind(MemoryStore::new(clock), down)));
    let id_token = site.token(Some(HERE)).await;
    let error = site.complete(&id_token, Some(THERE)).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreUnavailable);
    site.complete(&id_token, Some(HERE)).await.unwrap();
}

/// A store with a correct `take`, whose other methods return wrong answers.
struct Lagging(MemoryStore, Option<Taken>);

impl Store for Lagging {
    fn put<'a>(
        &'a self,
        key: &'a SessionKey,
        record: String,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<()>> {
        self.0.put(key, record, ttl)
    }

    fn take<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
        self.0.take(key)
    }

    fn contains<'a>(&'a self, _: &'a SessionKey) -> BoxFuture<'a, Result<Option<bool>>> {
        Box::pin(async { Ok(Some(false)) })
    }

    fn peek<'a>(&'a self, _: &'a SessionKey) -> BoxFuture<'a, Result<Option<Taken>>> {
        Box::pin(async { Ok(self.1.clone()) })
    }
}

#[tokio::test]
async fn another_browser_uses_up_no_login_of_a_slow_or_hostile_store() {
    for (says, code) in [
        (None, Code::SessionUnknown),
        (Some(Taken::Unknown), Code::SessionUnknown),
        (Some(Taken::Used), Code::SessionUsed),
        (Some(Taken::Record("{}".into())), Code::SessionBrowser),
    ] {
        let site =
            Site::with_store(|clock| Arc::new(Lagging(MemoryStore::new(clock), says.clone())));
        let id_token = site.token(Some(HERE)).await;
        for browser in [Some(THERE), None, Some("")] {
            let error = site.complete(&id_token, browser).await.unwrap_err();
            assert_eq!(error.code(), code, "{says:?}");
        }
        let confirmation = Some("not the right one");
        let mut options = CompleteOptions::in_browser(THERE);
        options.confirmation = confirmation;
        let confirmed = site.client.complete_with(params(&id_token), options).await;
        assert_eq!(confirmed.unwrap_err().code(), code, "{says:?}");
        let unbound = site.token(None).await;
        let error = site.complete(&unbound, Some(HERE)).await.unwrap_err();
        assert_eq!(error.code(), code, "{says:?}");
        site.complete(&id_token, Some(HERE)).await.unwrap();
        site.complete(&unbound, None).await.unwrap();
    }
}
