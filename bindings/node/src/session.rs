//! Who is signed in: the session cookie.

use std::rc::Rc;
use std::time::Duration;

use napi::bindgen_prelude::{Either, Uint8Array};
use napi_derive::napi;
use portier_client::web;
use portier_client::{Code, Error, Result};

use crate::closable::Closable;
use crate::failure::{self, Failure};

/// The options of sessions; the package has checked their types. An age that is absent has the default of
/// the core.
#[napi(object, object_to_js = false)]
pub struct SessionOptions {
    /// The first one seals, all of them open.
    pub secrets: Vec<Uint8Array>,
    /// Seconds.
    pub max_age: Option<f64>,
    /// Seconds.
    pub absolute_max_age: Option<f64>,
}

impl SessionOptions {
    pub(crate) fn into_core(self) -> Result<web::SessionOptions> {
        let secrets = self.secrets.iter().map(|secret| secret.to_vec()).collect();
        let mut options = web::SessionOptions::new(secrets);
        if let Some(seconds) = self.max_age {
            options.max_age = age(seconds)?;
        }
        if let Some(seconds) = self.absolute_max_age {
            options.absolute_max_age = age(seconds)?;
        }
        Ok(options)
    }
}

fn age(seconds: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|cause| {
        let problem = format_args!("a session age is not a number of seconds given={seconds}");
        Error::new(Code::InvalidOption, problem).with_source(cause)
    })
}

/// A person who is signed in, as one text. Making an object of five properties takes longer than reading the
/// cookie.
///
/// When the person signed in and when the session expires, in seconds since 1970; its id; the address; and, in
/// a second line, the `Set-Cookie` value that renews it.
pub(crate) type PackedSession = String;

pub(crate) fn packed(session: &web::Session, renewal: Option<&str>) -> PackedSession {
    let web::Session {
        email,
        id,
        signed_in_at,
        expires_at,
        ..
    } = session;
    let packed = format!("{signed_in_at} {expires_at} {id} {email}");
    match renewal {
        None => packed,
        Some(renewal) => format!("{packed}\n{renewal}"),
    }
}

/// A session that has begun, and the value of its `Set-Cookie`.
#[napi(object, object_from_js = false)]
pub struct StartedSession {
    /// The session.
    pub session: PackedSession,
    /// The value of `Set-Cookie`.
    pub cookie: String,
}

impl StartedSession {
    pub(crate) fn new((session, cookie): (web::Session, String)) -> Self {
        let session = packed(&session, None);
        Self { session, cookie }
    }
}

/// Keeps people signed in with one sealed cookie.
#[napi]
pub struct SessionCookie {
    cookie: Rc<Closable<web::SessionCookie>>,
}

impl SessionCookie {
    pub(crate) fn new(cookie: Rc<Closable<web::SessionCookie>>) -> Self {
        Self { cookie }
    }

    fn with<T>(&self, act: impl FnOnce(&web::SessionCookie) -> T) -> napi::Result<T> {
        match &*self.cookie.borrow() {
            Some(cookie) => Ok(act(cookie)),
            None => Err(napi::Error::from_reason("the client was closed")),
        }
    }
}

#[napi]
impl SessionCookie {
    /// Begins a session.
    #[napi(catch_unwind)]
    pub fn start(&self, email: String) -> napi::Result<Either<StartedSession, Failure>> {
        self.with(|cookie| failure::either(cookie.start(&email).map(StartedSession::new)))
    }

    /// The session in the `Cookie` header of a request.
    #[napi(catch_unwind)]
    pub fn read(&self, header: String) -> napi::Result<Option<PackedSession>> {
        let session = self.with(|cookie| cookie.read(Some(&header)))?;
        Ok(session.map(|session| packed(&session, None)))
    }

    /// The cookie that renews the session of such a header, if half of its time is over.
    #[napi(catch_unwind)]
    pub fn renew(&self, header: String) -> napi::Result<Either<Option<String>, Failure>> {
        self.with(|cookie| {
            let session = cookie.read(Some(&header));
            let renewal = session.map(|session| cookie.renew(&session)).transpose();
            failure::either(renewal.map(Option::flatten))
        })
    }

    /// The cookie that ends the session.
    #[napi(catch_unwind)]
    pub fn clear(&self) -> napi::Result<String> {
        self.with(web::SessionCookie::clear)
    }
}
