//! Logins of the implicit flow that are pending in no store.
#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;
use std::time::Duration;

use portier_client::testing::{DevBroker, DevBrokerOptions, ManualClock, MintOptions};
use portier_client::web::{BrowserBinding, FlowOptions, LoginFlow, SessionOptions};
use portier_client::{
    AuthenticateOptions, BoxFuture, CallbackParams, Client, Code, CompleteOptions, Error, Flow,
    Login, MemoryStore, NonceStore, Result, SessionKey, Store, Taken,
};

const HERE: &str = "the secret of a browser";
const THERE: &str = "the secret of another";
const SECRET: &str = "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA";

struct Site {
    clock: Arc<ManualClock>,
    broker: DevBroker,
    /// What the processes share; `None` for nothing.
    store: Option<Arc<dyn Store>>,
}

impl Site {
    fn new(store: impl FnOnce(Arc<ManualClock>) -> Option<Arc<dyn Store>>) -> Self {
        let clock = Arc::new(ManualClock::at(1_790_000_000));
        let options = DevBrokerOptions {
            clock: Some(clock.clone()),
            ..DevBrokerOptions::default()
        };
        Self {
            store: store(clock.clone()),
            broker: DevBroker::spawn(options).unwrap(),
            clock,
        }
    }

    fn alone() -> Self {
        Self::new(|_| None)
    }

    fn shared() -> Self {
        Self::new(|clock| Some(Arc::new(Shared(MemoryStore::new(clock)))))
    }

    /// A client as in a process of its own.
    fn process(&self) -> Client {
        let builder = Client::builder("https://example.com/verify")
            .broker(self.broker.origin())
            .clock(self.clock.clone())
            .secret(SECRET);
        match &self.store {
            Some(store) => builder.store(Arc::clone(store)),
            None => builder,
        }
        .build()
        .unwrap()
    }

    async fn token(&self, browser: Option<&str>) -> String {
        let url = self.process().authenticate_with(options(browser)).await;
        let options = MintOptions::for_url(&url.unwrap()).unwrap();
        self.broker.mint(&options).unwrap()
    }
}

fn options(browser: Option<&str>) -> AuthenticateOptions {
    let mut options = AuthenticateOptions::for_email("Alice@example.com");
    options.session = Some("/members".to_owned());
    options.browser = browser.map(str::to_owned);
    options
}

fn params(id_token: &str) -> CallbackParams {
    CallbackParams::from_pairs([("id_token", id_token), ("state", "")]).unwrap()
}

async fn complete(client: &Client, id_token: &str, browser: &str) -> Result<Login> {
    client.complete(params(id_token), Some(browser)).await
}

async fn refused(client: &Client, id_token: &str, browser: &str) -> Error {
    complete(client, id_token, browser).await.unwrap_err()
}

/// A store for several processes.
struct Shared(MemoryStore);

impl Store for Shared {
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

    fn contains<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<bool>>> {
        self.0.contains(key)
    }

    fn pending(&self) -> Option<usize> {
        self.0.pending()
    }
}

#[tokio::test]
async fn a_login_that_is_bound_to_a_browser_needs_no_store() {
    let site = Site::alone();
    let token = site.token(Some(HERE)).await;
    let process = site.process();
    let login = complete(&process, &token, HERE).await.unwrap();
    assert_eq!(login.email, "alice@example.com");
    assert_eq!(login.email_original, "Alice@example.com");
    assert_eq!(login.session.as_deref(), Some("/members"));
    assert!(login.same_browser);
    let error = refused(&process, &token, HERE).await;
    assert_eq!(error.code(), Code::SessionUsed);
    assert!(error.same_browser());
}

#[tokio::test]
async fn sealed_logins_are_counted_but_nobody_knows_how_many_are_pending() {
    for (site, marks) in [(Site::alone(), None), (Site::shared(), Some(1))] {
        let process = site.process();
        let tokens = [site.token(Some(HERE)).await, site.token(Some(HERE)).await];
        assert_eq!(
            process.stats().logins_started,
            0,
            "another process has started them"
        );
        process
            .authenticate_with(options(Some(HERE)))
            .await
            .unwrap();
        complete(&process, &tokens[0], HERE).await.unwrap();
        refused(&process, &tokens[0], HERE).await;
        refused(&process, &tokens[1], THERE).await;
        let stats = process.stats();
        assert_eq!((stats.logins_started, stats.logins_completed), (1, 1));
        let failures = [("session_browser", 1), ("session_used", 1)];
        assert_eq!(stats.failures, failures.into());
        assert_eq!(stats.pending, None);
        // Of all that was started, the store has only what was completed.
        assert_eq!(site.store.as_ref().and_then(|store| store.pending()), marks);
    }
}

