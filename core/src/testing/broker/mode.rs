//! How the development broker responds to logins: to all, to those of some addresses, or to the next ones.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::email::normalize_email;
use crate::error::{Code, Error, Result};

/// How the broker responds to a login.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It shows a page and asks.
    #[default]
    Page,
    /// It shows a page that waits for the mail, as the real broker does. The mail is in the inbox.
    Mail,
    /// It signs the person in at once.
    Accept,
    /// It refuses at once, as if the person had pressed Cancel.
    Refuse,
    /// It signs the person in at once, with a token that has expired.
    Expired,
    /// It responds at once with this error (RFC 6749, section 4.1.2.1).
    Error(String),
    /// It signs another person in at once, who has this address.
    As(String),
}

/// The error of a login that the person has cancelled, and its description.
pub(super) const CANCELLED: (&str, &str) = ("access_denied", "the person cancelled the sign-in");

impl Mode {
    /// The error that it responds with.
    pub(super) fn error(&self) -> Option<(&str, &'static str)> {
        match self {
            Self::Refuse => Some(CANCELLED),
            Self::Error(code) => Some((code, "the development broker was told to respond so")),
            _ => None,
        }
    }
}

impl FromStr for Mode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let invalid = |problem| Error::new(Code::InvalidOption, problem);
        Ok(match text.split_once(':').unwrap_or((text, "")) {
            ("page", "") => Self::Page,
            ("mail", "") => Self::Mail,
            ("accept", "") => Self::Accept,
            ("refuse", "") => Self::Refuse,
            ("expired", "") => Self::Expired,
            ("error", code) if is_error_code(code) => Self::Error(code.to_owned()),
            ("error", _) => return Err(invalid("mode error:CODE has no valid error code")),
            ("as", email) if normalize_email(email).is_ok() => Self::As(email.to_owned()),
            ("as", _) => return Err(invalid("mode as:ADDRESS has no valid address")),
            _ => {
                return Err(invalid(
                    "mode is not one of page, mail, accept, refuse, expired, error:CODE, as:ADDRESS",
                ));
            }
        })
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Whether a text may be the member `error` of a response (RFC 6749, section 4.1.2.1).
fn is_error_code(text: &str) -> bool {
    let allowed = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    !text.is_empty() && text.as_bytes().iter().all(allowed)
}

/// The addresses of an account: an address in which `*` stands for any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(String);

impl FromStr for Pattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        // A pattern is compared with normalized addresses. With stars it is not an address itself.
        let normalized = if text.contains('*') {
            Some(text.to_lowercase()).filter(|text| !text.chars().any(char::is_whitespace))
        } else {
            normalize_email(text).ok()
        };
        normalized.map(Self).ok_or_else(|| {
            let problem = "account is not an address or a pattern, such as *@example.com";
            Error::new(Code::InvalidOption, problem)
        })
    }
}

