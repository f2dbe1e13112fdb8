//! A session in one sealed cookie, without data on the server, for sites without their own
//! sessions.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::cookies::Cookies;
use crate::client::Client;
use crate::clock::unix_seconds;
use crate::email::normalize_email;
use crate::error::{Code, Error, Result};
use crate::sealing::Sealer;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Random bytes of a session's id: 128 bits.
const ID_BYTES: usize = 16;

/// The accepted clock difference between the machines of a site, in seconds.
const LEEWAY_SECONDS: u64 = 5 * 60;

/// The purpose and the version of the sealed text.
const LABEL: &str = "portier-client:session:1";

/// The options of a [`SessionCookie`].
#[derive(Clone)]
#[non_exhaustive]
pub struct SessionOptions {
    /// Secrets of 32 random bytes or more. The first one seals, all of them open. To rotate them,
    /// put a new one first, and remove the old one after `max_age`.
    pub secrets: Vec<Vec<u8>>,
    /// The lifetime of a session without a visit; 14 days by default. A visit in the second half of
    /// that time renews it.
    pub max_age: Duration,
    /// The lifetime of a session with visits; 90 days by default.
    pub absolute_max_age: Duration,
}

impl SessionOptions {
    /// Options with these secrets.
    pub fn new(secrets: Vec<Vec<u8>>) -> Self {
        Self {
            secrets,
            max_age: 14 * DAY,
            absolute_max_age: 90 * DAY,
        }
    }
}

/// Keeps people signed in with one sealed cookie.
///
/// Nobody else can read or change the cookie (AES-256-GCM), and it is valid only for this site. The
/// server cannot end a session by itself. To end sessions, store their `id`, or the time from which
/// the sessions of an address are valid, and refuse the others.
pub struct SessionCookie {
    client: Client,
    sealer: Sealer,
    cookies: Cookies,
    max_age: u64,
    absolute_max_age: u64,
}

/// A person who is signed in.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Session {
    /// The verified address in normalized form.
    pub email: String,
    /// A random id of this session, 22 characters of URL-safe base64.
    pub id: String,
    /// When the person signed in, in seconds since 1970.
    pub signed_in_at: u64,
    /// When the session ends unless it is renewed, in seconds since 1970.
    pub expires_at: u64,
    renewed_at: u64,
}

/// A request of a signed-in person.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Visit {
    /// The session.
    pub session: Session,
    /// The value of a `Set-Cookie` header that renews the session, to be set on the answer.
    pub renewal: Option<String>,
}

impl SessionCookie {
    /// Checks the options.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] for a secret that is too short or looks like a placeholder, and for ages
    /// that are out of range.
    pub fn new(client: Client, options: &SessionOptions) -> Result<Self> {
        let (max_age, absolute) = (options.max_age, options.absolute_max_age);
        if max_age < Duration::from_secs(60) || absolute < max_age || absolute > 400 * DAY {
            return Err(Error::new(
                Code::InvalidOption,
                "session ages are out of range: 60 s <= max_age <= absolute_max_age <= 400 days",
            ));
        }
        Ok(Self {
            sealer: Sealer::new(&options.secrets, LABEL, &[client.client_id()])?,
            cookies: Cookies::for_site(client.redirect_uri().starts_with("https:")),
            client,
            max_age: max_age.as_secs(),
            absolute_max_age: absolute.as_secs(),
        })
    }

    /// Begins a session and returns it with the value of its `Set-Cookie` header.
    ///
    /// # Errors
    /// [`Code::InvalidEmail`], and [`Code::Internal`] if there is no randomness.
    pub fn start(&self, email: &str) -> Result<(Session, String)> {
        let email = normalize_email(email)?;
        let mut id = [0; ID_BYTES];
        self.client.random().fill(&mut id)?;
        let now = self.now();
        let session = Session {
            email,
            id: URL_SAFE_NO_PAD.encode(id),
            signed_in_at: now,
            expires_at: self.end(now, now),
            renewed_at: now,
        };
        let cookie = self.seal(&session)?;
        Ok((session, cookie))
    }