#[tokio::test]
async fn without_a_shared_store_a_login_has_to_be_bound_to_a_browser() {
    let site = Site::alone();
    let error = site.process().authenticate("alice@example.com").await;
    assert_eq!(error.unwrap_err().code(), Code::InvalidOption);
    // Another client of the site may have a store, and have started it.
    let shared = Site {
        store: Site::shared().store,
        ..site
    };
    let token = shared.token(None).await;
    let site = Site {
        store: None,
        ..shared
    };
    let error = site.process().verify(&token).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidOption);
}

#[tokio::test]
async fn without_a_shared_store_nobody_is_asked_to_go_on_in_another_browser() {
    let site = Site::alone();
    let token = site.token(Some(HERE)).await;
    let process = site.process();
    let error = refused(&process, &token, THERE).await;
    assert_eq!(error.code(), Code::SessionBrowser);
    assert_eq!(error.browser_mismatch().unwrap().confirmation, None);
    // A confirmation from elsewhere, as of a client that has a store.
    let shared = Site {
        store: Site::shared().store,
        ..site
    };
    let asked = refused(&shared.process(), &token, THERE).await;
    let confirmation = asked
        .browser_mismatch()
        .unwrap()
        .confirmation
        .clone()
        .unwrap();
    let confirmed = CompleteOptions::in_browser(THERE).confirmation(&confirmation);
    let error = process.complete_with(params(&token), confirmed).await;
    assert_eq!(error.unwrap_err().code(), Code::SessionBrowser);
    let login = shared
        .process()
        .complete_with(params(&token), confirmed)
        .await;
    assert!(!login.unwrap().same_browser);
}

#[tokio::test]
async fn of_many_attempts_in_several_processes_with_a_store_exactly_one_succeeds() {
    let site = Site::shared();
    for browser in [Some(HERE), None] {
        let token = site.token(browser).await;
        let processes: Vec<_> = (0..7).map(|_| site.process()).collect();
        let calls = (0..64).map(|attempt: usize| {
            let process = processes[attempt % processes.len()].clone();
            let params = params(&token);
            tokio::spawn(async move { process.complete(params, browser).await })
        });
        let mut completed = 0;
        for call in calls.collect::<Vec<_>>() {
            match call.await.unwrap() {
                Ok(_) => completed += 1,
                Err(error) => assert_eq!(error.code(), Code::SessionUsed),
            }
        }
        assert_eq!(completed, 1);
    }
    let store = site.store.as_ref().unwrap();
    assert_eq!(store.pending(), Some(2), "one record for each completion");
    assert_eq!(site.process().stats().pending, None);
}

#[tokio::test]
async fn a_completed_login_is_remembered_until_its_token_has_expired() {
    for site in [Site::alone(), Site::shared()] {
        let token = site.token(Some(HERE)).await;
        let process = site.process();
        complete(&process, &token, HERE).await.unwrap();
        let mut codes = Vec::new();
        for _ in 0..20 {
            site.clock.advance(Duration::from_secs(60));
            codes.push(refused(&process, &token, HERE).await.code());
        }
        codes.dedup();
        assert_eq!(codes, [Code::SessionUsed, Code::TokenExpired]);
    }
}

#[tokio::test]
async fn a_login_expires() {
    let site = Site::alone();
    let url = site.process().authenticate_with(options(Some(HERE))).await;
    let url = url.unwrap();
    site.clock.advance(Duration::from_secs(30 * 60));
    // The broker issues the token late.
    let options = MintOptions::for_url(&url).unwrap();
    let token = site.broker.mint(&options).unwrap();
    let error = refused(&site.process(), &token, HERE).await;
    assert_eq!(error.code(), Code::SessionExpired);
}

