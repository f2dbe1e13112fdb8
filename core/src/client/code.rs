//! The code flow (OpenID Connect Core, section 3.1): the browser carries a code, and the site redeems it at the
//! broker for the token.
//!
//! `state` is a random text that is bound to the browser, as a nonce is in the implicit flow, or it is the sealed
//! login itself. The nonce and the key of the login in the store are derived from it. A `state` that is unknown,
//! used, or bound to another browser causes no request to the broker.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Inner;
use super::completion::allow;
use super::sealed::{Opened, SealedLogins};
use crate::authorize::{self, authorization_url};
use crate::browser::{Binding, Browser};
use crate::clock::unix_seconds;
use crate::config::Flow;
use crate::discovery::Discovery;
use crate::email::{TypedEmail, normalize_email};
use crate::error::{BrowserMismatch, Code, Error, Result};
use crate::nonce::{Nonce, nonce_of_state};
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

/// A pending login.
enum Pending {
    /// Its record is in the store, or was taken from there already.
    Stored {
        record: String,
        is_taken: bool,
    },
    Sealed(Opened),
}

impl Pending {
    fn record(&self) -> Result<Record<'_>> {
        match self {
            Self::Stored { record, .. } => Record::parse(record),
            Self::Sealed(opened) => opened.record(),
        }
    }
}

