//! The record of a pending login in the store.

mod packed;

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde::{Deserialize, Serialize};

use crate::clock::unix_seconds;
use crate::email::TypedEmail;
use crate::error::{ClaimReason, Code, Error, Result};
use crate::session::AuthenticateOptions;

pub(crate) use self::packed::MAX_TEXT_BYTES;

/// The record of a pending login in the store. It is JSON with short names, to save memory.
///
/// A record with an unknown member or version comes from a newer version of this library. It may contain
/// a condition that this version cannot check, so it is not accepted.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record<'a> {
    /// The version of the format.
    #[serde(rename = "v")]
    version: u32,
    /// When the login was started, in seconds since 1970.
    #[serde(rename = "t")]
    started_at: f64,
    #[serde(rename = "e", borrow, skip_serializing_if = "Option::is_none", default)]
    email: Option<Cow<'a, str>>,
    #[serde(rename = "s", borrow, skip_serializing_if = "Option::is_none", default)]
    session: Option<Cow<'a, str>>,
    /// The application's state. In the code flow, it is not sent to the broker.
    #[serde(rename = "a", borrow, skip_serializing_if = "Option::is_none", default)]
    state: Option<Cow<'a, str>>,
    /// The `code_verifier` of PKCE.
    #[serde(rename = "k", borrow, skip_serializing_if = "Option::is_none", default)]
    code_verifier: Option<Cow<'a, str>>,
}

const RECORD_VERSION: u32 = 1;

/// Whether a record has another version, or members that this version does not know.
fn is_of_another_version(text: &str) -> bool {
    let Ok(members) = serde_json::from_str::<serde_json::Map<_, _>>(text) else {
        return false;
    };
    match members.get("v").and_then(serde_json::Value::as_u64) {
        None => false,
        Some(version) if version == u64::from(RECORD_VERSION) => {
            let ours = ["v", "t", "e", "s", "a", "k"];
            members.keys().any(|name| !ours.contains(&name.as_str()))
        }
        Some(_) => true,
    }
}

impl<'a> Record<'a> {
    pub(crate) fn new(
        options: &'a AuthenticateOptions,
        email: Option<TypedEmail<'a>>,
        now: SystemTime,
    ) -> Self {
        Self {
            version: RECORD_VERSION,
            // Milliseconds are precise enough, and shorter.
            started_at: (unix_seconds(now) * 1000.0).floor() / 1000.0,
            email: email.map(|email| Cow::Borrowed(email.as_str())),
            session: options.session.as_deref().map(Cow::Borrowed),
            state: None,
            code_verifier: None,
        }
    }

    /// Keeps what is needed to redeem the code, and the application's state.
    pub(crate) fn for_code(self, state: Option<&'a str>, code_verifier: Option<&'a str>) -> Self {
        Self {
            state: state.map(Cow::Borrowed),
            code_verifier: code_verifier.map(Cow::Borrowed),
            ..self
        }
    }

    /// The address as it was typed.
    pub(crate) fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    pub(crate) fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    pub(crate) fn code_verifier(&self) -> Option<&str> {
        self.code_verifier.as_deref()
    }

    pub(crate) fn to_text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|cause| {
            Error::new(Code::Internal, "session record cannot be written").with_source(cause)
        })
    }

    pub(crate) fn parse(text: &'a str) -> Result<Self> {
        // The derived reader would accept a sequence, and its error would quote the record.
        let is_object = text.starts_with('{');
        let read = || serde_json::from_str::<Self>(text).ok();
        if let Some(record) = read().filter(|record| is_object && record.version == RECORD_VERSION)
        {
            return Ok(record);
        }
        Err(if is_of_another_version(text) {
            let message = "session record was written by another version of this library";
            Error::new(Code::SessionUnknown, message)
        } else {
            Error::new(Code::StoreFailed, "session record cannot be read")
        })
    }

    /// Checks that the token is not older than the login. Nobody knows the nonce before the login starts,
    /// so an older token means that a clock is wrong.
    ///
    /// If the login starts in the future, the clock has been set back since, or another machine has started
    /// the login. Its time is ignored then.
    pub(crate) fn check_start(&self, issued_at: f64, now: f64, leeway: Duration) -> Result<()> {
        let leeway = leeway.as_secs_f64();
        let started_at = self.started_at;
        if issued_at >= started_at - leeway || started_at > now {
            return Ok(());
        }
        Err(Error::refused_claim(
            Code::TokenClock,
            "iat",
            ClaimReason::CheckFailed,
            format_args!(
                "the token was issued before the login was started; compare the clocks of this \
                 machine and of the broker iat={issued_at} started_at={started_at} now={now} \
                 leeway={leeway}"
            ),
        ))
    }

    /// When the login was started, in seconds since 1970.
    pub(crate) fn started_at(&self) -> f64 {
        self.started_at
    }

    /// Checks that a verified token is for the address of this login. Returns the application's text.
    pub(crate) fn accept(self, email_original: &str) -> Result<Option<String>> {
        if let Some(email) = &self.email
            && verify_slices_are_equal(email.as_bytes(), email_original.as_bytes()).is_err()
        {
            return Err(Error::new(
                Code::SessionEmail,
                "the token is for another address than the login",
            ));
        }
        Ok(self.session.map(Cow::into_owned))
    }
}
