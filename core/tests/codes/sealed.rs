//! Logins of the code flow that are pending in no store.

use std::sync::Arc;
use std::time::Duration;

use portier_client::web::{FlowOptions, LoginFlow, SessionOptions};
use portier_client::{AuthenticateOptions, Builder, Client, Code, Flow, Random as _, SystemRandom};

use crate::{HERE, SECRET, Site};

const NEW: &str = "WkT1vS7mQ9x4LhR2nYcB8dGpJ6fZaE3u";

impl Site {
    /// Another client of the site, as in another process.
    pub(crate) fn another(&self, adapt: impl FnOnce(Builder) -> Builder) -> Client {
        let builder = Client::builder("https://example.com/verify")
            .broker(self.broker.origin())
            .flow(Flow::Code)
            .clock(self.clock.clone());
        adapt(builder).build().unwrap()
    }

    /// The same site, after a restart of its process.
    fn restarted(self, adapt: impl FnOnce(Builder) -> Builder) -> Self {
        let client = self.another(adapt);
        Self { client, ..self }
    }
}

pub(crate) fn sealed(builder: Builder) -> Builder {
    builder.secret(SECRET)
}

#[tokio::test]
async fn a_login_survives_a_restart() {
    let site = Site::sealed();
    let params = site.answer(Some(HERE)).await;
    let site = site.restarted(sealed);
    let login = site.complete(&params, Some(HERE)).await.unwrap();
    assert_eq!(login.session.as_deref(), Some("/members"));
    assert_eq!(login.state.as_deref(), Some("of the application"));
    assert!(login.same_browser);
}

#[tokio::test]
async fn of_many_attempts_in_several_processes_exactly_one_succeeds() {
    let site = Site::sealed();
    let clients: Vec<_> = (0..7).map(|_| site.another(sealed)).collect();
    for client in &clients {
        client.warm().await.unwrap();
    }
    let params = site.answer(Some(HERE)).await;
    let calls = (0..64).map(|attempt: usize| {
        let (client, params) = (clients[attempt % clients.len()].clone(), params.clone());
        tokio::spawn(async move { client.complete(params, Some(HERE)).await })
    });
    let mut completed = 0;
    for call in calls.collect::<Vec<_>>() {
        match call.await.unwrap() {
            Ok(_) => completed += 1,
            Err(error) => assert!(matches!(
                error.code(),
                Code::CodeRefused | Code::SessionUsed
            )),
        }
    }
    assert_eq!(completed, 1);
    let elsewhere = site.refused(&params, Some(HERE)).await;
    assert_eq!(elsewhere.code(), Code::CodeRefused);
    assert!(elsewhere.to_string().contains("by another process"));
}

#[tokio::test]
async fn nothing_is_kept_when_logins_start() {
    let site = Site::sealed();
    for _ in 0..2000 {
        site.start(Some(HERE)).await;
    }
    let stats = site.client.stats();
    assert_eq!((stats.logins_started, stats.pending), (2000, None));
    // The memory store of a client without a secret would have had no room for more than these.
    assert_eq!(stats.failures.get("store_full"), None);
}

#[tokio::test]
async fn a_login_expires_without_a_request() {
    let site = Site::sealed();
    let params = site.answer(Some(HERE)).await;
    site.clock.advance(Duration::from_secs(30 * 60));
    let error = site.refused(&params, Some(HERE)).await;
    assert_eq!(error.code(), Code::SessionExpired);
    assert_eq!(site.token_requests(), 0);
}

#[tokio::test]
async fn secrets_can_be_rotated() {
    let site = Site::sealed();
    let before = site.answer(Some(HERE)).await;
    let site = site.restarted(|builder| builder.secrets([NEW, SECRET]));
    let after = site.answer(Some(HERE)).await;
    site.complete(&before, Some(HERE)).await.unwrap();
    let site = site.restarted(|builder| builder.secret(NEW));
    site.complete(&after, Some(HERE)).await.unwrap();
    let error = site.refused(&before, Some(HERE)).await;
    assert_eq!(error.code(), Code::SessionSealed);
}

