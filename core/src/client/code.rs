//! The code flow (OpenID Connect Core, section 3.1): the browser carries a code, and the site redeems it at the
//! broker for the token.
//!
//! `state` is a random text that is bound to the browser, as a nonce is in the implicit flow. The nonce and the
//! key of the login in the store are derived from it. A `state` that is unknown, used, or bound to another
//! browser causes no request to the broker.

use std::time::Duration;

use ::http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::form_urlencoded;

use super::Inner;
use crate::authorize::{self, authorization_url};
use crate::browser::Binding;
use crate::clock::unix_seconds;
use crate::config::Flow;
use crate::discovery::Discovery;
use crate::email::{TypedEmail, normalize_email};
use crate::error::{BrokerAnswer, BrowserMismatch, Code, Error, Result};
use crate::http::{Request, Response};
use crate::json::Object;
use crate::nonce::{MAX_NONCE_BYTES, Nonce, nonce_of_state};
use crate::record::Record;
use crate::session::{AuthenticateOptions, CompleteOptions, Login};
use crate::session_key::SessionKey;
use crate::store::Taken;

/// Random bytes of a `code_verifier` (RFC 7636, section 4.1).
const VERIFIER_BYTES: usize = 32;

/// A login of the code flow, identified by its `state`.
struct Named {
    nonce: String,
    session: SessionKey,
    same_browser: bool,
}

/// A pending login, and whether it was already taken from the store.
struct Pending {
    record: String,
    is_taken: bool,
}

impl Inner {
    pub(super) async fn authenticate_for_code(
        &self,
        options: &AuthenticateOptions,
        email: Option<TypedEmail<'_>>,
        discovery: &Discovery,
    ) -> Result<String> {
        let browser = self.browser(options.browser.as_deref());
        let state = Nonce::generate(&*self.random, browser.as_ref())?;
        let nonce = nonce_of_state(state.as_str());
        let verifier = discovery
            .has_pkce
            .then(|| self.code_verifier())
            .transpose()?;
        let record = Record::new(options, email, self.clock.now())
            .for_code(options.state.as_deref(), verifier.as_deref())
            .to_text()?;
        let session = self.code_session_key(&nonce);
        self.store
            .put(&session, record, self.config.session_ttl)
            .await?;
        let challenge =
            |verifier: String| URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        let request = authorize::Request {
            flow: Flow::Code,
            nonce: &nonce,
            login_hint: email.map(TypedEmail::as_str),
            state: Some(state.as_str()),
            code_challenge: verifier.map(challenge),
        };
        Ok(authorization_url(&self.config, discovery, &request))
    }

    /// Completes a login: redeems the code, verifies the token, and uses the login up. A code can be redeemed
    /// once.
    pub(super) async fn complete_code(
        &self,
        code: &str,
        state: &str,
        options: CompleteOptions<'_>,
    ) -> Result<Login> {
        if self.store.nonces().is_some() || state.len() > MAX_NONCE_BYTES {
            let problem = "no such login is pending here: the callback has a state of another kind";
            return Err(Error::new(Code::SessionUnknown, problem));
        }
        let login = self.named(code, state, options).await?;
        let pending = self.look_up(&login).await?;
        let outcome = self.exchange(code, &login, &pending).await;
        if let (Err(_), true) = (&outcome, pending.is_taken) {
            self.give_back(&login, &pending).await;
        }
        outcome
    }

    /// Reads a `state`. Its login must be bound to this browser, or confirmed by the person.
    async fn named(&self, code: &str, state: &str, options: CompleteOptions<'_>) -> Result<Named> {
        let nonce = nonce_of_state(state);
        let session = self.code_session_key(&nonce);
        let browser = self.browser(options.browser);
        let binding = Binding::of(state, browser.as_ref());
        let is_other_browser = match binding {
            Binding::SameBrowser => false,
            Binding::OtherBrowser => true,
            Binding::None => options.browser.is_some(),
        };
        // A confirmation is for one login and one answer.
        let about = format!("{state} {code}");
        let confirmed = browser
            .as_ref()
            .zip(options.confirmation)
            .is_some_and(|(browser, given)| browser.confirms(given, &about));
        if is_other_browser && !confirmed {
            let confirmation = browser.map(|browser| browser.confirmation(&about));
            return Err(self
                .refuse_other_browser_of_code(&session, confirmation)
                .await);
        }
        Ok(Named {
            nonce,
            session,
            same_browser: binding == Binding::SameBrowser,
        })
    }

    /// Refuses a login of another browser. It stays pending, to be completed there. The person is asked to
    /// confirm only if the store knows the address.
    async fn refuse_other_browser_of_code(
        &self,
        session: &SessionKey,
        confirmation: Option<String>,
    ) -> Error {
        let found = match self.store.peek(session).await {
            Err(error) => return error,
            Ok(None) => None,
            Ok(Some(found)) => match self.pending(found, session, false) {
                Err(error) => return error,
                Ok(record) => Some(record),
            },
        };
        let email = found.and_then(|text| {
            let record = Record::parse(&text).ok()?;
            normalize_email(record.email()?).ok()
        });
        Error::other_browser(BrowserMismatch {
            confirmation: confirmation.filter(|_| email.is_some()),
            email: email.unwrap_or_default(),
        })
    }

    /// The pending login. If the store supports `peek`, the login stays there until the token was verified;
    /// otherwise it is taken first, so that an unknown login causes no request.
    async fn look_up(&self, login: &Named) -> Result<Pending> {
        let Named {
            session,
            same_browser,
            ..
        } = login;
        let (found, is_taken) = match self.store.peek(session).await? {
            Some(found) => (found, false),
            None => (self.store.take(session).await?, true),
        };
        let record = self.pending(found, session, *same_browser)?;
        Ok(Pending { record, is_taken })
    }

