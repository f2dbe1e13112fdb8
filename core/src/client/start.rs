//! Starts a login: from the address to the URL of the broker.

use super::Inner;
use crate::authorize::{self, authorization_url, check_response_mode};
use crate::config::Flow;
use crate::discovery::Discovery;
use crate::email::TypedEmail;
use crate::error::{Code, Error, Result};
use crate::nonce::Nonce;
use crate::record::Record;
use crate::session::{AuthenticateOptions, WantedFlow};

impl Inner {
    pub(super) async fn authenticate(&self, options: &AuthenticateOptions) -> Result<String> {
        options.check()?;
        let email = options
            .email
            .as_deref()
            .map(TypedEmail::parse)
            .transpose()?;
        let discovery = self.documents.discovery().await?;
        if self.flow(options, &discovery)? == Flow::Code {
            return self.authenticate_for_code(options, email, &discovery).await;
        }
        check_response_mode(&self.config, &discovery)?;

        let nonce = match (&self.sealed, self.store.nonces()) {
            (Some(sealed), _) => self.seal_nonce(sealed, options, email)?,
            (None, None) => self.put(options, email).await?.into_string(),
            (None, Some(nonces)) => {
                let nonce = nonces.create(options.only_email(email)?).await?;
                Nonce::made_by_store(nonce)?.into_string()
            }
        };
        let request = authorize::Request {
            flow: Flow::Implicit,
            nonce: &nonce,
            login_hint: email.map(TypedEmail::as_str),
            state: options.state.as_deref(),
            code_challenge: None,
        };
        Ok(authorization_url(&self.config, &discovery, &request))
    }

    /// The flow of one login.
    fn flow(&self, options: &AuthenticateOptions, discovery: &Discovery) -> Result<Flow> {
        let can_do_codes = discovery.code_endpoint().is_some() && self.store.nonces().is_none();
        match options.flow.unwrap_or(WantedFlow::Always(self.config.flow)) {
            WantedFlow::CodeIfPossible | WantedFlow::Always(Flow::Code) if can_do_codes => {
                Ok(Flow::Code)
            }
            WantedFlow::CodeIfPossible | WantedFlow::Always(Flow::Implicit) => Ok(Flow::Implicit),
            WantedFlow::Always(Flow::Code) => Err(Error::new(
                Code::InvalidOption,
                "the broker does not offer the code flow: its discovery document lists no \
                 token_endpoint, or not the response type code and the response mode query",
            )),
        }
    }

    async fn put(
        &self,
        options: &AuthenticateOptions,
        email: Option<TypedEmail<'_>>,
    ) -> Result<Nonce> {
        let nonce = {
            let browser = self.browser(options.browser.as_deref());
            Nonce::generate(&*self.random, browser.as_ref())?
        };
        let record = Record::new(options, email, self.clock.now()).to_text()?;
        let key = self.session_key(nonce.as_str());
        self.store
            .put(&key, record, self.config.session_ttl)
            .await?;
        Ok(nonce)
    }
}
