//! No secret is logged, at any level.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

#[expect(dead_code, reason = "the tests of the store use all of it")]
#[path = "../redis/server.rs"]
mod server;

use std::sync::Arc;
use std::time::Duration;

use portier_client::testing::{
    Act, Authority, DevBroker, DevBrokerOptions, FaultServer, ManualClock, MintOptions, trace,
};
use portier_client::{
    AuthenticateOptions, CallbackParams, Client, Code, CompleteOptions, Error, MemoryStore,
    RedisStore, Result, SqliteStore, Store,
};

use self::server::Redis;

const EMAIL: &str = "Wilhelmina.Vanishing@example.com";
const LOCAL_PART: &str = "wilhelmina";
const PASSWORD: &str = "correct-horse-battery";
const WRONG_PASSWORD: &str = "incorrect-horse-battery";
const BROWSER: &str = "hG5mTq-secret-of-this-browser-0123456789abc";
const ELSEWHERE: &str = "kW2nZr-secret-of-that-browser-0123456789abc";
const STATE: &str = "the-state-of-the-application";
const SESSION: &str = "/members?the-session-of-the-application";

/// The secrets, and their names.
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn new() -> Self {
        let known = [
            ("an address", LOCAL_PART),
            ("a password", PASSWORD),
            ("a password", WRONG_PASSWORD),
            ("the secret of a browser", BROWSER),
            ("the secret of a browser", ELSEWHERE),
            ("a state", STATE),
            ("a session", SESSION),
        ];
        Self(known.map(|(what, text)| (what, text.to_owned())).into())
    }

    fn add(&mut self, what: &'static str, text: &str) {
        self.0.push((what, text.to_owned()));
    }

    /// A token is recognized by any of its parts.
    fn add_token(&mut self, token: &str) {
        for part in token.split('.').filter(|part| part.len() > 8) {
            self.add("a token", part);
        }
    }

    /// The lines of a text in which there is one, in any case, percent-encoded or not.
    fn told_in<'a>(&self, text: &'a str) -> Vec<(&'static str, &'a str)> {
        let lines = text.lines().filter_map(|line| {
            let lower = line.to_lowercase();
            let found = self
                .0
                .iter()
                .find(|(_, secret)| lower.contains(&secret.to_lowercase()));
            found.map(|(what, _)| (*what, line))
        });
        lines.collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_crate_logs_a_secret_at_the_most_verbose_level() {
    let trace = trace();
    let mut secrets = Secrets::new();
    let folder = std::env::temp_dir().join(format!("portier-secrecy-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let redis = Redis::start_with(&["--requirepass", PASSWORD]);

    let clock = Arc::new(ManualClock::at(1_790_000_000));
    let mut stores: Vec<Arc<dyn Store>> = vec![
        Arc::new(MemoryStore::new(clock.clone())),
        Arc::new(
            SqliteStore::open(
                &format!("sqlite:///{}/a.db", folder.display()),
                clock.clone(),
            )
            .unwrap(),
        ),
    ];
    let url = |password, port| format!("redis://:{password}@127.0.0.1:{port}");
    if let Some(redis) = &redis {
        stores.push(Arc::new(
            RedisStore::new(&url(PASSWORD, redis.port())).unwrap(),
        ));
    }
    let broker = DevBroker::spawn(DevBrokerOptions {
        clock: Some(clock.clone()),
        ..DevBrokerOptions::default()
    })
    .unwrap();
    for store in stores {
        log_in(&broker, &clock, store, &mut secrets).await;
    }
    // From here on the keys are different; making them takes time.
    rotation(&broker, &clock, &mut secrets).await;
    let mut urls = vec![url(PASSWORD, 1)];
    urls.extend(redis.iter().map(|redis| url(WRONG_PASSWORD, redis.port())));
    for url in urls {
        let store = RedisStore::new(&url).unwrap();
        let client = Client::builder("https://example.com/verify").store(Arc::new(store));
        let client = client.broker(broker.origin()).build().unwrap();
        refused(client.authenticate(EMAIL).await);
    }
    faults(&folder).await;
    std::fs::remove_dir_all(&folder).unwrap();

    let text = trace.text();
    for heard in ["portier_client", "hyper_util", "reqwest", "rustls"] {
        let from = |line: &str| {
            line.split(' ')
                .nth(1)
                .is_some_and(|target| target.starts_with(heard))
        };
        assert!(text.lines().any(from), "nothing from {heard}");
    }
    assert!(secrets.0.len() > 30);
    assert_eq!(secrets.told_in(&text), []);

    // None of these would be accepted.
    for (what, secret) in &secrets.0 {
        tracing::trace!(target: "on purpose", %secret, "a {what}");
        log::trace!(target: "on purpose", "%22{}%22", secret.to_uppercase());
    }
    let text = trace.text();
    let found = secrets.told_in(&text);
    let purpose = found.iter().filter(|(_, line)| line.contains("on purpose"));
    assert_eq!(purpose.count(), 2 * secrets.0.len());
}

/// A login, and all ways to refuse it.
async fn log_in(
    broker: &DevBroker,
    clock: &Arc<ManualClock>,
    store: Arc<dyn Store>,
    secrets: &mut Secrets,
) {
    let client = Client::builder("https://example.com/verify")
        .broker(broker.origin())
        .clock(clock.clone())
        .store(store)
        .build()
        .unwrap();
    let mut options = AuthenticateOptions::for_email(EMAIL);
    options.state = Some(STATE.to_owned());
    options.session = Some(SESSION.to_owned());
    let url = client.authenticate_with(options.clone()).await.unwrap();
    let minted = MintOptions::for_url(&url).unwrap();
    secrets.add("a nonce", &minted.nonce);
    let token = broker.mint(&minted).unwrap();
    secrets.add_token(&token);

    let forged = format!("{}{}", &token[..token.len() - 8], "AAAAAAAA");
    secrets.add_token(&forged);
    assert_eq!(
        refused(client.verify(&forged).await).code(),
        Code::TokenSignature
    );
    let wrong: [(&str, serde_json::Value); 4] = [
        ("email", "mallory@example.com".into()),
        ("email_original", 7.into()),
        ("aud", "https://evil.example".into()),
        ("exp", 1.into()),
    ];
    for (claim, value) in wrong {
        let mut minted = minted.clone();
        minted.claims.insert(claim.to_owned(), value);
        minted.claims.insert("extra".to_owned(), EMAIL.into());
        let token = broker.mint(&minted).unwrap();
        secrets.add_token(&token);
        if claim != "email" {
            refused(client.verify(&token).await);
        }
    }
    client.verify(&token).await.unwrap();
    assert_eq!(
        refused(client.verify(&token).await).code(),
        Code::SessionUsed
    );
    options.browser = Some(BROWSER.to_owned());
    let url = client.authenticate_with(options).await.unwrap();
    let minted = MintOptions::for_url(&url).unwrap();
    secrets.add("a nonce", &minted.nonce);
    let token = broker.mint(&minted).unwrap();
    secrets.add_token(&token);
    let params = || CallbackParams::from_pairs([("id_token", &*token), ("state", STATE)]).unwrap();
    let refusal = refused(client.complete(params(), Some(ELSEWHERE)).await);
    let mismatch = refusal.browser_mismatch().unwrap();
    let confirmation = mismatch.confirmation.clone().unwrap();
    secrets.add("a confirmation", &confirmation);
    let options = CompleteOptions::in_browser(ELSEWHERE).confirmation(&confirmation);
    client.complete_with(params(), options).await.unwrap();
    let answer = [("error", "access_denied"), ("error_description", EMAIL)];
    let answer = CallbackParams::from_pairs(answer).unwrap();
    refused(client.complete(answer, None).await);
    refused(client.authenticate(&format!("{EMAIL}@two")).await);
}

/// A login that is pending, and a token for it with a key that is not known yet.
async fn rotation(broker: &DevBroker, clock: &Arc<ManualClock>, secrets: &mut Secrets) {
    let client = Client::builder("https://example.com/verify").broker(broker.origin());
    let client = client.clock(clock.clone()).build().unwrap();
    client.warm().await.unwrap();
    let url = client.authenticate(EMAIL).await.unwrap();
    broker.forget_keys().unwrap();
    clock.advance(Duration::from_secs(10));
    let minted = MintOptions::for_url(&url).unwrap();
    secrets.add("a nonce", &minted.nonce);
    let token = broker.mint(&minted).unwrap();
    secrets.add_token(&token);
    client.verify(&token).await.unwrap();
}

/// A broker with TLS, with a trusted and with an untrusted authority, that redirects to other hosts.
async fn faults(folder: &std::path::Path) {
    let authority = Authority::new().unwrap();
    let ca_file = folder.join("authority.pem");
    std::fs::write(&ca_file, authority.pem()).unwrap();
    let certificate = authority.certificate("localhost").unwrap();
    let server = FaultServer::start_tls(&certificate).await.unwrap();
    server.script([[Act::answer(
        302,
        &[(
            "location",
            &format!("https://{LOCAL_PART}:{PASSWORD}@elsewhere.example/"),
        )],
        "",
    )]]);
    for trusted in [true, false] {
        let mut client = Client::builder("https://example.com/verify").broker(server.origin());
        if trusted {
            client = client.ca_file(&ca_file);
        }
        refused(client.build().unwrap().warm().await);
    }
}

/// The error of a call, printed in all formats.
fn refused<T>(outcome: Result<T>) -> Error {
    let error = outcome.err().unwrap();
    tracing::error!(target: "shown", ?error, "{error}");
    error
}
