//! The rules that tie a token to its login.
#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;
use std::time::Duration;

use portier_client::testing::{DevBroker, DevBrokerOptions, ManualClock, MintOptions};
use portier_client::{
    AuthenticateOptions, BoxFuture, CallbackParams, Client, Clock, Code, Error, MemoryStore,
    Result, SessionKey, Store, Taken,
};
use serde_json::json;

const START: u64 = 1_790_000_000;

struct Site {
    clock: Arc<ManualClock>,
    broker: DevBroker,
    client: Client,
}

fn site() -> Site {
    let clock = Arc::new(ManualClock::at(START));
    let broker = DevBroker::spawn(DevBrokerOptions {
        clock: Some(clock.clone()),
        ..DevBrokerOptions::default()
    })
    .unwrap();
    let client = client(&clock, &broker, Arc::new(MemoryStore::new(clock.clone())));
    Site {
        clock,
        broker,
        client,
    }
}

fn client(clock: &Arc<ManualClock>, broker: &DevBroker, store: Arc<dyn Store>) -> Client {
    Client::builder("https://example.com/verify")
        .broker(broker.origin())
        .clock(clock.clone())
        .store(store)
        .build()
        .unwrap()
}

fn options(change: impl FnOnce(&mut AuthenticateOptions)) -> AuthenticateOptions {
    let mut options = AuthenticateOptions::for_email("Alice@example.com");
    change(&mut options);
    options
}

impl Site {
    async fn start(&self, options: AuthenticateOptions) -> MintOptions {
        let url = self.client.authenticate_with(options).await.unwrap();
        MintOptions::for_url(&url).unwrap()
    }

    fn mint(&self, options: &MintOptions) -> String {
        self.broker.mint(options).unwrap()
    }

    async fn refusal(&self, id_token: &str) -> Code {
        self.client.verify(id_token).await.unwrap_err().code()
    }
}

#[tokio::test]
async fn a_login_returns_what_was_stored_with_it() {
    let site = site();
    let mint = site
        .start(options(|login| {
            login.session = Some("/members".into());
            login.state = Some("abc".into());
        }))
        .await;
    let params = [
        ("id_token", site.mint(&mint)),
        ("state", "abc".into()),
        ("x", "y".into()),
    ];
    let params = CallbackParams::from_pairs(params).unwrap();
    let login = site.client.complete(params, None).await.unwrap();
    assert_eq!(login.email, "alice@example.com");
    assert_eq!(login.email_original, "Alice@example.com");
    assert_eq!(login.session.as_deref(), Some("/members"));
    assert_eq!(login.state.as_deref(), Some("abc"));
    assert!((login.issued_at - 1_790_000_000.0).abs() < 1.0);
    assert!(!login.same_browser);
}

#[tokio::test]
async fn an_empty_state_means_none() {
    let site = site();
    let mint = site.start(options(|_| ())).await;
    let params =
        CallbackParams::from_pairs([("id_token", site.mint(&mint)), ("state", String::new())]);
    let login = site.client.complete(params.unwrap(), None).await.unwrap();
    assert_eq!(login.state, None);
}

#[tokio::test]
async fn a_token_completes_a_login_once() {
    let site = site();
    let id_token = site.mint(&site.start(options(|_| ())).await);
    site.client.verify(&id_token).await.unwrap();
    assert_eq!(site.refusal(&id_token).await, Code::SessionUsed);
}

#[tokio::test]
async fn another_token_for_the_same_login_is_refused_too() {
    let site = site();
    let mint = site.start(options(|_| ())).await;
    site.client.verify(&site.mint(&mint)).await.unwrap();
    site.clock.advance(Duration::from_secs(1));
    assert_eq!(site.refusal(&site.mint(&mint)).await, Code::SessionUsed);
}

#[tokio::test]
async fn a_login_never_started_is_unknown() {
    let site = site();
    let mut mint = site.start(options(|_| ())).await;
    mint.nonce = "never-drawn-here".into();
    assert_eq!(site.refusal(&site.mint(&mint)).await, Code::SessionUnknown);
}

#[tokio::test]
async fn only_a_memory_store_advises_a_shared_store() {
    let site = site();
    let mint = site.start(options(|_| ())).await;
    let token = site.mint(&MintOptions {
        nonce: "never-drawn-here".into(),
        ..mint
    });
    let local = site.client.verify(&token).await.unwrap_err();
    let shared = client(
        &site.clock,
        &site.broker,
        Arc::new(Broken(Ok(Taken::Unknown))),
    );
    let shared = shared.verify(&token).await.unwrap_err();
    let hints = |error: &Error| {
        error
            .to_string()
            .contains("the same secret, or a store they share")
    };
    assert_eq!((hints(&local), hints(&shared)), (true, false));
}

