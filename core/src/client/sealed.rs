//! Logins that are pending in no store. What their completion needs travels through the browser, sealed: in the
//! `state` of the code flow, and in the nonce of the implicit flow.
//!
//! Nothing is written when a login starts, and every process with one of the secrets can complete it. In the
//! code flow it completes once, because the broker redeems a code once. In the implicit flow a completed login
//! is written to the store, if several processes share it. Otherwise only the process remembers it, and the
//! login must be bound to the browser that completes it.

use std::sync::Arc;
use std::time::Duration;

use super::Inner;
use super::completion::{VerifiedToken, allow};
use crate::browser::{Binding, Browser, TAG_BYTES};
use crate::claims::Claims;
use crate::clock::{Clock, Random, unix_seconds};
use crate::config::{Config, Flow};
use crate::email::TypedEmail;
use crate::error::{BrowserMismatch, Code, Error, Result};
use crate::nonce::MAX_NONCE_BYTES;
use crate::record::Record;
use crate::sealing::Sealer;
use crate::session::{AuthenticateOptions, CompleteOptions};
use crate::session_key::SessionKey;
use crate::store::{MemoryStore, Store, Taken};

/// The purpose and the version of the sealed text.
const LABEL: &str = "portier-client:login:1";

/// The longest sealed login, in characters: all texts at their limits need fewer.
const MAX_SEALED_BYTES: usize = 2048;

/// The shortest login: its kind and a record without texts.
const MIN_LOGIN_BYTES: usize = 10;

/// The first byte of a login is one of the code flow, or bound to a browser, whose tag follows.
const CODE_FLOW: u8 = 1;
const BOUND: u8 = 2;

/// The accepted clock difference between the machines of a site, in seconds.
const LEEWAY_SECONDS: f64 = 5.0 * 60.0;

/// How long a completed login of the implicit flow is remembered after its end. The clocks of two machines may
/// differ by twice the leeway.
const MARGIN: Duration = Duration::from_secs(10 * 60);

/// What marks a completed login in a store. The record has no other content.
const SPENT: &str = "spent";

/// Seals logins and opens them, and remembers those that were completed in this process.
pub(crate) struct SealedLogins {
    sealer: Sealer,
    spent: MemoryStore,
}

/// A login that this site has sealed.
pub(super) struct Opened {
    is_bound: bool,
    tag: [u8; TAG_BYTES],
    record: Vec<u8>,
}