impl Pattern {
    fn matches(&self, email: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = email.strip_prefix(first) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        for part in parts {
            let Some((_, after)) = rest.split_once(part) else {
                return false;
            };
            rest = after;
        }
        rest.ends_with(last)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The modes of all logins.
#[derive(Default)]
pub(super) struct Modes {
    initial: Mode,
    pub(super) usual: Mode,
    accounts: Vec<(Pattern, Mode)>,
    next: VecDeque<Mode>,
}

impl Modes {
    pub(super) fn of(initial: Mode) -> Self {
        Self {
            usual: initial.clone(),
            initial,
            ..Self::default()
        }
    }

    /// Returns to the mode of the beginning.
    pub(super) fn reset(&mut self) {
        *self = Self::of(std::mem::take(&mut self.initial));
    }

    /// Sets the mode of an account. Addresses come before patterns, and long patterns before short ones.
    pub(super) fn set_account(&mut self, pattern: Pattern, mode: Mode) {
        self.accounts.retain(|(known, _)| *known != pattern);
        let rank = |pattern: &Pattern| (pattern.0.contains('*'), Reverse(pattern.0.len()));
        let place = self
            .accounts
            .partition_point(|(known, _)| rank(known) <= rank(&pattern));
        self.accounts.insert(place, (pattern, mode));
    }

    /// Replaces the modes of the next logins.
    pub(super) fn set_next(&mut self, modes: impl IntoIterator<Item = Mode>) {
        self.next = modes.into_iter().collect();
    }

    /// The mode of a login that begins. Without an address, the page asks for it.
    pub(super) fn begin(&mut self, email: Option<&str>) -> Mode {
        let next = self.next.pop_front();
        next.unwrap_or_else(|| match email {
            Some(email) => self.account(email),
            None => self.usual.clone(),
        })
    }

    /// The mode of an address.
    pub(super) fn account(&self, email: &str) -> Mode {
        let email = normalize_email(email).unwrap_or_default();
        let found = self.accounts.iter().find(|(one, _)| one.matches(&email));
        found.map_or_else(|| self.usual.clone(), |(_, mode)| mode.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_a_word_or_a_word_with_a_value() {
        for (text, mode) in [
            ("page", Mode::Page),
            ("mail", Mode::Mail),
            ("accept", Mode::Accept),
            ("refuse", Mode::Refuse),
            ("expired", Mode::Expired),
            ("error:server_error", Mode::Error("server_error".to_owned())),
            ("as:Bob@example.com", Mode::As("Bob@example.com".to_owned())),
        ] {
            assert_eq!(text.parse::<Mode>().unwrap(), mode);
        }
        for text in [
            "",
            "Page",
            "page:x",
            "error",
            "error:",
            "error:\"",
            "error:\u{fc}",
            "as:",
            "as:bob",
        ] {
            let error = text.parse::<Mode>().unwrap_err();
            assert_eq!(error.code(), Code::InvalidOption, "{text}");
        }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, email, matches) in [
            ("alice@example.com", "alice@example.com", true),
            ("Alice@Example.com", "alice@example.com", true),
            ("alice@example.com", "alice@example.com.org", false),
            ("alice@example.com", "malice@example.com", false),
            ("*", "alice@example.com", true),
            ("*@example.com", "alice@example.com", true),
            ("*@example.com", "alice@example.org", false),
            ("alice+*@*", "alice+1@example.com", true),
            ("alice+*@*", "alice@example.com", false),
            ("a*a@example.com", "a@example.com", false),
            ("a*@*e.com", "alice@example.com", true),
            ("*@EXAMPLE.com", "alice@example.com", true),
        ] {
            let pattern: Pattern = pattern.parse().unwrap();
            assert_eq!(pattern.matches(email), matches, "{pattern} {email}");
        }
        for pattern in ["", "alice", "* @example.com"] {
            assert!(pattern.parse::<Pattern>().is_err(), "{pattern}");
        }
    }

    #[test]
    fn the_next_logins_come_before_accounts_and_accounts_before_the_usual_mode() {
        let mut modes = Modes::of(Mode::Page);
        for (pattern, mode) in [
            ("alice@example.com", Mode::Accept),
            ("*@example.com", Mode::Refuse),
            ("*", Mode::Page),
        ] {
            modes.set_account(pattern.parse().unwrap(), mode);
        }
        modes.set_next([Mode::Expired, Mode::Mail]);
        assert_eq!(modes.begin(Some("alice@example.com")), Mode::Expired);
        assert_eq!(modes.begin(None), Mode::Mail);
        assert_eq!(modes.begin(None), Mode::Page);
        assert_eq!(modes.begin(Some("Alice@example.com")), Mode::Accept);
        assert_eq!(modes.begin(Some("bob@example.com")), Mode::Refuse);
        assert_eq!(modes.begin(Some("bob@example.org")), Mode::Page);
        modes.set_account("alice@example.com".parse().unwrap(), Mode::Page);
        assert_eq!(modes.begin(Some("alice@example.com")), Mode::Page);
    }
}