    /// The session in the `Cookie` header of a request, if it is genuine and has not ended.
    pub fn read(&self, cookie: Option<&str>) -> Option<Session> {
        let sealed = self.cookies.session.read(cookie)?;
        let session = self.parse(&self.sealer.open(sealed)?)?;
        let now = self.now();
        // The start of a session may be ahead of this clock by the accepted difference of two
        // clocks.
        let is_current =
            session.renewed_at <= now.saturating_add(LEEWAY_SECONDS) && now < session.expires_at;
        is_current.then_some(session)
    }

    /// The value of a `Set-Cookie` header that makes a session last longer, if half of its time is
    /// over.
    ///
    /// # Errors
    /// [`Code::Internal`] if there is no randomness.
    pub fn renew(&self, session: &Session) -> Result<Option<String>> {
        let now = self.now();
        let age = now.saturating_sub(session.renewed_at);
        let expires_at = self.end(session.signed_in_at, now);
        if age < self.max_age / 2 || expires_at <= session.expires_at {
            return Ok(None);
        }
        let renewed = Session {
            renewed_at: now,
            expires_at,
            ..session.clone()
        };
        self.seal(&renewed).map(Some)
    }

    /// The value of a `Set-Cookie` header that ends the session in this browser.
    pub fn clear(&self) -> String {
        self.cookies.clear(self.cookies.session)
    }

    fn seal(&self, session: &Session) -> Result<String> {
        let id = URL_SAFE_NO_PAD.decode(&session.id).unwrap_or_default();
        let mut text = Vec::with_capacity(16 + ID_BYTES + session.email.len());
        text.extend_from_slice(&session.signed_in_at.to_be_bytes());
        text.extend_from_slice(&session.renewed_at.to_be_bytes());
        text.extend_from_slice(&id);
        text.extend_from_slice(session.email.as_bytes());
        let sealed = self.sealer.seal(self.client.random(), &text)?;
        let seconds = session.expires_at.saturating_sub(session.renewed_at);
        Ok(self.cookies.set_for(self.cookies.session, &sealed, seconds))
    }

    fn parse(&self, text: &[u8]) -> Option<Session> {
        let (signed_in_at, text) = text.split_first_chunk()?;
        let (renewed_at, text) = text.split_first_chunk()?;
        let (id, email) = text.split_at_checked(ID_BYTES)?;
        let (signed_in_at, renewed_at) = (
            u64::from_be_bytes(*signed_in_at),
            u64::from_be_bytes(*renewed_at),
        );
        Some(Session {
            email: str::from_utf8(email).ok()?.to_owned(),
            id: URL_SAFE_NO_PAD.encode(id),
            signed_in_at,
            expires_at: self.end(signed_in_at, renewed_at),
            renewed_at,
        })
    }

    fn end(&self, signed_in_at: u64, renewed_at: u64) -> u64 {
        let sliding = renewed_at.saturating_add(self.max_age);
        sliding.min(signed_in_at.saturating_add(self.absolute_max_age))
    }

    fn now(&self) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole seconds; before 1970 there is no session"
        )]
        let seconds = unix_seconds(self.client.now()) as u64;
        seconds
    }
}

impl fmt::Debug for SessionOptions {
    /// Omits the secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SessionOptions")
            .field("max_age", &self.max_age)
            .field("absolute_max_age", &self.absolute_max_age)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SessionCookie {
    /// Omits the keys.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SessionCookie")
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Visit {
    /// Omits the cookie.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Visit")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Session {
    /// Omits the address and the id.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Session")
            .field("signed_in_at", &self.signed_in_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "testing"))]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::sync::Arc;
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::testing::{ManualClock, MockTransport};

    const SECRET: &[u8] = b"WkT1vS7mQ9x4LhR2nYcB8dGpJ6fZaE3u";
    const HOUR: Duration = Duration::from_secs(60 * 60);

    struct Site {
        clock: Arc<ManualClock>,
        cookie: SessionCookie,
    }

    impl Site {
        fn new() -> Self {
            Self::at("https://site.test/verify")
        }

        fn at(redirect_uri: &str) -> Self {
            let clock = Arc::new(ManualClock::at(1_790_000_000));
            let client = Client::builder(redirect_uri)
                .transport(Arc::new(MockTransport::new()))
                .clock(clock.clone())
                .build()
                .unwrap();
            let options = SessionOptions::new(vec![SECRET.to_vec()]);
            let cookie = SessionCookie::new(client, &options).unwrap();
            Self { clock, cookie }
        }

