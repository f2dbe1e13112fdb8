//! The code flow with the development broker.
#![cfg(feature = "testing")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

mod broker;
mod cancelled;
mod faults;
mod sealed;
mod stores;
mod web;

use std::sync::Arc;
use std::time::Duration;

use portier_client::testing::{DevBroker, DevBrokerOptions, ManualClock};
use portier_client::{
    AuthenticateOptions, Builder, CallbackParams, Client, Code, CompleteOptions, Error, Flow,
    Login, Result,
};

const HERE: &str = "the secret of a browser";
const THERE: &str = "the secret of another";

const SECRET: &str = "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA";

struct Site {
    clock: Arc<ManualClock>,
    broker: DevBroker,
    client: Client,
}

/// Two sites: the pending logins of one are in a store, those of the other are sealed.
fn sites() -> [Site; 2] {
    [Site::new(), Site::sealed()]
}

impl Site {
    fn new() -> Self {
        Self::with(DevBrokerOptions::default(), |builder| {
            builder.store_url("memory:")
        })
    }

    fn sealed() -> Self {
        Self::with(DevBrokerOptions::default(), |builder| {
            builder.secret(SECRET)
        })
    }

    fn with(options: DevBrokerOptions, adapt: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = Arc::new(ManualClock::at(1_790_000_000));
        let broker = DevBroker::spawn(DevBrokerOptions {
            clock: Some(clock.clone()),
            ..options
        })
        .unwrap();
        let builder = Client::builder("https://example.com/verify")
            .broker(broker.origin())
            .flow(Flow::Code)
            .clock(clock.clone());
        Self {
            client: adapt(builder).build().unwrap(),
            clock,
            broker,
        }
    }

    async fn start(&self, browser: Option<&str>) -> String {
        let mut options = AuthenticateOptions::for_email("Alice@example.com");
        options.browser = browser.map(str::to_owned);
        options.session = Some("/members".to_owned());
        options.state = Some("of the application".to_owned());
        self.client.authenticate_with(options).await.unwrap()
    }

    /// The parameters at the redirect URI after the person has signed in.
    fn sign_in(&self, url: &str) -> CallbackParams {
        let (target, fields) = self.broker.sign_in(url).unwrap();
        assert_eq!(target, "https://example.com/verify");
        CallbackParams::from_pairs(fields).unwrap()
    }

    /// A login at the redirect URI.
    async fn answer(&self, browser: Option<&str>) -> CallbackParams {
        self.sign_in(&self.start(browser).await)
    }

    async fn complete(&self, params: &CallbackParams, browser: Option<&str>) -> Result<Login> {
        self.client.complete(params.clone(), browser).await
    }

    async fn refused(&self, params: &CallbackParams, browser: Option<&str>) -> Error {
        self.complete(params, browser).await.unwrap_err()
    }

    fn token_requests(&self) -> u64 {
        self.broker.requests().get("/token").copied().unwrap_or(0)
    }
}

#[tokio::test]
async fn a_login_completes_with_a_code() {
    for site in sites() {
        let params = site.answer(Some(HERE)).await;
        assert!(params.id_token.is_none() && params.code.is_some());
        let login = site.complete(&params, Some(HERE)).await.unwrap();
        assert_eq!(login.email, "alice@example.com");
        assert_eq!(login.email_original, "Alice@example.com");
        assert_eq!(login.session.as_deref(), Some("/members"));
        assert_eq!(login.state.as_deref(), Some("of the application"));
        assert!(login.same_browser);
        assert_eq!(site.token_requests(), 1);
    }
}

#[tokio::test]
async fn the_state_of_the_application_is_not_sent_to_the_broker() {
    for site in sites() {
        let url = site.start(None).await;
        assert!(!url.contains("application") && url.contains("response_type=code"));
        assert!(url.contains("response_mode=query"));
    }
}

#[tokio::test]
async fn a_code_works_once() {
    for site in sites() {
        let params = site.answer(Some(HERE)).await;
        site.complete(&params, Some(HERE)).await.unwrap();
        let error = site.refused(&params, Some(HERE)).await;
        assert_eq!(error.code(), Code::SessionUsed);
        assert!(error.same_browser());
        assert_eq!(site.token_requests(), 1, "a used login causes no request");
    }
}

#[tokio::test]
async fn exactly_one_of_many_parallel_callbacks_succeeds() {
    for site in sites().map(Arc::new) {
        let params = site.answer(Some(HERE)).await;
        let calls = (0..16).map(|_| {
            let (site, params) = (Arc::clone(&site), params.clone());
            tokio::spawn(async move { site.complete(&params, Some(HERE)).await })
        });
        let mut completed = 0;
        for call in calls.collect::<Vec<_>>() {
            match call.await.unwrap() {
                Ok(_) => completed += 1,
                Err(error) => {
                    assert!(matches!(
                        error.code(),
                        Code::CodeRefused | Code::SessionUsed
                    ));
                }
            }
        }
        assert_eq!(completed, 1);
    }
}

