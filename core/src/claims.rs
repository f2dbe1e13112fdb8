//! The claims of a token, and their validation.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::clock::unix_seconds;
use crate::email::normalized;
use crate::error::{ClaimReason, Code, Error, Result};
use crate::json::{Object, Value};

/// The last second of the year 9999; later times are invalid.
const MAX_TIME: f64 = 253_402_300_799.0;

/// The expected values of claims.
#[derive(Clone, Copy)]
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) leeway: Duration,
    pub(crate) idp: bool,
    /// The longest accepted nonce, in bytes.
    pub(crate) nonce_limit: usize,
}

/// The validated claims of a token.
#[derive(Clone, PartialEq)]
pub(crate) struct Claims {
    pub(crate) email: String,
    pub(crate) email_original: String,
    /// Seconds since 1970.
    pub(crate) issued_at: f64,
    /// Seconds since 1970.
    pub(crate) expires_at: f64,
    /// Seconds since 1970.
    pub(crate) auth_time: Option<f64>,
}

impl Claims {
    /// Parses the payload of a token and makes the cheap checks, so that an invalid token causes no request
    /// to the broker.
    pub(crate) fn parse<'a>(
        payload: &'a [u8],
        expected: &Expected<'_>,
        now: SystemTime,
    ) -> Result<UntrustedClaims<'a>> {
        let members = Object::parse(payload).map_err(|reason| {
            Error::new(
                Code::TokenMalformed,
                format_args!("the token's payload cannot be read reason={reason}"),
            )
        })?;
        if text(&members, "iss") != Some(expected.issuer) {
            return Err(Error::refused_claim(
                Code::TokenIssuer,
                "iss",
                why_not_this_text(members.get("iss")),
                format_args!(
                    "the token's iss is not the broker expected={}",
                    expected.issuer
                ),
            ));
        }
        // An array of audiences is refused even if it has one element: in Portier's tokens, the audience
        // is a string.
        if text(&members, "aud") != Some(expected.audience) {
            return Err(Error::refused_claim(
                Code::TokenAudience,
                "aud",
                why_not_this_text(members.get("aud")),
                format_args!(
                    "the token's aud is not this client expected={}",
                    expected.audience
                ),
            ));
        }
        let expires_at = required_time(&members, "exp")?;
        let leeway = expected.leeway.as_secs_f64();
        let now = unix_seconds(now);
        if now >= expires_at + leeway {
            return Err(Error::refused_claim(
                Code::TokenExpired,
                "exp",
                ClaimReason::CheckFailed,
                format_args!(
                    "the token has expired; if it is a new one, compare the clocks \
                     exp={expires_at} now={now} leeway={leeway}"
                ),
            ));
        }
        if !text(&members, "nonce")
            .is_some_and(|nonce| (1..=expected.nonce_limit).contains(&nonce.len()))
        {
            let reason = missing_or_invalid(members.get("nonce"));
            let limit = expected.nonce_limit;
            let message = format!("the token has no nonce of 1 to {limit} bytes");
            return Err(refused("nonce", reason, message));
        }
        Ok(UntrustedClaims {
            members,
            expires_at,
        })
    }
}

/// Claims whose signature has not been checked yet.
pub(crate) struct UntrustedClaims<'a> {
    members: Object<'a>,
    expires_at: f64,
}