        fn start(&self) -> (Session, String) {
            let (session, set_cookie) = self.cookie.start("alice@example.com").unwrap();
            (session, sent_back(&set_cookie))
        }
    }

    /// The `Cookie` header of a browser for a cookie that was set.
    fn sent_back(set_cookie: &str) -> String {
        set_cookie.split(';').next().unwrap().to_owned()
    }

    #[test]
    fn a_session_is_read_from_its_cookie() {
        let site = Site::new();
        let (started, cookie) = site.start();
        let read = site.cookie.read(Some(&cookie)).unwrap();
        assert_eq!(read, started);
        assert_eq!(read.email, "alice@example.com");
        assert_eq!(read.signed_in_at, 1_790_000_000);
        assert_eq!(read.id.len(), 22);
        let (other, _) = site.start();
        assert_ne!(other.id, started.id);
        assert_eq!(site.cookie.read(None), None);
        assert_eq!(site.cookie.read(Some("__Host-portier-session=")), None);
    }

    #[test]
    fn a_session_ends_unless_it_is_visited() {
        let site = Site::new();
        let (session, cookie) = site.start();
        site.clock.advance(6 * DAY + 23 * HOUR);
        assert_eq!(site.cookie.renew(&session).unwrap(), None, "too early");
        site.clock.advance(2 * HOUR);
        let renewed = site.cookie.renew(&session).unwrap().unwrap();
        site.clock.advance(6 * DAY + 22 * HOUR);
        assert!(site.cookie.read(Some(&cookie)).is_some());
        site.clock.advance(HOUR);
        assert!(
            site.cookie.read(Some(&cookie)).is_none(),
            "14 days are over"
        );
        let read = site.cookie.read(Some(&sent_back(&renewed))).unwrap();
        assert_eq!(
            (read.id, read.signed_in_at),
            (session.id, session.signed_in_at)
        );
    }

    #[test]
    fn a_session_ends_after_its_maximum_age_despite_visits() {
        let site = Site::new();
        let (mut session, _) = site.start();
        for _ in 0..20 {
            site.clock.advance(8 * DAY);
            match site.cookie.renew(&session).unwrap() {
                Some(cookie) => session = site.cookie.read(Some(&sent_back(&cookie))).unwrap(),
                None => break,
            }
        }
        assert_eq!(
            session.expires_at - session.signed_in_at,
            90 * DAY.as_secs()
        );
    }

    #[test]
    fn a_session_from_the_future_is_refused() {
        let site = Site::new();
        site.clock.advance(HOUR);
        let (_, cookie) = site.start();
        let back = UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        site.clock.set(back);
        assert!(site.cookie.read(Some(&cookie)).is_none());
    }

    #[test]
    fn another_site_with_the_same_secret_reads_nothing() {
        let (_, cookie) = Site::new().start();
        let other = Site::at("https://other.test/verify");
        assert!(other.cookie.read(Some(&cookie)).is_none());
    }

    #[test]
    fn a_cookie_has_the_flags_that_browsers_need() {
        let site = Site::new();
        let (_, set_cookie) = site.cookie.start("alice@example.com").unwrap();
        let flags = "; Max-Age=1209600; Path=/; HttpOnly; SameSite=Lax; Secure";
        assert!(set_cookie.starts_with("__Host-portier-session=") && set_cookie.ends_with(flags));
        let cleared = "__Host-portier-session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure";
        assert_eq!(site.cookie.clear(), cleared);
    }

    #[test]
    fn ages_out_of_range_are_refused() {
        let client = Client::builder("https://site.test/verify").build().unwrap();
        for (max_age, absolute_max_age) in [(Duration::ZERO, DAY), (DAY, HOUR), (DAY, 401 * DAY)] {
            let options = SessionOptions {
                max_age,
                absolute_max_age,
                ..SessionOptions::new(vec![SECRET.to_vec()])
            };
            let error = SessionCookie::new(client.clone(), &options).unwrap_err();
            assert_eq!(error.code(), Code::InvalidOption);
        }
    }
}