impl SealedLogins {
    /// A login is sealed for one broker and redirect URI.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] for a secret that is too short or looks like a placeholder.
    pub(crate) fn new(
        secrets: &[Vec<u8>],
        config: &Config,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self> {
        let site = [config.broker.as_str(), &config.redirect_uri];
        Ok(Self {
            sealer: Sealer::new(secrets, LABEL, &site)?,
            spent: MemoryStore::new(Arc::clone(clock)),
        })
    }

    pub(super) fn seal(
        &self,
        random: &dyn Random,
        flow: Flow,
        record: &Record<'_>,
        browser: Option<&Browser<'_>>,
    ) -> Result<String> {
        let mut packed = Vec::with_capacity(256);
        record.pack(&mut packed)?;
        let mut login = Vec::with_capacity(1 + TAG_BYTES + packed.len());
        let bound = if browser.is_some() { BOUND } else { 0 };
        login.push(kind(flow) | bound);
        if let Some(browser) = browser {
            login.extend_from_slice(&browser.tag(&packed));
        }
        login.extend_from_slice(&packed);
        self.sealer.seal(random, &login)
    }

    /// Opens a login. All texts that this site has not sealed are refused alike, because anybody can make them.
    pub(super) fn open(&self, flow: Flow, text: &str) -> Result<Opened> {
        match self.sealer.open(text) {
            Some(login) => Opened::parse(flow, login).ok_or_else(|| {
                let problem = "the login was sealed for the other flow, or by another version of this \
                               library";
                Error::new(Code::SessionUnknown, problem)
            }),
            None if Sealer::has_form(text, MIN_LOGIN_BYTES) => Err(Error::new(
                Code::SessionSealed,
                "none of this client's secrets opens the login: it was sealed with another secret, for \
                 another broker or redirect URI, or it was changed",
            )),
            None => Err(Error::new(
                Code::SessionUnknown,
                "no such login was started here: it is not sealed, so it was started without a secret, \
                 or not by this library",
            )),
        }
    }

    /// Whether a login was completed in this process.
    pub(super) fn is_spent(&self, session: &SessionKey) -> bool {
        self.spent.peek_now(session) != Taken::Unknown
    }

    /// Remembers that a login of the code flow was completed; `false` if it was before. If there are very many, the
    /// oldest is forgotten: the broker remembers it.
    pub(super) fn spend_code(&self, session: &SessionKey, ttl: Duration) -> Result<bool> {
        self.spent.mark(session, ttl, true)
    }
}

fn kind(flow: Flow) -> u8 {
    match flow {
        Flow::Implicit => 0,
        Flow::Code => CODE_FLOW,
    }
}

impl Opened {
    fn parse(flow: Flow, mut login: Vec<u8>) -> Option<Self> {
        let first = *login.first()?;
        let is_bound = first & BOUND != 0;
        if first & !BOUND != kind(flow) {
            return None;
        }
        let head = if is_bound { 1 + TAG_BYTES } else { 1 };
        let mut tag = [0; TAG_BYTES];
        if is_bound {
            tag.copy_from_slice(login.get(1..head)?);
        }
        login.drain(..head);
        let opened = Self {
            is_bound,
            tag,
            record: login,
        };
        opened.record().is_ok().then_some(opened)
    }

    pub(super) fn record(&self) -> Result<Record<'_>> {
        let problem = "a sealed login cannot be read";
        Record::unpack(&self.record).ok_or_else(|| Error::new(Code::Internal, problem))
    }

    pub(super) fn binding(&self, browser: Option<&Browser<'_>>) -> Binding {
        match (self.is_bound, browser) {
            (false, _) => Binding::None,
            (true, Some(browser)) if browser.has_tagged(&self.record, &self.tag) => {
                Binding::SameBrowser
            }
            (true, _) => Binding::OtherBrowser,
        }
    }
}

impl Inner {
    /// Seals a login of the implicit flow. The result is its nonce.
    pub(super) fn seal_nonce(
        &self,
        sealed: &SealedLogins,
        options: &AuthenticateOptions,
        email: Option<TypedEmail<'_>>,
    ) -> Result<String> {
        let browser = self.browser(options.browser.as_deref());
        if browser.is_none() && self.store.is_local() {
            return Err(unbound());
        }
        let record = Record::new(options, email, self.clock.now());
        sealed.seal(&*self.random, Flow::Implicit, &record, browser.as_ref())
    }

    /// Checks that a sealed login has not expired.
    pub(super) fn check_age(&self, record: &Record<'_>, now: f64) -> Result<()> {
        let (started_at, ttl) = (record.started_at(), self.config.session_ttl.as_secs_f64());
        if started_at > now + LEEWAY_SECONDS {
            return Err(Error::new(
                Code::TokenClock,
                format_args!(
                    "the login was started in the future; compare the clocks of the site's machines \
                     started_at={started_at} now={now} leeway={LEEWAY_SECONDS}"
                ),
            ));
        }
        if now < started_at + ttl {
            return Ok(());
        }
        Err(Error::new(
            Code::SessionExpired,
            format_args!(
                "the login has expired, because it took longer than session_ttl \
                 started_at={started_at} now={now} session_ttl={ttl}"
            ),
        ))
    }

    /// Whether a sealed login has not expired. It may be completed already.
    pub(super) fn is_pending(&self, sealed: &SealedLogins, nonce: &str) -> bool {
        let opened = sealed.open(Flow::Implicit, nonce);
        opened.is_ok_and(|opened| {
            let record = opened.record();
            let now = unix_seconds(self.clock.now());
            record.is_ok_and(|record| self.check_age(&record, now).is_ok())
        })
    }