impl UntrustedClaims<'_> {
    /// The nonce, to find out whether its login is pending.
    pub(crate) fn nonce(&self) -> &str {
        text(&self.members, "nonce").unwrap_or_default()
    }

    /// Makes the remaining checks (OpenID Connect Core, section 3.2.2.11, and the Portier protocol).
    pub(crate) fn check(self, expected: &Expected<'_>, now: SystemTime) -> Result<Claims> {
        let members = &self.members;
        self.check_authorized_party(expected)?;
        let issued_at = self.check_times(expected, now)?;
        let auth_time = optional_time(members, "auth_time")?;
        let reason = match members.get("email_verified") {
            None | Some(Value::Bool(true)) => None,
            Some(Value::Bool(false)) => Some(ClaimReason::CheckFailed),
            Some(_) => Some(ClaimReason::Invalid),
        };
        if let Some(reason) = reason {
            let message = "the token's email_verified is not true";
            return Err(refused("email_verified", reason, message));
        }
        let email = text(members, "email")
            .filter(|email| normalized(email).is_ok_and(|normalized| normalized == *email))
            .ok_or_else(|| {
                let reason = missing_or_invalid(members.get("email"));
                let message = "the token has no email in normalized form";
                refused("email", reason, message)
            })?;
        let email_original = match members.get("email_original") {
            None => email,
            Some(value) => value
                .as_str()
                .filter(|original| *original == email || normalized(original).is_ok())
                .ok_or_else(|| {
                    let message = "the token's email_original is not an e-mail address";
                    refused("email_original", ClaimReason::Invalid, message)
                })?,
        };
        if expected.idp && email != email_original {
            let message = "the token's email is not its email_original";
            return Err(refused("email", ClaimReason::CheckFailed, message));
        }
        Ok(Claims {
            email: email.to_owned(),
            email_original: email_original.to_owned(),
            issued_at,
            expires_at: self.expires_at,
            auth_time,
        })
    }

    fn check_authorized_party(&self, expected: &Expected<'_>) -> Result<()> {
        match self.members.get("azp") {
            None => Ok(()),
            Some(party) if party.as_str() == Some(expected.audience) => Ok(()),
            party => Err(Error::refused_claim(
                Code::TokenAudience,
                "azp",
                why_not_this_text(party),
                format_args!(
                    "the token's azp is not this client expected={}",
                    expected.audience
                ),
            )),
        }
    }

    /// Checks that the times are in order and not in the future. Returns the `iat`.
    fn check_times(&self, expected: &Expected<'_>, now: SystemTime) -> Result<f64> {
        let issued_at = required_time(&self.members, "iat")?;
        if self.expires_at <= issued_at {
            let message = "the token's exp is not after its iat";
            return Err(refused("exp", ClaimReason::CheckFailed, message));
        }
        let not_before = optional_time(&self.members, "nbf")?;
        let leeway = expected.leeway.as_secs_f64();
        let now = unix_seconds(now);
        for (name, time) in [("iat", Some(issued_at)), ("nbf", not_before)] {
            if let Some(time) = time.filter(|time| *time > now + leeway) {
                return Err(Error::refused_claim(
                    Code::TokenNotYetValid,
                    name,
                    ClaimReason::CheckFailed,
                    format_args!(
                        "the token's {name} is in the future; compare the clocks {name}={time} now={now} leeway={leeway}"
                    ),
                ));
            }
        }
        Ok(issued_at)
    }
}

#[inline]
fn text<'a>(members: &'a Object<'_>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}

fn required_time(members: &Object<'_>, name: &'static str) -> Result<f64> {
    optional_time(members, name)?.ok_or_else(|| {
        let message = format!("the token has no {name}");
        refused(name, ClaimReason::Missing, message)
    })
}

/// A `NumericDate` (RFC 7519, section 2): a number of seconds, integer or not.
fn optional_time(members: &Object<'_>, name: &'static str) -> Result<Option<f64>> {
    let Some(value) = members.get(name) else {
        return Ok(None);
    };
    value
        .as_f64()
        .filter(|time| (0.0..=MAX_TIME).contains(time))
        .map(Some)
        .ok_or_else(|| {
            let message = format!("the token's {name} is not a time between 1970 and 9999");
            refused(name, ClaimReason::Invalid, message)
        })
}

/// Why a claim is not the expected text.
fn why_not_this_text(found: Option<&Value<'_>>) -> ClaimReason {
    match found.map(Value::as_str) {
        None => ClaimReason::Missing,
        Some(None) => ClaimReason::Invalid,
        Some(Some(_)) => ClaimReason::CheckFailed,
    }
}

fn missing_or_invalid(found: Option<&Value<'_>>) -> ClaimReason {
    found.map_or(ClaimReason::Missing, |_| ClaimReason::Invalid)
}

fn refused(name: &'static str, reason: ClaimReason, message: impl fmt::Display) -> Error {
    Error::refused_claim(Code::TokenClaim, name, reason, message)
}
