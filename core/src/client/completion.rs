//! Completes a login: from the token to the verified address.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::Inner;
use crate::browser::{Binding, Browser};
use crate::claims::{Claims, Expected};
use crate::clock::unix_seconds;
use crate::error::{BrowserMismatch, ClaimReason, Code, Error, Result};
use crate::events;
use crate::jwks::KeySet;
use crate::nonce::nonce_of_state;
use crate::record::Record;
use crate::session::{CompleteOptions, Grant, Login};
use crate::session_key::SessionKey;
use crate::store::Taken;
use crate::token::Token;

impl Inner {
    pub(super) async fn complete(
        &self,
        id_token: &str,
        options: &CompleteOptions<'_>,
        browser: Option<&Browser<'_>>,
    ) -> Result<Login> {
        let nonces = self.store.nonces();
        if nonces.is_some() {
            options.check_unbound()?;
        }
        let verified = self.check(id_token, None).await?;
        // The login may be used up only now.
        let (session, same_browser) = match (&self.sealed, nonces) {
            (Some(sealed), _) => {
                self.consume_sealed(sealed, &verified, options, browser)
                    .await?
            }
            (None, None) => self.consume(&verified, options, browser).await?,
            (None, Some(nonces)) => {
                let VerifiedToken { nonce, claims, .. } = &verified;
                nonces.consume(nonce, &claims.email_original).await?;
                (None, false)
            }
        };
        let claims = verified.claims;
        Ok(Login {
            session_key: verified.session,
            email: claims.email,
            email_original: claims.email_original,
            session,
            state: None,
            issued_at: claims.issued_at,
            auth_time: claims.auth_time,
            same_browser,
        })
    }

    /// The login that an answer of the broker is for, whether or not the answer is genuine.
    pub(super) fn login_of(&self, grant: &Grant<'_>) -> Option<SessionKey> {
        match grant {
            Grant::Code { state, .. } => Some(self.code_session_key(&nonce_of_state(state))),
            Grant::Token { id_token, .. } => {
                let token = Token::parse(id_token, &self.config.algorithms).ok()?;
                let claims = Claims::parse(token.payload(), &self.expected(), self.clock.now());
                Some(self.session_key(claims.ok()?.nonce()))
            }
        }
    }

