//! E-mail addresses: what may be typed, and the normalized form that identifies a person.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;
use url::Host;

use crate::error::{Code, Error, Result};

/// The longest address that mail can be sent to, in octets (RFC 3696, erratum 1690).
const MAX_OCTETS: usize = 254;

/// Returns the normalized form of an e-mail address, as Portier's e-mail normalization defines it.
///
/// The local part is put into lower case, the domain into the ASCII form a browser would look up.
/// Normalizing twice changes nothing. The text is taken as it is: nothing is trimmed.
///
/// # Errors
/// [`Code::InvalidEmail`] when there is no `@` with text on both sides, when the domain is an IP
/// address or not a domain, and for control characters, those for the direction of text included.
///
/// ```
/// # use portier_client::normalize_email;
/// assert_eq!(normalize_email("BJÖRN@göteborg.test")?, "björn@xn--gteborg-90a.test");
/// # Ok::<(), portier_client::Error>(())
/// ```
pub fn normalize_email(text: &str) -> Result<String> {
    normalized(text).map(Cow::into_owned)
}

/// The normalized form, which is nearly always the text itself.
pub(crate) fn normalized(text: &str) -> Result<Cow<'_, str>> {
    let (local, domain) = text
        .rsplit_once('@')
        .ok_or_else(|| invalid("an e-mail address has an @"))?;
    if local.is_empty() || domain.is_empty() {
        return Err(invalid("an e-mail address has text on both sides of the @"));
    }
    if local.chars().any(|c| c.is_control() || turns_text(c)) {
        return Err(invalid("an e-mail address has no control characters"));
    }
    if is_plain(local, domain) {
        return Ok(Cow::Borrowed(text));
    }
    let mut normalized = local.to_lowercase();
    normalized.push('@');
    normalized.push_str(&domain_to_ascii(domain)?);
    Ok(Cow::Owned(normalized))
}

/// An address as a person typed it, trimmed, that mail could be sent to.
pub(crate) struct TypedEmail<'a>(&'a str);

impl<'a> TypedEmail<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self> {
        let text = text.trim();
        if text.len() > MAX_OCTETS {
            return Err(invalid("an e-mail address has at most 254 octets"));
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(invalid("an e-mail address has no white space"));
        }
        // A mail system that folds compatibility characters would see another domain than we do.
        let folded = if text.is_ascii() {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(text.nfkc().collect())
        };
        if has_second_at(&folded) {
            return Err(invalid("an e-mail address has one @"));
        }
        normalized(text)?;
        Ok(Self(text))
    }

    pub(crate) fn as_str(&self) -> &'a str {
        self.0
    }
}

/// Whether a character has the text around it read in another direction (Unicode's `Bidi_Control`).
/// With one, an address could rewrite the question whether to sign in as it.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether the address is already in the form that almost all of them have. Labels that could be
/// punycode, and last labels that could be numbers, go the long way.
fn is_plain(local: &str, domain: &str) -> bool {
    let plain_local = local
        .bytes()
        .all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase());
    let plain_domain = domain
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.');
    let plain_labels = domain
        .split('.')
        .all(|label| !label.is_empty() && !label.starts_with("xn--") && label.len() <= 63);
    let letter_last = domain
        .bytes()
        .last()
        .is_some_and(|b| b.is_ascii_lowercase());
    let numeric_last = domain
        .rsplit('.')
        .next()
        .is_some_and(|label| label.starts_with("0x"));
    plain_local && plain_domain && plain_labels && letter_last && !numeric_last
}

/// WHATWG URL, "domain to ASCII", with the host parser's refusals.
fn domain_to_ascii(domain: &str) -> Result<String> {
    // The host parser would decode percent signs before it looks.
    if domain.contains('%') {
        return Err(invalid(
            "the domain of an e-mail address has a forbidden character",
        ));
    }
    match Host::parse(domain) {
        Ok(Host::Domain(ascii)) => Ok(ascii),
        Ok(Host::Ipv4(_) | Host::Ipv6(_)) => Err(invalid(
            "the domain of an e-mail address is not an IP address",
        )),
        Err(_) => Err(invalid("the domain of an e-mail address is not a domain")),
    }
}

/// Whether the local part has an `@` of its own without being a quoted string as a whole
/// (RFC 5321, section 4.1.2).
fn has_second_at(text: &str) -> bool {
    text.rsplit_once('@')
        .is_some_and(|(local, _)| local.contains('@') && !is_quoted_string(local))
}

fn is_quoted_string(local: &str) -> bool {
    let inner = local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner else {
        return false;
    };
    let mut escaped = false;
    for c in inner.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return false,
            _ => {}
        }
    }
    !escaped
}

fn invalid(message: &'static str) -> Error {
    Error::new(Code::InvalidEmail, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(serde::Deserialize)]
    struct Case {
        id: String,
        input: String,
        expect: serde_json::Value,
        authenticate: String,
    }

    #[test]
    fn vectors() {
        #[derive(serde::Deserialize)]
        struct File {
            cases: Vec<Case>,
        }
        let text = include_str!("../../tests/vectors/emails.json");
        let file: File = serde_json::from_str(text).unwrap();
        for case in &file.cases {
            let verdict = match normalize_email(&case.input) {
                Ok(email) => serde_json::json!({ "email": email }),
                Err(error) => serde_json::json!({ "code": error.code().as_str() }),
            };
            assert_eq!(verdict, case.expect, "{}", case.id);
            let typed = match TypedEmail::parse(&case.input) {
                Ok(_) => "accepted",
                Err(error) => error.code().as_str(),
            };
            assert_eq!(typed, case.authenticate, "{}", case.id);
        }
    }

    #[test]
    fn plain_addresses_take_the_same_way_as_all_others() {
        for domain in [
            "example.com",
            "a.b-c.example",
            "0x7f.example",
            "example.0x",
            "a--b.example",
            "example.c0m",
        ] {
            if is_plain("a", domain) {
                assert_eq!(domain_to_ascii(domain).unwrap(), domain);
            }
        }
        assert!(is_plain("alice+x", "mail-1.example.com"));
    }

    proptest! {
        #[test]
        fn normalization_is_idempotent(text in "\\PC{1,12}@\\PC{1,16}") {
            if let Ok(once) = normalize_email(&text) {
                prop_assert_eq!(normalize_email(&once).unwrap(), once);
            }
        }

        #[test]
        fn web_11_web_13_an_address_has_no_controls_and_a_domain_of_ascii(
            text in r"(.|\s|[\x00-\x1f\x7f-\x9f]|\p{Bidi_Control}){1,8}@(.|[a-z.\x00-\x20\x7f-\x9f]){1,12}",
        ) {
            if let Ok(email) = normalize_email(&text) {
                prop_assert!(!email.chars().any(|c| c.is_control() || turns_text(c)));
                let (_, domain) = email.rsplit_once('@').unwrap();
                prop_assert!(domain.bytes().all(|octet| octet.is_ascii_graphic()));
                prop_assert!(!domain.bytes().any(|octet| octet.is_ascii_uppercase()));
            }
        }

        #[test]
        fn the_short_way_changes_no_verdict(local in "[a-z0-9.+]{1,8}", domain in "[a-z0-9x.-]{1,20}") {
            if is_plain(&local, &domain) {
                prop_assert_eq!(domain_to_ascii(&domain).unwrap(), domain);
            }
        }
    }
}
