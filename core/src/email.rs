//! E-mail addresses, and the normalized form that identifies a person.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizer;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};
use url::Host;

use crate::error::{Code, Error, Result};

/// The longest address, in bytes (RFC 3696, erratum 1690).
const MAX_BYTES: usize = 254;

/// The longest local part, in bytes (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;

/// The longest label of a domain, in bytes (RFC 1035, section 2.3.4).
const MAX_LABEL_BYTES: usize = 63;

/// Returns the normalized form of an e-mail address, as Portier's e-mail normalization defines it.
///
/// The local part is converted to lower case, the domain to the ASCII form that a browser would look up.
/// Normalization is idempotent. The text is not trimmed.
///
/// # Errors
/// [`Code::InvalidEmail`] if the text is not a valid address:
///
/// - the local part is neither a dot-atom nor a quoted string (RFC 5322, section 3.4.1; RFC 6532
///   adds the characters outside ASCII), or has more than 64 bytes;
/// - the domain is not two or more labels of letters, digits and hyphens, each of at most 63 bytes
///   in its ASCII form, or it is an IP address;
/// - there is white space, a control character or an invisible one, or a second `@`, even in
///   quotes;
/// - the address has more than 254 bytes, as given or normalized.
///
/// ```
/// # use portier_client::normalize_email;
/// assert_eq!(normalize_email("BJÖRN@göteborg.test")?, "björn@xn--gteborg-90a.test");
/// assert!(normalize_email("bjorn..@goteborg.test").is_err());
/// # Ok::<(), portier_client::Error>(())
/// ```
pub fn normalize_email(text: &str) -> Result<String> {
    normalized(text).map(Cow::into_owned)
}

/// The normalized form, which is usually the text itself.
pub(crate) fn normalized(text: &str) -> Result<Cow<'_, str>> {
    let (local, domain) = text
        .rsplit_once('@')
        .ok_or_else(|| invalid("the e-mail address has no @"))?;
    if local.is_empty() || domain.is_empty() {
        return Err(invalid(
            "the e-mail address has no text on one side of the @",
        ));
    }
    check_length(text)?;
    if is_plain(local, domain) {
        return Ok(Cow::Borrowed(text));
    }
    if text.chars().any(is_unseen) {
        return Err(invalid(
            "the e-mail address contains white space, a control character or an invisible character",
        ));
    }
    let local = local.to_lowercase();
    check_local(&local)?;
    let domain = domain_to_ascii(domain)?;
    check_domain(&domain)?;
    let normalized = format!("{local}@{domain}");
    check_length(&normalized)?;
    Ok(Cow::Owned(normalized))
}

/// A valid address as a person typed it, trimmed.
#[derive(Clone, Copy)]
pub(crate) struct TypedEmail<'a>(&'a str);

impl<'a> TypedEmail<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self> {
        let text = text.trim();
        normalized(text)?;
        Ok(Self(text))
    }

    pub(crate) fn as_str(self) -> &'a str {
        self.0
    }
}

/// Whether the address is obviously normalized, as almost all are. Labels that could be punycode, last
/// labels that could be numbers, and quoted local parts need the full check.
fn is_plain(local: &str, domain: &str) -> bool {
    let is_plain_word = |word: &[u8]| {
        let is_plain = |byte: &u8| is_ascii_atom_byte(*byte) && !byte.is_ascii_uppercase();
        !word.is_empty() && word.iter().all(is_plain)
    };
    let mut labels = words(domain);
    let last_is_a_name = labels.next_back().is_some_and(|last| {
        is_plain_label(last)
            && last.last().is_some_and(u8::is_ascii_lowercase)
            && !last.starts_with(b"0x")
    });
    local.len() <= MAX_LOCAL_BYTES
        && words(local).all(is_plain_word)
        && last_is_a_name
        && labels.clone().next().is_some()
        && labels.all(is_plain_label)
}

fn is_plain_label(label: &[u8]) -> bool {
    let is_plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
    (1..=MAX_LABEL_BYTES).contains(&label.len())
        && label.iter().all(is_plain)
        && !label.starts_with(b"-")
        && !label.ends_with(b"-")
        && !label.starts_with(b"xn--")
}

/// The parts between dots. For texts this short, comparing bytes is faster than searching a character.
fn words(text: &str) -> impl DoubleEndedIterator<Item = &[u8]> + Clone {
    text.as_bytes().split(|byte| *byte == b'.')
}

/// Whether a character is invisible. It could make an address look like another one, or change the
/// direction of the text around it.
fn is_unseen(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_graphic();
    }
    let is_format = || CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::Format;
    let is_ignorable = || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c);
    // Unicode classifies the blank braille pattern as a symbol.
    c.is_control() || c.is_whitespace() || c == '\u{2800}' || is_format() || is_ignorable()
}

fn check_length(address: &str) -> Result<()> {
    if address.len() > MAX_BYTES {
        return Err(invalid("the e-mail address has more than 254 bytes"));
    }
    Ok(())
}