#[tokio::test]
async fn a_token_for_a_login_that_was_not_sealed_here_is_refused() {
    let site = Site::alone();
    let builder = || Client::builder("https://example.com/verify").broker(site.broker.origin());
    let plain = builder().build().unwrap();
    let url = plain.authenticate("alice@example.com").await.unwrap();
    let options = MintOptions::for_url(&url).unwrap();
    let token = site.broker.mint(&options).unwrap();
    let error = refused(&site.process(), &token, HERE).await;
    assert_eq!(error.code(), Code::SessionUnknown);
    let codes = builder().flow(Flow::Code).secret(SECRET).build().unwrap();
    let url = codes.authenticate("alice@example.com").await.unwrap();
    let query = url::Url::parse(&url).unwrap();
    let mut query = query.query_pairs();
    let state = query.find(|(name, _)| name == "state").unwrap().1;
    let mut options = MintOptions::for_url(&url).unwrap();
    options
        .claims
        .insert("nonce".to_owned(), state.as_ref().into());
    let token = site.broker.mint(&options).unwrap();
    let error = refused(&site.process(), &token, HERE).await;
    assert_eq!(error.code(), Code::SessionUnknown, "it is of the code flow");
}

#[tokio::test]
async fn a_forged_token_with_a_genuine_nonce_learns_nothing() {
    let site = Site::alone();
    let other = DevBroker::spawn(DevBrokerOptions::default()).unwrap();
    // Brokers of one process start with the same keys.
    other.forget_keys().unwrap();
    let url = site.process().authenticate_with(options(Some(HERE))).await;
    let mut options = MintOptions::for_url(&url.unwrap()).unwrap();
    options
        .claims
        .insert("iss".to_owned(), site.broker.origin().into());
    let forged = other.mint(&options).unwrap();
    let process = site.process();
    let error = refused(&process, &forged, HERE).await;
    assert!(matches!(
        error.code(),
        Code::TokenKeyUnknown | Code::TokenSignature
    ));
}

#[tokio::test]
async fn a_token_for_another_address_uses_the_login_up() {
    let site = Site::alone();
    let url = site.process().authenticate_with(options(Some(HERE))).await;
    let mut options = MintOptions::for_url(&url.unwrap()).unwrap();
    for name in ["email", "email_original"] {
        options
            .claims
            .insert(name.to_owned(), "bob@example.com".into());
    }
    let token = site.broker.mint(&options).unwrap();
    let process = site.process();
    let error = refused(&process, &token, HERE).await;
    assert_eq!(error.code(), Code::SessionEmail);
    let error = refused(&process, &token, HERE).await;
    assert_eq!(error.code(), Code::SessionUsed);
}

#[tokio::test]
async fn a_store_that_fails_completes_nothing() {
    struct Broken;
    impl Store for Broken {
        fn put<'a>(
            &'a self,
            _: &'a SessionKey,
            _: String,
            _: Duration,
        ) -> BoxFuture<'a, Result<()>> {
            Box::pin(async { Err(Error::new(Code::StoreFailed, "the store is broken")) })
        }

        fn take<'a>(&'a self, _: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
            Box::pin(async { Ok(Taken::Unknown) })
        }
    }
    let site = Site::new(|_| Some(Arc::new(Broken)));
    let token = site.token(Some(HERE)).await;
    let error = refused(&site.process(), &token, HERE).await;
    assert_eq!(error.code(), Code::StoreFailed);
}

#[test]
fn combinations_that_could_not_complete_logins_once_are_refused() {
    struct Nonces;
    impl NonceStore for Nonces {
        fn create<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<String>> {
            Box::pin(async { Ok("nonce".to_owned()) })
        }

        fn consume<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<()>> {
            Box::pin(async { Ok(()) })
        }
    }
    struct Holder(Nonces);
    impl Store for Holder {
        fn put<'a>(
            &'a self,
            _: &'a SessionKey,
            _: String,
            _: Duration,
        ) -> BoxFuture<'a, Result<()>> {
            Box::pin(async { Ok(()) })
        }

        fn take<'a>(&'a self, _: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
            Box::pin(async { Ok(Taken::Unknown) })
        }

        fn nonces(&self) -> Option<&dyn NonceStore> {
            Some(&self.0)
        }
    }
    let builder = || Client::builder("https://example.com/verify");
    let client = builder().secret(SECRET).store(Arc::new(Holder(Nonces)));
    assert_eq!(client.build().unwrap_err().code(), Code::InvalidOption);
    for client in [builder().secret(SECRET), builder()] {
        let mut options = FlowOptions::default();
        options.flow = Some(Flow::Implicit);
        options.browser_binding = BrowserBinding::Off;
        options.session = Some(SessionOptions::new(vec![SECRET.into()]));
        let error = LoginFlow::new(client.build().unwrap(), options).unwrap_err();
        assert_eq!(error.code(), Code::InvalidOption);
    }
}
