//! Logins of both flows that are pending in memory or sealed. The transport answers from memory, so they need no
//! network.

use std::sync::Arc;

use portier_client::testing::{DevBroker, MintOptions, MockTransport};
use portier_client::{AuthenticateOptions, CallbackParams, Client, Flow, Login, Result};
use serde_json::json;
use url::Url;

const BROWSER: &str = "the secret of a browser";
const SECRET: &str = "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA";

/// The names of the modes, and of the flows.
pub(crate) const MODES: [&str; 2] = ["memory", "sealed"];
pub(crate) const FLOWS: [(&str, Flow); 2] = [("implicit", Flow::Implicit), ("code", Flow::Code)];

/// The broker's answer to one login.
pub(crate) struct Answer {
    params: CallbackParams,
    token_response: String,
}

impl Answer {
    pub(crate) fn to(broker: &DevBroker, url: &str) -> Result<Self> {
        let token = broker.mint(&MintOptions::for_url(url)?)?;
        let url = Url::parse(url).expect("a URL");
        let mut query = url.query_pairs();
        let state = query.find(|(name, _)| name == "state");
        Ok(Self {
            token_response: json!({ "id_token": token }).to_string(),
            params: match state {
                Some((_, state)) => {
                    CallbackParams::from_pairs([("code", "c"), ("state", &*state)])?
                }
                None => CallbackParams::from_pairs([("id_token", token)])?,
            },
        })
    }
}

/// The logins of one mode and flow.
pub(crate) struct Logins {
    client: Client,
    transport: Arc<MockTransport>,
    token_endpoint: String,
}

impl Logins {
    /// `usual` is a client of the broker.
    pub(crate) async fn of(usual: &Client, mode: &str, flow: Flow) -> Result<Self> {
        let origin = usual.broker();
        let transport = Arc::new(MockTransport::new());
        let discovery = format!("{origin}/.well-known/openid-configuration");
        transport.respond(&discovery, 200, &[], usual.discover().await?)?;
        let keys = format!("{origin}/keys.json");
        transport.respond(&keys, 200, &[], usual.key_set().await?)?;
        let mut builder = Client::builder(usual.redirect_uri())
            .broker(origin)
            .flow(flow)
            .transport(transport.clone());
        if mode == "sealed" {
            builder = builder.secret(SECRET);
        }
        let client = builder.build()?;
        client.warm().await?;
        Ok(Self {
            client,
            transport,
            token_endpoint: format!("{origin}/token"),
        })
    }

    /// Starts a login that is bound to a browser.
    pub(crate) async fn authenticate(&self) -> Result<String> {
        let mut options = AuthenticateOptions::for_email("alice@example.com");
        options.browser = Some(BROWSER.to_owned());
        self.client.authenticate_with(options).await
    }

    /// Lets the broker answer to the token request of this login, and returns what the browser brings back.
    pub(crate) fn arrive(&self, answer: Answer) -> Result<CallbackParams> {
        let headers = [("content-type", "application/json")];
        self.transport
            .respond(&self.token_endpoint, 200, &headers, answer.token_response)?;
        Ok(answer.params)
    }

    /// Completes a login in its browser.
    pub(crate) async fn complete(&self, params: CallbackParams) -> Result<Login> {
        self.client.complete(params, Some(BROWSER)).await
    }
}