fn check_local(local: &str) -> Result<()> {
    if local.len() > MAX_LOCAL_BYTES {
        return Err(invalid(
            "the local part of the e-mail address has more than 64 bytes",
        ));
    }
    // With a second `@`, a reader could take the local part for the whole address, and a mail system that
    // folds compatibility characters could see another domain.
    let nfkc = ComposingNormalizer::new_nfkc();
    if nfkc.normalize_iter(local.chars()).any(|c| c == '@') {
        return Err(invalid("the e-mail address has more than one @"));
    }
    if !is_dot_atom(local) && !is_quoted_string(local) {
        return Err(invalid(
            "the local part of the e-mail address is neither words with dots between them nor a quoted string",
        ));
    }
    Ok(())
}

/// RFC 5322, section 3.2.3, with the characters of RFC 6532, section 3.2.
fn is_dot_atom(local: &str) -> bool {
    local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atom_character))
}

fn is_atom_character(c: char) -> bool {
    u8::try_from(c).map_or(true, |byte| !byte.is_ascii() || is_ascii_atom_byte(byte))
}

fn is_ascii_atom_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// RFC 5322, section 3.2.4, without white space. Only ASCII characters can be escaped.
fn is_quoted_string(local: &str) -> bool {
    let inner = local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner.filter(|inner| !inner.is_empty()) else {
        return false;
    };
    let mut escaped = false;
    for c in inner.chars() {
        match c {
            _ if escaped && c.is_ascii() => escaped = false,
            _ if escaped => return false,
            '\\' => escaped = true,
            '"' => return false,
            _ => {}
        }
    }
    !escaped
}

/// WHATWG URL, "domain to ASCII", with the host parser's refusals.
fn domain_to_ascii(domain: &str) -> Result<String> {
    // The host parser would decode percent signs first.
    if domain.contains('%') {
        return Err(invalid(
            "the domain of the e-mail address has a forbidden character",
        ));
    }
    match Host::parse(domain) {
        Ok(Host::Domain(ascii)) => Ok(ascii),
        Ok(Host::Ipv4(_) | Host::Ipv6(_)) => {
            Err(invalid("the domain of the e-mail address is an IP address"))
        }
        Err(_) => Err(invalid("the domain of the e-mail address is not valid")),
    }
}

/// Checks that a domain in ASCII form is a valid mail domain (RFC 5321, section 2.3.5).
fn check_domain(domain: &str) -> Result<()> {
    if !domain.contains('.') || !domain.split('.').all(is_label) {
        return Err(invalid(
            "the domain of the e-mail address is not two or more labels of letters, digits and hyphens, each of at most 63 bytes",
        ));
    }
    Ok(())
}

/// RFC 1123, section 2.1: letters, digits and hyphens, but no hyphen at either end.
fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL_BYTES).contains(&label.len())
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
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
        let text = include_str!("../vectors/emails.json");
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
    fn plain_addresses_have_the_same_result_as_with_the_full_check() {
        for domain in [
            "example.com",
            "a.b-c.example",
            "0x7f.example",
            "example.0x",
            "a--b.example",
            "example.c0m",
            "example",
            "example.com.",
            "a-.example",
        ] {
            if is_plain("a", domain) {
                assert_eq!(domain_to_ascii(domain).unwrap(), domain);
                check_domain(domain).unwrap();
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
        fn an_address_has_no_invisible_characters_and_a_domain_of_labels(
            text in r#"(.|\s|\p{Cc}|\p{Cf}|[a"\\]|\p{Default_Ignorable_Code_Point}){1,8}@(.|[a-z.\x00-\x20\x7f-\x9f]|\p{Default_Ignorable_Code_Point}){1,12}\.test"#,
        ) {
            if let Ok(email) = normalize_email(&text) {
                let (local, domain) = email.rsplit_once('@').unwrap();
                prop_assert!(!text.chars().any(|c| c.is_control() || c.is_whitespace()));
                prop_assert!(!ComposingNormalizer::new_nfkc().normalize(local).contains('@'));
                prop_assert!(local.len() <= 64 && email.len() <= 254);
                for label in domain.split('.') {
                    prop_assert!((1..=63).contains(&label.len()));
                    prop_assert!(label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')));
                }
            }
        }

        #[test]
        fn an_invisible_character_is_refused_at_every_position(
            unseen in r"\p{White_Space}|\p{Cc}|\p{Cf}|\p{Default_Ignorable_Code_Point}",
            place in 0_usize..17,
        ) {
            let mut text = "alice@example.com".to_owned();
            text.insert_str(place, &unseen);
            prop_assert!(normalize_email(&text).is_err());
        }

        #[test]
        fn the_short_check_changes_no_result(local in "[a-z0-9.+]{1,8}", domain in "[a-z0-9x.-]{1,20}") {
            if is_plain(&local, &domain) {
                check_local(&local).unwrap();
                prop_assert_eq!(domain_to_ascii(&domain).unwrap(), domain.clone());
                check_domain(&domain).unwrap();
            }
        }
    }
}