#[tokio::test]
async fn states_that_this_site_has_not_sealed_get_one_answer_and_cause_no_request() {
    let site = Site::sealed();
    let genuine = site.answer(Some(HERE)).await;
    let other_broker = Site::sealed().answer(Some(HERE)).await;
    let other_secret = site.another(|builder| builder.secret(NEW));
    let options = || AuthenticateOptions::for_email("alice@example.com");
    let url = other_secret.authenticate_with(options()).await.unwrap();
    let other_secret = site.sign_in(&url);
    let mut changed = genuine.state.clone().unwrap().into_bytes();
    changed[60] = if changed[60] == b'A' { b'B' } else { b'A' };
    let mut messages = Vec::new();
    for state in [
        other_broker.state.unwrap(),
        other_secret.state.unwrap(),
        String::from_utf8(changed).unwrap(),
        format!("AQ{}", "A".repeat(100)),
    ] {
        let mut params = genuine.clone();
        params.state = Some(state);
        let error = site.refused(&params, Some(HERE)).await;
        assert_eq!(error.code(), Code::SessionSealed);
        messages.push(error.to_string());
    }
    messages.dedup();
    assert_eq!(messages.len(), 1);
    for state in ["junk".to_owned(), "A".repeat(54), "A".repeat(3000)] {
        let mut params = genuine.clone();
        params.state = Some(state);
        let error = site.refused(&params, Some(HERE)).await;
        assert_eq!(error.code(), Code::SessionUnknown);
    }
    assert_eq!(site.token_requests(), 0);
    site.complete(&genuine, Some(HERE)).await.unwrap();
}

#[tokio::test]
async fn a_text_that_is_too_long_to_travel_is_refused() {
    let site = Site::sealed();
    let mut options = AuthenticateOptions::for_email("alice@example.com");
    options.session = Some("a".repeat(513));
    let error = site.client.authenticate_with(options).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidOption);
}

#[tokio::test]
async fn a_login_with_the_longest_texts_completes() {
    let site = Site::sealed();
    // The broker accepts local parts of 64 bytes.
    let email = format!(
        "{}@{}.example",
        "a".repeat(64),
        ["b".repeat(59).as_str(); 3].join(".")
    );
    let mut options = AuthenticateOptions::for_email(&email);
    options.session = Some("\u{1F600}".repeat(128));
    options.state = Some("\"".repeat(512));
    options.browser = Some(HERE.to_owned());
    let url = site.client.authenticate_with(options).await.unwrap();
    let params = site.sign_in(&url);
    assert!(params.state.as_ref().unwrap().len() <= 2048);
    let login = site.complete(&params, Some(HERE)).await.unwrap();
    assert_eq!(login.session, Some("\u{1F600}".repeat(128)));
    assert_eq!(login.state, Some("\"".repeat(512)));
}

#[tokio::test]
async fn one_secret_of_a_flow_seals_the_logins_of_a_client_without_a_store() {
    let flow = |client: Client| {
        let mut options = FlowOptions::default();
        options.session = Some(SessionOptions::new(vec![SECRET.into()]));
        LoginFlow::new(client, options).unwrap()
    };
    let site = Site::new();
    let plain = site.another(|builder| builder);
    let (here, there) = (flow(plain.clone()), flow(site.another(|builder| builder)));
    assert!(plain.has_local_store() && !here.client().has_local_store());
    let mut options = AuthenticateOptions::for_email("alice@example.com");
    options.browser = Some(HERE.to_owned());
    let url = here.client().authenticate_with(options).await.unwrap();
    let params = site.sign_in(&url);
    let login = there.client().complete(params, Some(HERE)).await.unwrap();
    assert_eq!(login.email, "alice@example.com");
    assert_eq!(
        plain.stats().logins_started,
        1,
        "the flow shares the client's counts"
    );
    let chosen = flow(site.another(|builder| builder.store_url("memory:")));
    assert!(chosen.client().has_local_store());
    let own = site.another(|builder| builder.secret(NEW));
    let with_own = flow(own.clone());
    let url = own.authenticate("alice@example.com").await.unwrap();
    let params = site.sign_in(&url);
    with_own.client().complete(params, None).await.unwrap();
}

#[test]
fn secrets_are_checked_when_the_client_is_built() {
    let builder = || Client::builder("https://example.com/verify");
    for secret in ["too short", "a secret that looks like one in an example"] {
        let error = builder().secret(secret).build().unwrap_err();
        assert_eq!(error.code(), Code::InvalidOption);
    }
    let none: [&str; 0] = [];
    assert!(builder().secrets(none).build().is_err());
    let mut random = [0; 32];
    SystemRandom.fill(&mut random).unwrap();
    builder().secret(random).build().unwrap();
}

#[tokio::test]
async fn a_login_of_a_machine_whose_clock_is_far_ahead_names_the_clocks() {
    let ahead = Site::sealed();
    ahead.clock.advance(Duration::from_secs(301));
    let params = ahead.answer(Some(HERE)).await;
    let clock = Arc::new(portier_client::testing::ManualClock::at(1_790_000_000));
    let site = ahead.restarted(|builder| builder.secret(SECRET).clock(clock));
    let error = site.refused(&params, Some(HERE)).await;
    assert_eq!(error.code(), Code::TokenClock);
    assert_eq!(site.token_requests(), 0);
}