    /// Redeems the code and completes the login.
    async fn exchange(&self, code: &str, login: &Named, pending: &Pending) -> Result<Login> {
        let record = Record::parse(&pending.record)?;
        // Without keys the token cannot be verified, and the code can be redeemed only once.
        self.documents.keys().await?;
        let id_token = match self.redeem(code, record.code_verifier()).await {
            Ok(id_token) => id_token,
            Err(error) if error.code() == Code::CodeRefused => {
                return Err(self.used_meanwhile(login).await.unwrap_or(error));
            }
            Err(error) => return Err(error),
        };
        let verified = self
            .check(&id_token, Some((&login.nonce, login.session)))
            .await?;
        let claims = verified.claims;
        let now = unix_seconds(self.clock.now());
        record.check_start(claims.issued_at, now, self.config.leeway)?;
        if !pending.is_taken {
            let taken = self.store.take(&login.session).await?;
            self.pending(taken, &login.session, login.same_browser)?;
        }
        let state = record.state().map(str::to_owned);
        Ok(Login {
            session_key: login.session,
            session: record.accept(&claims.email_original)?,
            email: claims.email,
            email_original: claims.email_original,
            state,
            issued_at: claims.issued_at,
            auth_time: claims.auth_time,
            same_browser: login.same_browser,
        })
    }

    /// Whether the login was completed during the request, for example because the page was reloaded.
    async fn used_meanwhile(&self, login: &Named) -> Option<Error> {
        let found = self.store.peek(&login.session).await.ok()??;
        matches!(found, Taken::Used).then(|| Error::used(login.same_browser, login.session))
    }

    async fn give_back(&self, login: &Named, pending: &Pending) {
        let started_at = Record::parse(&pending.record).map(|record| record.started_at());
        let age = unix_seconds(self.clock.now()) - started_at.unwrap_or_default();
        let age = Duration::try_from_secs_f64(age).unwrap_or_default();
        self.put_back(&login.session, pending.record.clone(), age)
            .await;
    }

    /// Redeems a code (RFC 6749, section 4.1.3). The request is sent once.
    async fn redeem(&self, code: &str, verifier: Option<&str>) -> Result<String> {
        let discovery = self.documents.discovery().await?;
        let endpoint = discovery.code_endpoint().ok_or_else(|| {
            let problem = "the broker's discovery document does not offer the code flow any more";
            Error::new(Code::BrokerDocument, problem)
        })?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let request = Request {
            url: endpoint.clone(),
            headers,
            form: Some(self.token_request(code, verifier)),
        };
        let response = self.transport.send(request).await?;
        match response.status {
            200 => id_token_in(&response),
            400 | 401 => Err(refusal_in(&response)),
            _ => Err(unexpected(&response)),
        }
    }

    fn token_request(&self, code: &str, verifier: Option<&str>) -> String {
        let mut form = form_urlencoded::Serializer::new(String::with_capacity(512));
        form.append_pair("grant_type", "authorization_code");
        form.append_pair("code", code);
        form.append_pair("redirect_uri", &self.config.redirect_uri);
        form.append_pair("client_id", &self.config.client_id);
        if let Some(verifier) = verifier {
            form.append_pair("code_verifier", verifier);
        }
        form.finish()
    }

    fn code_session_key(&self, nonce: &str) -> SessionKey {
        SessionKey::of_code(self.config.broker.as_str(), &self.config.client_id, nonce)
    }

    fn code_verifier(&self) -> Result<String> {
        let mut bytes = [0; VERIFIER_BYTES];
        self.random.fill(&mut bytes)?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// The token in the answer (RFC 6749, section 5.1; OpenID Connect Core, section 3.1.3.3).
fn id_token_in(response: &Response) -> Result<String> {
    let refused = |reason: &str| {
        let text = format!("the broker's answer to the token request is refused: {reason}");
        Error::new(Code::BrokerDocument, text)
    };
    if !is_json(response) {
        return Err(refused("not application/json"));
    }
    let object = Object::parse(&response.body).map_err(refused)?;
    let token = object.get("id_token").and_then(|token| token.as_str());
    token
        .map(str::to_owned)
        .ok_or_else(|| refused("no id_token in it"))
}

/// The error in the answer (RFC 6749, section 5.2).
fn refusal_in(response: &Response) -> Error {
    let object = Object::parse(&response.body)
        .ok()
        .filter(|_| is_json(response));
    let text = |name: &str| {
        let object = object.as_ref()?;
        Some(
            object
                .get(name)?
                .as_str()?
                .chars()
                .take(MAX_ERROR_CHARS)
                .collect::<String>(),
        )
    };
    match text("error") {
        None => unexpected(response),
        Some(error) if error == "invalid_grant" => Error::new(
            Code::CodeRefused,
            "the broker does not redeem the code: it has expired, was redeemed before, or was issued \
             for another request",
        ),
        Some(error) => Error::refused(BrokerAnswer {
            error,
            description: text("error_description"),
        }),
    }
}

/// The maximum length of the broker's error.
const MAX_ERROR_CHARS: usize = 512;

fn unexpected(response: &Response) -> Error {
    Error::new(
        Code::BrokerStatus,
        format_args!(
            "unexpected HTTP status of the broker's answer to the token request status={}",
            response.status
        ),
    )
}

fn is_json(response: &Response) -> bool {
    let content_type = response.headers.get(CONTENT_TYPE);
    let text = content_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = text.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json")
}