#[tokio::test]
async fn a_login_expires() {
    let site = site();
    let mint = site.start(options(|_| ())).await;
    site.clock.advance(Duration::from_secs(30 * 60));
    assert_eq!(site.refusal(&site.mint(&mint)).await, Code::SessionUnknown);
}

#[tokio::test]
async fn clients_that_share_a_store_do_not_share_logins() {
    let site = site();
    let store = Arc::new(MemoryStore::new(site.clock.clone()));
    let first = client(&site.clock, &site.broker, store.clone());
    let second = Client::builder("https://other.example/verify")
        .broker(site.broker.origin())
        .clock(site.clock.clone())
        .store(store)
        .build()
        .unwrap();
    let url = first.authenticate("alice@example.com").await.unwrap();
    let mut mint = MintOptions::for_url(&url).unwrap();
    mint.client_id = "https://other.example".into();
    let error = second.verify(&site.mint(&mint)).await.unwrap_err();
    assert_eq!(error.code(), Code::SessionUnknown);
    mint.client_id = "https://example.com".into();
    first.verify(&site.mint(&mint)).await.unwrap();
}

#[tokio::test]
async fn a_token_for_another_address_uses_the_login_up() {
    let site = site();
    let mint = site.start(options(|_| ())).await;
    let mut other = mint.clone();
    other.email = "mallory@example.com".into();
    assert_eq!(site.refusal(&site.mint(&other)).await, Code::SessionEmail);
    assert_eq!(site.refusal(&site.mint(&mint)).await, Code::SessionUsed);
}

#[tokio::test]
async fn the_address_is_compared_as_typed() {
    let site = site();
    let mut mint = site.start(options(|_| ())).await;
    mint.email = "alice@example.com".into();
    assert_eq!(site.refusal(&site.mint(&mint)).await, Code::SessionEmail);
}

#[tokio::test]
async fn a_login_without_an_address_accepts_any_address() {
    let site = site();
    let mut mint = site.start(options(|login| login.email = None)).await;
    mint.email = "Bob@example.com".into();
    assert_eq!(
        site.client.verify(&site.mint(&mint)).await.unwrap(),
        "bob@example.com"
    );
}

#[tokio::test]
async fn a_token_may_not_be_older_than_its_login() {
    let site = site();
    for (age, accepted) in [(180, true), (181, false)] {
        let mut mint = site.start(options(|_| ())).await;
        mint.claims.insert("iat".into(), json!(START - age));
        let outcome = site.client.verify(&site.mint(&mint)).await;
        let refusal = outcome.err().map(|error| error.code());
        assert_eq!(refusal, (!accepted).then_some(Code::TokenClock), "{age}");
    }
    assert_eq!(site.client.stats().pending, Some(1));
}

#[tokio::test]
async fn an_invalid_token_uses_nothing_up() {
    let site = site();
    let mint = site.start(options(|_| ())).await;
    let mut bad = mint.clone();
    bad.claims.insert("email_verified".into(), json!(false));
    assert_eq!(site.refusal(&site.mint(&bad)).await, Code::TokenClaim);
    let id_token = site.mint(&mint);
    let cut = &id_token[..id_token.len() - 2];
    assert_eq!(site.refusal(cut).await, Code::TokenSignature);
    site.client.verify(&id_token).await.unwrap();
}

#[tokio::test]
async fn texts_have_a_maximum_length() {
    let site = site();
    let most = || Some("x".repeat(4096));
    site.start(options(|login| {
        (login.session, login.state, login.browser) = (most(), most(), most());
    }))
    .await;
    let long = || Some("x".repeat(4097));
    for bad in [
        options(|login| login.session = long()),
        options(|login| login.state = long()),
        options(|login| login.browser = long()),
        options(|login| login.browser = Some(String::new())),
        options(|login| login.browser = Some("1".into())),
        options(|login| login.browser = Some("x".repeat(21))),
    ] {
        let error = site.client.authenticate_with(bad).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidOption);
    }
    assert_eq!(site.client.stats().pending, Some(1));
}