    /// The longest nonce or `state` of this client, in bytes.
    pub(super) fn nonce_limit(&self) -> usize {
        match self.sealed {
            None => MAX_NONCE_BYTES,
            Some(_) => MAX_SEALED_BYTES,
        }
    }

    /// Uses up the sealed login that a token answers; see [`Inner::consume`].
    pub(super) async fn consume_sealed(
        &self,
        sealed: &SealedLogins,
        verified: &VerifiedToken<'_>,
        options: &CompleteOptions<'_>,
        browser: Option<&Browser<'_>>,
    ) -> Result<(Option<String>, bool)> {
        let VerifiedToken {
            id_token,
            claims,
            session,
            ..
        } = verified;
        let opened = sealed.open(Flow::Implicit, &verified.nonce)?;
        let record = opened.record()?;
        self.check_age(&record, verified.verified_at)?;
        let is_shared = !self.store.is_local();
        let binding = opened.binding(browser);
        if binding == Binding::None && !is_shared {
            return Err(unbound());
        }
        let options = CompleteOptions {
            // Whoever finds a used token could confirm it in a process that does not know that it was used.
            confirmation: options.confirmation.filter(|_| is_shared),
            ..*options
        };
        if let Err(confirmation) = allow(binding, browser, &options, id_token) {
            let is_spent = if is_shared {
                Box::pin(is_marked(&*self.store, session)).await? == Some(true)
            } else {
                sealed.is_spent(session)
            };
            if is_spent {
                return Err(Error::used(false));
            }
            return Err(Error::other_browser(BrowserMismatch {
                email: claims.email.clone(),
                confirmation: confirmation.filter(|_| is_shared),
            }));
        }
        let same_browser = binding == Binding::SameBrowser;
        record.check_start(claims.issued_at, verified.verified_at, self.config.leeway)?;
        let ttl = self.time_left(&record, claims, verified.verified_at) + MARGIN;
        let is_first = if is_shared {
            // In a box: most logins are marked in this process.
            Box::pin(mark(&*self.store, session, ttl)).await?
        } else {
            sealed.spent.mark(session, ttl, false)?
        };
        if !is_first {
            return Err(Error::used(same_browser));
        }
        Ok((record.accept(&claims.email_original)?, same_browser))
    }

    /// How long a token can complete its sealed login.
    fn time_left(&self, record: &Record<'_>, claims: &Claims, now: f64) -> Duration {
        let login_ends = record.started_at() + self.config.session_ttl.as_secs_f64();
        let token_ends = claims.expires_at + self.config.leeway.as_secs_f64();
        let left = login_ends.min(token_ends) - now;
        Duration::try_from_secs_f64(left).unwrap_or_default()
    }
}

/// Writes down in a shared store that a login was completed; `false` if it was before. Of any number of calls for one login, at most
/// one gets `true`.
async fn mark(spent: &dyn Store, session: &SessionKey, ttl: Duration) -> Result<bool> {
    match spent.put(session, SPENT.to_owned(), ttl).await {
        Ok(()) => Ok(true),
        // A store refuses to replace a record, and has no code of its own for that.
        Err(error) if error.code() == Code::StoreFailed => match is_marked(spent, session).await? {
            Some(true) => Ok(false),
            _ => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// Whether a login was completed; `None` if the store cannot tell.
async fn is_marked(spent: &dyn Store, session: &SessionKey) -> Result<Option<bool>> {
    match spent.peek(session).await? {
        Some(found) => Ok(Some(found != Taken::Unknown)),
        None => spent.contains(session).await,
    }
}

fn unbound() -> Error {
    Error::new(
        Code::InvalidOption,
        "a sealed login of the implicit flow can be completed once only if it is bound to a browser, or if \
         the client also has a store that all processes share: use the code flow, pass browser, or add a \
         store",
    )
}