#[tokio::test]
async fn a_state_that_names_no_login_causes_no_request() {
    let site = Site::new();
    let genuine = site.answer(Some(HERE)).await;
    let other = Site::new().answer(Some(HERE)).await;
    for state in [
        Some("junk".to_owned()),
        Some("A".repeat(54)),
        other.state,
        None,
    ] {
        let params = CallbackParams::from_pairs(
            [("code", genuine.code.clone()), ("state", state)]
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .unwrap();
        let error = site.refused(&params, None).await;
        let expected = match params.state {
            Some(_) => Code::SessionUnknown,
            None => Code::MissingToken,
        };
        assert_eq!(error.code(), expected);
    }
    assert_eq!(site.token_requests(), 0);
    site.complete(&genuine, Some(HERE)).await.unwrap();
}

#[tokio::test]
async fn another_browser_causes_no_request_and_uses_nothing_up() {
    for site in sites() {
        let params = site.answer(Some(HERE)).await;
        for browser in [Some(THERE), None] {
            let error = site.refused(&params, browser).await;
            assert_eq!(error.code(), Code::SessionBrowser);
            let mismatch = error.browser_mismatch().unwrap();
            assert_eq!(mismatch.email, "alice@example.com");
            assert_eq!(mismatch.confirmation.is_some(), browser.is_some());
        }
        assert_eq!(site.token_requests(), 0);
        site.complete(&params, Some(HERE)).await.unwrap();
    }
}

#[tokio::test]
async fn an_unbound_login_does_not_complete_in_a_browser() {
    for site in sites() {
        let params = site.answer(None).await;
        let error = site.refused(&params, Some(HERE)).await;
        assert_eq!(error.code(), Code::SessionBrowser);
        let login = site.complete(&params, None).await.unwrap();
        assert!(!login.same_browser);
    }
}

#[tokio::test]
async fn a_person_may_go_on_in_another_browser() {
    for site in sites() {
        let params = site.answer(Some(HERE)).await;
        let error = site.refused(&params, Some(THERE)).await;
        let confirmation = error
            .browser_mismatch()
            .unwrap()
            .confirmation
            .clone()
            .unwrap();
        let another = site.answer(Some(HERE)).await;
        let mut options = CompleteOptions::in_browser(THERE);
        options.confirmation = Some(&confirmation);
        let refused = site
            .client
            .complete_with(another, options)
            .await
            .unwrap_err();
        assert_eq!(
            refused.code(),
            Code::SessionBrowser,
            "consent is for one login"
        );
        let login = site
            .client
            .complete_with(params.clone(), options)
            .await
            .unwrap();
        assert!(!login.same_browser);
        let over = site.refused(&params, Some(HERE)).await;
        assert_eq!(over.code(), Code::SessionUsed);
    }
}

#[tokio::test]
async fn a_token_that_came_through_a_browser_completes_no_login_of_the_code_flow() {
    for site in sites() {
        let url = site.start(Some(HERE)).await;
        // A person who starts a login may change the request before it reaches the broker.
        let changed = url
            .replace("response_type=code", "response_type=id_token")
            .replace("response_mode=query", "response_mode=fragment");
        let params = site.sign_in(&changed);
        assert!(params.id_token.is_some());
        for browser in [Some(HERE), None] {
            let error = site.refused(&params, browser).await;
            assert_eq!(error.code(), Code::SessionUnknown);
        }
    }
}

#[tokio::test]
async fn a_code_that_was_sent_to_another_page_is_not_redeemed() {
    for site in sites() {
        let url = site.start(Some(HERE)).await;
        let changed = url.replace("%2Fverify", "%2Fforum");
        let (target, fields) = site.broker.sign_in(&changed).unwrap();
        assert_eq!(target, "https://example.com/forum");
        let params = CallbackParams::from_pairs(fields).unwrap();
        let error = site.refused(&params, Some(HERE)).await;
        assert_eq!(error.code(), Code::CodeRefused);
    }
}

#[tokio::test]
async fn a_code_of_another_login_completes_neither() {
    for site in sites() {
        let first = site.answer(Some(HERE)).await;
        let second = site.answer(Some(HERE)).await;
        let mut mixed = first.clone();
        mixed.code = second.code.clone();
        let error = site.refused(&mixed, Some(HERE)).await;
        assert_eq!(error.code(), Code::TokenClaim);
        site.complete(&first, Some(HERE)).await.unwrap();
        let error = site.refused(&second, Some(HERE)).await;
        assert_eq!(error.code(), Code::CodeRefused, "its code was redeemed");
    }
}

#[tokio::test]
async fn a_login_has_to_be_completed_in_time() {
    let site = Site::new();
    let params = site.answer(Some(HERE)).await;
    site.clock.advance(Duration::from_secs(11 * 60));
    let error = site.refused(&params, Some(HERE)).await;
    assert_eq!(error.code(), Code::CodeRefused);
    site.clock.advance(Duration::from_secs(20 * 60));
    let error = site.refused(&params, Some(HERE)).await;
    assert_eq!(error.code(), Code::SessionUnknown);
    assert_eq!(site.token_requests(), 1);
}