    /// Makes all checks that do not need the pending login. In the code flow, that login is known
    /// by its nonce and its name in the store.
    pub(super) async fn check<'a>(
        &self,
        id_token: &'a str,
        login: Option<(&str, &SessionKey)>,
    ) -> Result<VerifiedToken<'a>> {
        let token = Token::parse(id_token, &self.config.algorithms)?;
        let claims = Claims::parse(token.payload(), &self.expected(), self.clock.now())?;
        let nonce = claims.nonce().to_owned();
        let session = match login {
            None => self.session_key(&nonce),
            Some((expected, session)) => {
                if verify_slices_are_equal(nonce.as_bytes(), expected.as_bytes()).is_err() {
                    let problem = "the token is for another login than the code";
                    let reason = ClaimReason::CheckFailed;
                    return Err(Error::refused_claim(
                        Code::TokenClaim,
                        "nonce",
                        reason,
                        problem,
                    ));
                }
                *session
            }
        };

        let named = Named {
            nonce: &nonce,
            session: &session,
            is_pending: login.is_some() && self.sealed.is_some(),
        };
        let mut keys = self.documents.keys().await?;
        if keys.get(token.key_id()).is_none() {
            // In a box, as below: what is rare must not enlarge every login.
            keys = Box::pin(self.refresh_for_key(keys, token.key_id(), &named)).await?;
        }
        let key = keys.get(token.key_id()).ok_or_else(|| {
            Error::new(
                Code::TokenKeyUnknown,
                "the broker has no usable key with the token's key id",
            )
        })?;
        if let Err(refused) = token.verify_signature(key) {
            let renewed = Box::pin(self.verifies_with_newer_key(&token, &keys, &named));
            renewed.await.then_some(()).ok_or(refused)?;
        }
        // Newer keys may have taken seconds.
        let now = self.clock.now();
        Ok(VerifiedToken {
            id_token,
            nonce,
            session,
            claims: claims.check(&self.expected(), now)?,
            verified_at: unix_seconds(now),
        })
    }

    /// Gets newer keys, unless it is certain that the login of the token is not pending: a forged token must
    /// not cause a request.
    async fn refresh_for_key(
        &self,
        seen: Arc<KeySet>,
        key_id: &str,
        login: &Named<'_>,
    ) -> Result<Arc<KeySet>> {
        if !self.may_be_pending(login).await? {
            return Ok(seen);
        }
        events::newer_keys_wanted();
        self.documents.refresh_for_key(&seen, key_id).await
    }

    /// Looks for another key with the same id, because a broker may have restarted with new keys. This is
    /// not done for a forged token, nor if the keys were fetched a moment ago.
    async fn verifies_with_newer_key(
        &self,
        token: &Token<'_>,
        seen: &Arc<KeySet>,
        login: &Named<'_>,
    ) -> bool {
        if !self.documents.keys_may_have_changed(seen) {
            return false;
        }
        match self
            .refresh_for_key(Arc::clone(seen), token.key_id(), login)
            .await
        {
            Ok(newer) => newer
                .get(token.key_id())
                .is_some_and(|key| token.verify_signature(key).is_ok()),
            // A failure of the broker or the store does not matter here.
            Err(_) => false,
        }
    }

    async fn may_be_pending(&self, login: &Named<'_>) -> Result<bool> {
        if login.is_pending {
            return Ok(true);
        }
        match &self.sealed {
            Some(sealed) => Ok(self.is_pending(sealed, login.nonce)),
            None => Ok(self.store.contains(login.session).await? != Some(false)),
        }
    }

    /// Uses the login up. It has to be bound to this browser, or the person has to have confirmed; without
    /// a secret of the browser, it has to be unbound. Returns the application's text, and whether the login
    /// is bound to this browser.
    async fn consume(
        &self,
        verified: &VerifiedToken<'_>,
        options: &CompleteOptions<'_>,
        browser: Option<&Browser<'_>>,
    ) -> Result<(Option<String>, bool)> {
        let VerifiedToken {
            id_token, claims, ..
        } = verified;
        let binding = Binding::of(&verified.nonce, browser);
        if let Err(confirmation) = allow(binding, browser, options, id_token) {
            return Err(Box::pin(self.refuse_other_browser(verified, confirmation)).await);
        }
        let same_browser = binding == Binding::SameBrowser;
        self.check_start(verified).await?;
        let text = self.take(&verified.session, same_browser).await?;
        let record = Record::parse(&text)?;
        let now = verified.verified_at;
        if let Err(error) = record.check_start(claims.issued_at, now, self.config.leeway) {
            let age = Duration::try_from_secs_f64(now - record.started_at()).unwrap_or_default();
            self.put_back(&verified.session, text.clone(), age).await;
            return Err(error);
        }
        let session = record.accept(&claims.email_original)?;
        Ok((session, same_browser))
    }

    /// Checks that the token is not older than its login, before the login is used up. Most tokens are too
    /// new for that, and the store is not asked.
    async fn check_start(&self, verified: &VerifiedToken<'_>) -> Result<()> {
        let issued_at = verified.claims.issued_at;
        let now = verified.verified_at;
        if issued_at >= now - self.config.leeway.as_secs_f64() {
            return Ok(());
        }
        match self.store.peek(&verified.session).await? {
            Some(Taken::Record(text)) => {
                Record::parse(&text)?.check_start(issued_at, now, self.config.leeway)
            }
            _ => Ok(()),
        }
    }

    /// Puts a login back into a store that does not support `peek`. If the store refuses it, the login is
    /// lost.
    pub(super) async fn put_back(&self, session: &SessionKey, record: String, age: Duration) {
        let left = self.config.session_ttl.saturating_sub(age);
        if !left.is_zero() {
            let _ = self.store.put(session, record, left).await;
        }
    }

    /// Refuses a login of another browser. It stays pending, to be completed there. If the login has ended,
    /// the person is not asked to confirm.
    async fn refuse_other_browser(
        &self,
        verified: &VerifiedToken<'_>,
        confirmation: Option<String>,
    ) -> Error {
        match self.look(&verified.session).await {
            Err(error) => error,
            Ok(()) => Error::other_browser(BrowserMismatch {
                email: verified.claims.email.clone(),
                confirmation,
            }),
        }
    }

    /// Checks that a login is pending, as far as the store can tell.
    async fn look(&self, session: &SessionKey) -> Result<()> {
        let found = match self.store.peek(session).await? {
            Some(found) => found,
            None if self.store.contains(session).await? == Some(false) => Taken::Unknown,
            None => return Ok(()),
        };
        self.pending(found, false).map(|_| ())
    }

    async fn take(&self, session: &SessionKey, same_browser: bool) -> Result<String> {
        self.pending(self.store.take(session).await?, same_browser)
    }

    pub(super) fn pending(&self, found: Taken, same_browser: bool) -> Result<String> {
        match found {
            Taken::Record(record) if !self.has_outlived(&record) => Ok(record),
            Taken::Used => Err(Error::used(same_browser)),
            _ if self.store.is_local() => Err(Error::new(
                Code::SessionUnknown,
                "no such login is pending in this process: it has expired, or was started by another \
                 process, site or broker, or before a restart; the processes of a site need the same \
                 secret, or a store they share",
            )),
            _ => Err(Error::new(
                Code::SessionUnknown,
                "no such login is pending in this store: it has expired, or was started by a process, site \
                 or broker with another store or with a secret",
            )),
        }
    }

    /// Whether a login has expired by a clock that a test has moved. A store has a clock of its own.
    fn has_outlived(&self, record: &str) -> bool {
        self.clock.is_moved()
            && Record::parse(record).is_ok_and(|record| {
                let age = unix_seconds(self.clock.now()) - record.started_at();
                age >= self.config.session_ttl.as_secs_f64()
            })
    }

    fn expected(&self) -> Expected<'_> {
        Expected {
            issuer: self.config.broker.as_str(),
            audience: &self.config.client_id,
            leeway: self.config.leeway,
            idp: self.config.idp,
            nonce_limit: self.nonce_limit(),
        }
    }
}

