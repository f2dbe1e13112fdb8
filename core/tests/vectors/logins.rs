//! Pending logins that another implementation has sealed.

use std::sync::Arc;
use std::time::Duration;

use portier_client::testing::{ManualClock, ManualRandom, MockTransport};
use portier_client::{AuthenticateOptions, Builder, CallbackParams, Client};
use serde_json::{Value, json};

struct Setting {
    vectors: Value,
    transport: Arc<MockTransport>,
}

impl Setting {
    fn new() -> Self {
        let text = include_str!("../../vectors/sealed_logins.json");
        let vectors: Value = serde_json::from_str(text).unwrap();
        let transport = Arc::new(MockTransport::new());
        let broker = vectors["broker"].as_str().unwrap();
        for (path, name) in [
            ("/.well-known/openid-configuration", "discovery"),
            ("/keys.json", "key_set"),
        ] {
            let url = format!("{broker}{path}");
            let document = vectors[name].to_string();
            transport.respond(&url, 200, &[], document).unwrap();
        }
        Self { vectors, transport }
    }

    fn text(&self, name: &str) -> &str {
        self.vectors[name].as_str().unwrap()
    }

    fn client(&self, flow: &str) -> Builder {
        let secrets = self.vectors["secrets"].as_array().unwrap().iter();
        let ttl = self.vectors["session_ttl"].as_u64().unwrap();
        let now = self.vectors["now"].as_u64().unwrap();
        Client::builder(self.text("redirect_uri"))
            .broker(self.text("broker"))
            .flow(flow.parse().unwrap())
            .session_ttl(Duration::from_secs(ttl))
            .secrets(secrets.map(|secret| secret.as_str().unwrap()))
            .transport(self.transport.clone())
            .clock(Arc::new(ManualClock::at(now)))
    }
}

#[tokio::test]
async fn sealed_logins_are_opened_as_the_vectors_say() {
    let setting = Setting::new();
    let endpoint = setting.text("token_endpoint").to_owned();
    for case in setting.vectors["cases"].as_array().unwrap() {
        let client = setting.client(case["flow"].as_str().unwrap());
        let client = client.build().unwrap();
        let answer = json!({ "id_token": case["token"] }).to_string();
        let headers = [("content-type", "application/json")];
        setting
            .transport
            .respond(&endpoint, 200, &headers, answer)
            .unwrap();
        let before = setting.transport.requests(&endpoint);
        let params = case["params"].as_object().unwrap().iter();
        let params = params.map(|(name, value)| (name, value.as_str().unwrap()));
        let params = CallbackParams::from_pairs(params).unwrap();
        let outcome = client.complete(params, case["browser"].as_str()).await;
        let found = match outcome {
            Ok(login) => json!({
                "email": login.email,
                "email_original": login.email_original,
                "session": login.session,
                "state": login.state,
                "same_browser": login.same_browser,
            }),
            Err(error) => match error.browser_mismatch() {
                Some(mismatch) => json!({ "code": error.code().as_str(), "email": mismatch.email }),
                None => json!({ "code": error.code().as_str() }),
            },
        };
        assert_eq!(found, case["expect"], "{}", case["id"]);
        let requests = setting.transport.requests(&endpoint) - before;
        assert_eq!(requests, usize::from(!case["token"].is_null()));
    }
}

#[tokio::test]
async fn logins_are_sealed_as_in_every_other_language() {
    let setting = Setting::new();
    let case = &setting.vectors["cases"][0];
    // The vector's login started half a minute before the callback.
    let started_at = setting.vectors["now"].as_u64().unwrap() - 30;
    let client = setting
        .client("code")
        .clock(Arc::new(ManualClock::at(started_at)))
        .random(Arc::new(ManualRandom::new([[0; 12]])))
        .build()
        .unwrap();
    let mut options = AuthenticateOptions::for_email("alice@example.com");
    options.session = Some("/members".to_owned());
    options.browser = case["browser"].as_str().map(str::to_owned);
    let url = client.authenticate_with(options).await.unwrap();
    let state = case["params"]["state"].as_str().unwrap();
    assert!(url.contains(&format!("&state={state}")), "{url}");
}