impl Inner {
    pub(super) async fn authenticate_for_code(
        &self,
        options: &AuthenticateOptions,
        email: Option<TypedEmail<'_>>,
        discovery: &Discovery,
    ) -> Result<String> {
        let verifier = discovery
            .has_pkce
            .then(|| self.code_verifier())
            .transpose()?;
        let record = Record::new(options, email, self.clock.now())
            .for_code(options.state.as_deref(), verifier.as_deref());
        let state = {
            let browser = self.browser(options.browser.as_deref());
            let (random, browser) = (&*self.random, browser.as_ref());
            match &self.sealed {
                Some(sealed) => sealed.seal(random, Flow::Code, &record, browser)?,
                None => Nonce::generate(random, browser)?.into_string(),
            }
        };
        let nonce = nonce_of_state(&state);
        if self.sealed.is_none() {
            let session = self.code_session_key(&nonce);
            let ttl = self.config.session_ttl;
            self.store.put(&session, record.to_text()?, ttl).await?;
        }
        let challenge =
            |verifier: String| URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        let request = authorize::Request {
            flow: Flow::Code,
            nonce: &nonce,
            login_hint: email.map(TypedEmail::as_str),
            state: Some(&state),
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
        options: &CompleteOptions<'_>,
        browser: Option<&Browser<'_>>,
    ) -> Result<Login> {
        if self.store.nonces().is_some() || state.len() > self.nonce_limit() {
            let problem = "no such login is pending here: the callback has a state of another kind";
            return Err(Error::new(Code::SessionUnknown, problem));
        }
        let opened = match &self.sealed {
            Some(sealed) => Some(self.open_state(sealed, state)?),
            None => None,
        };
        let login = self
            .named(code, state, opened.as_ref(), options, browser)
            .await?;
        let pending = match opened {
            Some(opened) => {
                self.check_unspent(&login.session, login.same_browser)?;
                Pending::Sealed(opened)
            }
            None => self.look_up(&login).await?,
        };
        let outcome = self.exchange(code, &login, &pending).await;
        if let (
            Err(_),
            Pending::Stored {
                record,
                is_taken: true,
            },
        ) = (&outcome, &pending)
        {
            self.give_back(&login, record).await;
        }
        outcome
    }

    /// Reads a `state`. Its login must be bound to this browser, or confirmed by the person.
    async fn named(
        &self,
        code: &str,
        state: &str,
        opened: Option<&Opened>,
        options: &CompleteOptions<'_>,
        browser: Option<&Browser<'_>>,
    ) -> Result<Named> {
        let nonce = nonce_of_state(state);
        let session = self.code_session_key(&nonce);
        let binding = match opened {
            Some(opened) => opened.binding(browser),
            None => Binding::of(state, browser),
        };
        // A confirmation is for one login and one answer.
        let answer = format!("{state} {code}");
        if let Err(confirmation) = allow(binding, browser, options, &answer) {
            let refused = self.refuse_other_browser_of_code(&session, opened, confirmation);
            return Err(refused.await);
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
        opened: Option<&Opened>,
        confirmation: Option<String>,
    ) -> Error {
        let email = match opened {
            Some(opened) => match self.check_unspent(session, false) {
                Err(error) => return error,
                Ok(()) => opened.record().ok().and_then(|record| address(&record)),
            },
            None => match self.peek_at_address(session).await {
                Err(error) => return error,
                Ok(email) => email,
            },
        };
        Error::other_browser(BrowserMismatch {
            confirmation: confirmation.filter(|_| email.is_some()),
            email: email.unwrap_or_default(),
        })
    }

    /// The address of a pending login, if the store can tell.
    async fn peek_at_address(&self, session: &SessionKey) -> Result<Option<String>> {
        let Some(found) = self.store.peek(session).await? else {
            return Ok(None);
        };
        let text = self.pending(found, false)?;
        Ok(Record::parse(&text)
            .ok()
            .and_then(|record| address(&record)))
    }

    /// Opens a `state`. An expired login costs no request.
    fn open_state(&self, sealed: &SealedLogins, state: &str) -> Result<Opened> {
        let opened = sealed.open(Flow::Code, state)?;
        self.check_age(&opened.record()?, unix_seconds(self.clock.now()))?;
        Ok(opened)
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
        let record = self.pending(found, *same_browser)?;
        Ok(Pending::Stored { record, is_taken })
    }

    /// Redeems the code and completes the login.
    async fn exchange(&self, code: &str, login: &Named, pending: &Pending) -> Result<Login> {
        let record = pending.record()?;
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
            .check(&id_token, Some((&login.nonce, &login.session)))
            .await?;
        let claims = verified.claims;
        record.check_start(claims.issued_at, verified.verified_at, self.config.leeway)?;
        self.use_up(login, pending).await?;
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

    async fn use_up(&self, login: &Named, pending: &Pending) -> Result<()> {
        let is_first = match (&self.sealed, pending) {
            (Some(sealed), _) => {
                let ttl = self.config.session_ttl;
                sealed.spend_code(&login.session, ttl)?
            }
            (None, Pending::Stored { is_taken: true, .. }) => true,
            (None, _) => {
                let taken = self.store.take(&login.session).await?;
                self.pending(taken, login.same_browser)?;
                true
            }
        };
        is_first
            .then_some(())
            .ok_or_else(|| Error::used(login.same_browser))
    }

    /// Whether the login was completed during the request, for example because the page was reloaded. Only the
    /// broker knows whether a sealed login was completed by another process.
    async fn used_meanwhile(&self, login: &Named) -> Option<Error> {
        let Named {
            same_browser,
            session,
            ..
        } = login;
        if self.sealed.is_some() {
            let spent = self.check_unspent(session, *same_browser).err();
            return Some(spent.unwrap_or_else(|| Error::used_elsewhere(*same_browser)));
        }
        let found = self.store.peek(session).await.ok()??;
        matches!(found, Taken::Used).then(|| Error::used(*same_browser))
    }

    /// Checks that a sealed login was not completed in this process.
    fn check_unspent(&self, session: &SessionKey, same_browser: bool) -> Result<()> {
        match &self.sealed {
            Some(sealed) if sealed.is_spent(session) => Err(Error::used(same_browser)),
            _ => Ok(()),
        }
    }

    async fn give_back(&self, login: &Named, record: &str) {
        let started_at = Record::parse(record).map(|record| record.started_at());
        let age = unix_seconds(self.clock.now()) - started_at.unwrap_or_default();
        let age = Duration::try_from_secs_f64(age).unwrap_or_default();
        self.put_back(&login.session, record.to_owned(), age).await;
    }

    pub(super) fn code_session_key(&self, nonce: &str) -> SessionKey {
        SessionKey::of_code(self.config.broker.as_str(), &self.config.client_id, nonce)
    }

    fn code_verifier(&self) -> Result<String> {
        let mut bytes = [0; VERIFIER_BYTES];
        self.random.fill(&mut bytes)?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }
}

fn address(record: &Record<'_>) -> Option<String> {
    normalize_email(record.email()?).ok()
}