#[tokio::test]
async fn the_brokers_refusal_comes_before_everything_else() {
    let site = site();
    let params = [
        ("error", "access_denied"),
        ("error_description", "no"),
        ("id_token", "x"),
        ("state", ""),
    ];
    let params = CallbackParams::from_pairs(params).unwrap();
    let error = site.client.complete(params, None).await.unwrap_err();
    assert_eq!(error.code(), Code::BrokerError);
    let answer = error.broker_answer().unwrap();
    assert_eq!(answer.error, "access_denied");
    assert_eq!(answer.description.as_deref(), Some("no"));
    let error = site
        .client
        .complete(CallbackParams::default(), None)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::MissingToken);
}

#[test]
fn a_repeated_callback_parameter_is_refused() {
    let error = CallbackParams::from_pairs([("id_token", "a"), ("id_token", "b")])
        .err()
        .unwrap();
    assert_eq!(error.code(), Code::TokenMalformed);
    CallbackParams::from_pairs([("other", "a"), ("other", "b")]).unwrap();
}

#[tokio::test]
async fn callback_parameters_have_a_limit() {
    let site = site();
    for name in ["state", "error", "error_description"] {
        for (bytes, code) in [(4096, None), (4097, Some(Code::TokenMalformed))] {
            let mint = site.start(options(|_| ())).await;
            let pairs = [("id_token", site.mint(&mint)), (name, "x".repeat(bytes))];
            let params = CallbackParams::from_pairs(pairs).unwrap();
            let refusal = site.client.complete(params, None).await.err();
            let refusal = refusal.map(|error| error.code());
            let expected = code.or((name == "error").then_some(Code::BrokerError));
            assert_eq!(refusal, expected, "{name} {bytes}");
        }
    }
}

/// A store that is down, or that contains foreign records.
struct Broken(Result<Taken>);

impl Store for Broken {
    fn put<'a>(&'a self, _: &'a SessionKey, _: String, _: Duration) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { self.0.clone().map(|_| ()) })
    }

    fn take<'a>(&'a self, _: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
        Box::pin(async { self.0.clone() })
    }
}

#[tokio::test]
async fn no_redirect_without_a_store() {
    let site = site();
    let down = Broken(Err(Error::new(Code::StoreUnavailable, "down")));
    let client = client(&site.clock, &site.broker, Arc::new(down));
    let error = client.authenticate("alice@example.com").await.unwrap_err();
    assert_eq!(error.code(), Code::StoreUnavailable);
    assert!(error.retryable());
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_not_a_login() {
    let site = site();
    let mint = site.start(options(|_| ())).await;
    for (record, code) in [
        ("", Code::StoreFailed),
        ("{}", Code::StoreFailed),
        ("[1,1790000000,\"Alice@example.com\"]", Code::StoreFailed),
        (
            "{\"v\":1,\"t\":\"1790000000\",\"e\":\"Alice@example.com\"",
            Code::StoreFailed,
        ),
        // A record of a newer version is not accepted, and the error is not retryable.
        (
            "{\"v\":1,\"t\":1790000000,\"e\":\"Alice@example.com\",\"x\":1}",
            Code::SessionUnknown,
        ),
        ("{\"v\":2,\"t\":1790000000}", Code::SessionUnknown),
        ("{\"v\":2,\"t\":\"today\"}", Code::SessionUnknown),
        ("{\"v\":1}", Code::StoreFailed),
        ("{\"v\":1,\"t\":1790000000,\"e\":5}", Code::StoreFailed),
        ("{\"v\":1,\"v\":1,\"t\":1790000000}", Code::StoreFailed),
    ] {
        let store = Broken(Ok(Taken::Record(record.into())));
        let client = client(&site.clock, &site.broker, Arc::new(store));
        let error = client.verify(&site.mint(&mint)).await.unwrap_err();
        assert_eq!(error.code(), code, "{record}");
        assert!(!error.to_string().contains("Alice"));
    }
}

#[tokio::test]
async fn the_clock_and_the_counters_are_the_clients() {
    let site = site();
    let id_token = site.mint(&site.start(options(|_| ())).await);
    site.client.verify(&id_token).await.unwrap();
    site.client.verify(&id_token).await.unwrap_err();
    let stats = site.client.stats();
    assert_eq!((stats.logins_started, stats.logins_completed), (1, 1));
    assert_eq!(stats.failures.get("session_used"), Some(&1));
    assert!(site.clock.now() > std::time::UNIX_EPOCH);
}