/// A token of the broker for this site, with a valid signature.
pub(super) struct VerifiedToken<'a> {
    pub(super) id_token: &'a str,
    pub(super) nonce: String,
    pub(super) session: SessionKey,
    pub(super) claims: Claims,
    /// When the checks ended, in seconds since 1970.
    pub(super) verified_at: f64,
}

/// The login that a token names, before its signature is checked.
struct Named<'a> {
    nonce: &'a str,
    session: &'a SessionKey,
    /// Whether it is known to be pending.
    is_pending: bool,
}

/// Whether a login may complete in this browser: it is bound to it, or the person has confirmed `answer`, which is
/// the broker's. Without a secret of the browser, the login has to be unbound. The error is the confirmation to ask
/// for.
pub(super) fn allow(
    binding: Binding,
    browser: Option<&Browser<'_>>,
    options: &CompleteOptions<'_>,
    answer: &str,
) -> Result<(), Option<String>> {
    let is_here = match binding {
        Binding::SameBrowser => true,
        Binding::OtherBrowser => false,
        // If a secret is given, an unbound login is refused: an attacker could send one.
        Binding::None => options.browser.is_none(),
    };
    let confirmed = browser
        .zip(options.confirmation)
        .is_some_and(|(browser, given)| browser.confirms(given, answer));
    if is_here || confirmed {
        return Ok(());
    }
    Err(browser.map(|browser| browser.confirmation(answer)))
}
